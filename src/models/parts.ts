/** What loaders give to a model. */

import type { Declared, Graph } from "../graph/ir.js";
import type { TextPort } from "../graph/keras/index.js";
import type { Operand } from "../graph/operator.js";
import type { InputReader } from "./inputs.js";
import type { ModelInputs, ModelOperatorCount, Planner } from "./model-types.js";
import type { Plan } from "./plan.js";
import type { Store } from "./store.js";
import type { ModelStream } from "./stream.js";
import type { ModelInput } from "./values.js";

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
  /** The inputs that users give, in their order. */
  readonly ports: readonly TextPort[];
  /** Inputs of the graph that are made of strings: by their names, what makes them of what a user gives. */
  readonly texts: ReadonlyMap<string, (inputs: Readonly<Record<string, ModelInput>>) => Operand>;
  /** Inputs of which a step of a stream takes one step of axis 1. None where a step is a whole call. */
  readonly timed: ReadonlySet<string>;
  /** Which layer cannot be streamed, and why. */
  readonly notStreamable: string | undefined;
  /** The table that `summary()` gives. */
  readonly summary: () => string;
  /** Whether a layer that the caller supplied runs. */
  readonly busy: { readonly is: boolean };
  /** `stream()` of a model, given what its user gave. Here, so that bundles without such models have none of it. */
  readonly stream: (model: StepPlanner, parts: ModelParts, given: unknown) => ModelStream;
}

/** A model whose inputs may be read otherwise for a step. @internal */
export interface StepPlanner extends Planner {
  compute(inputs: ModelInputs, extra?: ReadonlyMap<string, Operand>, reader?: InputReader): Plan;
}
