export function pausedProgram(type?: "i32" | "i64"): WebAssembly.Module;
