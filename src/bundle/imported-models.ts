/** The binaries with the kernels of whole models as files beside the bundle, as imported.ts has the core's. */

import baselineModule from "../../build/models.wasm?module";
import relaxedModule from "../../build/models-relaxed.wasm?module";

export function modelsSimd(): WebAssembly.Module {
  return baselineModule;
}

export function modelsRelaxedSimd(): WebAssembly.Module {
  return relaxedModule;
}
