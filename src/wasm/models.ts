/**
 * The kernels of whole models: a second binary, whose instance runs on a runtime's memory and calls the core's
 * kernels. Only `lstm-wasm/models` imports this file, so that no other program has its bytes.
 */

import { modelsRelaxedSimd, modelsSimd } from "#model-binaries";
import { ABI, type ModelKernels } from "../../build/models-abi.js";
import { instantiate } from "../bundle/binaries.js";
import { type Binary, compile } from "../bundle/compile.js";
import { wrongValue } from "../tensor/checks.js";
import type { Runtime } from "./runtime.js";

const instances = new WeakMap<Runtime, ModelKernels>();

/**
 * The runtime's kernels of models, instantiated when they are first asked for, of the same build as the core's.
 * @throws RangeError where `init` was given the core's module without this one; TypeError where it was given another
 *   release's; Error as `compile` does
 */
export function modelKernels(runtime: Runtime): ModelKernels {
  let kernels = instances.get(runtime);
  if (kernels === undefined) {
    const binary = binaryFor(runtime);
    kernels = instantiate<ModelKernels>(compile(binary), runtime.memory, ABI, "options.models", {
      core: runtime.kernels,
    });
    kernels = runtime.shareModels?.(kernels, binary) ?? kernels;
    instances.set(runtime, kernels);
  }
  return kernels;
}

function binaryFor({ build, models, adapt }: Runtime): Binary {
  if (models !== undefined) return models;
  if (build === "given") {
    throw wrongValue("options.models", "lstm-wasm/models.wasm, compiled, beside module", "module alone");
  }
  return adapt(build === "simd" ? modelsSimd() : modelsRelaxedSimd());
}
