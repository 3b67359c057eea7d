/** What importing a binary gives: a function that gives its text in the default bundle, the compiled module on edge platforms. */
declare module "*.txt" {
  const text: () => string;
  export default text;
}

declare module "*.wasm?module" {
  const binary: WebAssembly.Module;
  export default binary;
}
