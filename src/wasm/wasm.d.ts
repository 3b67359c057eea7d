/** esbuild's `binary` loader (and test/vitest.config.ts) turn an imported wasm file into its bytes. */
declare module "*.wasm" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
