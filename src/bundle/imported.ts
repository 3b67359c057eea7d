/**
 * The binaries as files beside the bundle, for platforms that compile them and hand over a WebAssembly.Module (edge
 * workers refuse to compile bytes). `?module` is the suffix that Next.js wants for that.
 */
import relaxedSimdModule from "../../build/relaxed-simd.wasm?module";
import simdModule from "../../build/simd.wasm?module";

export function simd(): WebAssembly.Module {
  return simdModule;
}

export function relaxedSimd(): WebAssembly.Module {
  return relaxedSimdModule;
}
