/**
 * The binaries as files beside the bundle. Edge platforms refuse to compile bytes; they compile such a file
 * themselves and its import gives a WebAssembly.Module. Next.js does so for the suffix `?module`.
 */
import relaxedSimdModule from "../../build/relaxed-simd.wasm?module";
import simdModule from "../../build/simd.wasm?module";

export function simd(): WebAssembly.Module {
  return simdModule;
}

export function relaxedSimd(): WebAssembly.Module {
  return relaxedSimdModule;
}
