/** What a bundle makes of the binaries: ASCII text (embed.js), or on edge platforms the compiled module. */
declare module "*.txt" {
  const text: string;
  export default text;
}

declare module "*.wasm?module" {
  const binary: WebAssembly.Module;
  export default binary;
}
