/** What models are given and give, and what their parts see of them. */

import type { Declared, Dtype } from "../graph/ir.js";
import type { Operand } from "../graph/operator.js";
import type { TensorData } from "../tensor/like.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Plan } from "./plan.js";
import type { ModelInput } from "./values.js";

/** An input or output, as the file declares it. */
export interface ModelValue {
  readonly name: string;
  /** Sizes, or their names; `"?"` for one that is open and has no name. Undefined where nothing is declared. */
  readonly shape: readonly (number | string)[] | undefined;
  /** The file's type. Floats of every width are given and taken as float32. Strings are inputs of Keras models alone. */
  readonly dtype: Dtype | "string" | undefined;
}

export interface ModelOperatorCount {
  /** `""` for ONNX's own. */
  readonly domain: string;
  readonly operator: string;
  readonly opset: number;
  readonly count: number;
}

/** Bytes of WebAssembly memory. */
export interface ModelMemory {
  /** Constants and packed weights. */
  readonly weights: number;
  /** Values of the plans. */
  readonly plans: number;
}

/** Inputs by name; a model of one input takes it alone as well. */
export type ModelInputs = Readonly<Record<string, ModelInput>> | ModelInput;

export type ModelOutputs = Record<string, Tensor<TensorData>>;

/** What streams and summaries need of a model. @internal */
export interface Planner {
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
  /** What is declared of an input, with the sizes that the loader was told. */
  declaredOf(name: string): Declared;
  /** The plan that has computed these inputs. `extra` has further inputs by name. */
  compute(inputs: ModelInputs, extra?: ReadonlyMap<string, Operand>): Plan;
  /** The plan for the inputs' declared shapes, or the last one. */
  declaredPlan(): Plan | undefined;
  /** States that users do not see, which begin as zeros. */
  readonly hidden?: ReadonlySet<string> | undefined;
}
