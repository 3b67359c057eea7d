/** What models are given and give, and what their parts see of them. */

import type { Declared, Dtype, Graph } from "../graph/ir.js";
import type { Operand } from "../graph/operator.js";
import type { TensorData } from "../tensor/like.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Plan } from "./plan.js";
import type { Store } from "./store.js";
import type { ModelInput } from "./values.js";

/** An input or output, as the file declares it. */
export interface ModelValue {
  readonly name: string;
  /** Sizes, or their names; `"?"` for one that is open and has no name. Undefined where nothing is declared. */
  readonly shape: readonly (number | string)[] | undefined;
  /** The file's type. Floats of every width are given and taken as float32. */
  readonly dtype: Dtype | undefined;
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

/** What a loader makes of a file. @internal */
export interface ModelParts {
  readonly graph: Graph;
  readonly warnings: readonly string[];
  readonly operators: readonly ModelOperatorCount[];
  /** Numbers of inputs that are fixed. */
  readonly constants: ReadonlyMap<string, Operand>;
  /** What sizes inputs are declared to have. */
  readonly declared: ReadonlyMap<string, Declared>;
  readonly store: (owner: object) => Store;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly layers?: LayerParts | undefined;
}

/** What a model of layers, such as Keras', has beside its graph. @internal */
export interface LayerParts {
  /** The layers' states: inputs and outputs of one name that users do not see. They are zeros unless a stream has them. */
  readonly states: ReadonlySet<string>;
  /** Inputs of which a step of a stream takes one step of axis 1. None where a step is a whole call. */
  readonly timed: ReadonlySet<string>;
  /** Which layer cannot be streamed, and why. */
  readonly notStreamable: string | undefined;
  /** The table that `summary()` gives. */
  readonly summary: () => string;
}

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
