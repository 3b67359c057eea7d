/** What a bundle makes of the binaries: text with a character for each byte, or on edge platforms the compiled module. */
declare module "*.txt" {
  const text: string;
  export default text;
}

declare module "*.wasm?module" {
  const binary: WebAssembly.Module;
  export default binary;
}
