/** What a bundle makes of an imported wasm file: its bytes, or on edge platforms the compiled module. */
declare module "*.wasm?module" {
  const binary: Uint8Array<ArrayBuffer> | WebAssembly.Module;
  export default binary;
}
