/** A whole model: its graph with a plan for each of the last shapes of its inputs. */

import type { Data, Declared } from "../graph/ir.js";
import type { Operand } from "../graph/operator.js";
import { wrongValue } from "../tensor/checks.js";
import { coded } from "../tensor/errors.js";
import { DisposableBase } from "../wasm/disposable.js";
import { describedAll } from "./described.js";
import { fold, foldClosed } from "./fold.js";
import { InputReader } from "./inputs.js";
import type {
  ModelInputs,
  ModelMemory,
  ModelOperatorCount,
  ModelOutputs,
  ModelValue,
} from "./model-types.js";
import type { Folded } from "./operator.js";
import type { ModelParts } from "./parts.js";
import { Plan } from "./plan.js";
import { mayBeSpecial } from "./special.js";
import { findStates, type StatePair } from "./states.js";
import type { Store } from "./store.js";
import { ModelStream, type StateMap } from "./stream.js";
import { type ModelSummary, type SummaryOptions, summarise } from "./summary.js";
import { define, ownTensor } from "./values.js";

/** Plans that are kept. Each has room for the values of its shapes. */
const MOST_PLANS = 4;

/** @typeParam Summary  what `summary()` gives: of a model of layers a text */
export class Model<Summary = ModelSummary> extends DisposableBase {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "Model";
  declare readonly inputs: readonly ModelValue[];
  declare readonly outputs: readonly ModelValue[];
  declare readonly operators: readonly ModelOperatorCount[];
  /** What is not as the file may lead to expect. */
  declare readonly warnings: readonly string[];
  readonly #parts: ModelParts;
  readonly #reader: InputReader;
  readonly #store: Store;
  /** The last used first. */
  readonly #plans: Plan[] = [];
  /** Names of inputs whose numbers shapes or branches depend on: each of their values has a plan of its own. */
  #special: ReadonlySet<string> | undefined;

  /** @internal Use `loadOnnx`. */
  constructor(parts: ModelParts) {
    super();
    this.#parts = parts;
    this.#reader = new InputReader(parts);
    const ports = parts.layers?.ports ?? parts.graph.inputs;
    this.inputs = describedAll(
      ports.filter(({ name }) => !parts.constants.has(name)),
      parts.declared,
    );
    this.outputs = describedAll(
      parts.graph.outputs.filter(({ name }) => !this.#isHidden(name)),
      parts.declared,
    );
    this.operators = parts.operators;
    this.warnings = parts.warnings;
    this.#store = parts.store(this);
    try {
      const types = this.#declaredTypes();
      if (types !== undefined) this.#planFor(Array.from(types.values()), parts.onProgress);
      else parts.onProgress?.(1, 1);
    } catch (error) {
      this.#release();
      throw error;
    }
    this.#store.live();
    Object.freeze(this);
  }

  /**
   * Computes the outputs of these inputs, by name. The tensors are the caller's own. Floats are float32, int64 comes as
   * bigint, and truth values are a Uint8Array whose tensor says `"bool"`.
   * @throws TypeError or RangeError for an input that is missing, unknown or of another shape; FormatError that names
   *   the node which cannot take what comes to it
   */
  run(inputs: ModelInputs): ModelOutputs {
    this.#assertAlive();
    const plan = this.compute(inputs);
    const outputs: ModelOutputs = {};
    for (const { name, tensor } of plan.outputs()) {
      if (!this.#isHidden(name)) define(outputs, name, ownTensor(name, tensor));
    }
    return outputs;
  }

  /** @throws Error within a layer that the caller supplied, while the model runs */
  #assertIdle(): void {
    if (this.#parts.layers?.busy.is !== true) return;
    throw coded("UNSUPPORTED", new Error("Model: used within one of its own layers"));
  }

  #isHidden(name: string): boolean {
    return this.#parts.layers?.states.has(name) === true;
  }

  /** @internal The plan that has computed these inputs. `extra` has further inputs by name. */
  compute(inputs: ModelInputs, extra?: ReadonlyMap<string, Operand>, reader = this.#reader): Plan {
    const given = reader.read(inputs, extra);
    this.#assertIdle();
    this.#assertAlive(); // once more: the inputs' own getters have run
    const plan = this.#planFor(given);
    const { runtime } = plan.region;
    let at = 0;
    for (const { block } of plan.inputs) {
      const { data } = given[at++]!;
      if (block !== undefined) runtime.write(block, 0, data!);
    }
    if (extra !== undefined) reader.takeBack(given);
    plan.run();
    return plan;
  }

  /** @internal What is declared of an input, with the sizes that the loader was told. */
  declaredOf(name: string): Declared {
    return this.#parts.declared.get(name) ?? {};
  }

  /** @internal The plan for the inputs' declared shapes, or the last one. */
  declaredPlan(): Plan | undefined {
    const types = this.#declaredTypes();
    return types === undefined ? this.#plans[0] : this.#planFor(Array.from(types.values()));
  }

  /**
   * Runs a sequence step by step, with outputs fed back as inputs: `{ state: "stateN" }` gives output `stateN` of each
   * step to input `state` of the next one. Left out, they are those that {@link summary} shows.
   * A model of layers has their states: nothing is given.
   * @throws RangeError where they are left out and not obvious; TypeError for a name that the model has not; FormatError
   *   that names the layer which cannot be computed step by step
   */
  stream(states?: StateMap): ModelStream {
    this.#assertAlive();
    const { layers } = this.#parts;
    if (layers !== undefined) return layers.stream(this, this.#parts, states);
    return new ModelStream(this, states === undefined ? this.#obviousStates() : states);
  }

  #obviousStates(): StateMap {
    const { pairs, doubt } = this.states;
    if (doubt !== undefined) throw wrongValue("states", "a map from inputs to outputs", doubt);
    return Object.fromEntries(pairs.map(({ input, output }) => [input, output]));
  }

  /** @internal Inputs and outputs that are one state. */
  get states(): { readonly pairs: readonly StatePair[]; readonly doubt: string | undefined } {
    return findStates(this.inputs, this.outputs);
  }

  /**
   * The nodes of the plan for the declared shapes, the options' shapes, or those of the given inputs; with them, also how
   * long each takes. Where sizes are open and nothing has run, the nodes of the file. Of a model of layers the table that
   * Keras prints of them, for which there are no options.
   * @throws TypeError or RangeError for an option that is wrong, and for inputs as `run` does
   */
  summary(options?: SummaryOptions): Summary {
    this.#assertAlive();
    const { layers, graph } = this.#parts;
    if (layers === undefined) return summarise(this, graph.nodes, this.states.pairs, options) as Summary;
    if (options !== undefined) throw wrongValue("options", "none for a model of layers", options);
    return layers.summary() as Summary;
  }

  /** Bytes of linear memory that the weights and the plans take; 0 after dispose. */
  get memory(): ModelMemory {
    const { bytes, arenaBytes } = this.#store;
    const plans = this.#plans.reduce((sum, { region }) => sum + region.bytes, arenaBytes);
    return Object.freeze({ weights: bytes, plans });
  }

  /** Frees the model's memory at once. */
  override dispose(): void {
    this.#assertIdle();
    this.#release();
  }

  override toString(): string {
    const list = (values: readonly ModelValue[]) => values.map(({ name }) => name).join(", ");
    return `Model(${list(this.inputs)} -> ${list(this.outputs)})`;
  }

  #release(): void {
    for (const plan of this.#plans) plan.region.release();
    this.#plans.length = 0;
    this.#store.release();
  }

  /** @internal @throws Error after dispose */
  #assertAlive(): void {
    if (this.#store.region.released) throw coded("DISPOSED", new Error("Model: used after dispose()"));
  }

  /** The types of all inputs; undefined where these are not known without the inputs, or do not tell all. */
  #declaredTypes(): Map<string, Operand> | undefined {
    const types = new Map<string, Operand>();
    for (const { name } of this.#parts.graph.inputs) {
      const constant = this.#parts.constants.get(name);
      const { dtype, shape } = this.declaredOf(name);
      if (constant !== undefined) types.set(name, constant);
      else if (shape?.every((size): size is number => typeof size === "number" && size >= 0) === true) {
        types.set(name, { dtype: dtype ?? "float32", shape });
      } else return undefined;
    }
    return this.#needsNumbers(types) ? undefined : types;
  }

  /** Whether shapes or branches depend on numbers of inputs that are not there. */
  #needsNumbers(types: ReadonlyMap<string, Operand>): boolean {
    if (this.#special !== undefined) return this.#special.size > 0;
    const open = Array.from(types.values()).filter(({ data }) => data === undefined);
    const { graph, table, constants } = this.#store;
    return open.some(mayBeSpecial) && foldClosed(graph, table, types, constants) === undefined;
  }

  /** The plan for these inputs, of whose numbers only those matter that shapes or branches depend on. */
  #planFor(given: readonly Operand[], onProgress?: ModelParts["onProgress"]): Plan {
    const [last] = this.#plans;
    if (last?.fits(given) === true) return last;
    const at = this.#plans.findIndex((plan) => plan.fits(given));
    if (at > 0) {
      const [plan] = this.#plans.splice(at, 1);
      this.#plans.unshift(plan!);
      return plan!;
    }
    try {
      this.#plans.unshift(this.#makePlan(this.#named(given), onProgress));
    } finally {
      this.#dropPlans();
    }
    return this.#plans[0]!;
  }

  /** Drops the plans that are too many, and those whose arena was too small for another. */
  #dropPlans(): void {
    for (let at = this.#plans.length - 1; at >= 0; at--) {
      if (at < MOST_PLANS && this.#plans[at]!.hasRoom) continue;
      this.#plans.splice(at, 1)[0]!.region.release();
    }
  }

  /** Inputs by name. */
  #named(given: readonly Operand[]): ReadonlyMap<string, Operand> {
    return new Map(this.#parts.graph.inputs.map(({ name }, at) => [name, given[at]!]));
  }

  #makePlan(given: ReadonlyMap<string, Operand>, onProgress: ModelParts["onProgress"]): Plan {
    const { graph, table, constants } = this.#store;
    const types = this.#withoutNumbers(given, this.#special ?? new Set());
    const plan = (inputs: typeof types, folded: Folded) => new Plan(this.#store, inputs, folded, onProgress);
    const names = new Set(
      Array.from(given)
        .filter(([, operand]) => operand.data !== undefined && mayBeSpecial(operand))
        .map(([name]) => name),
    );
    if (this.#special !== undefined || names.size === 0)
      return plan(types, fold(graph, table, types, constants));
    const closed = foldClosed(graph, table, types, constants);
    if (closed !== undefined) return plan(types, closed);
    const special = this.#withoutNumbers(given, names);
    const better = fold(graph, table, special, constants);
    if (better.open > 0) {
      const folded = fold(graph, table, types, constants);
      const isBetter = better.open < folded.open || better.untyped < folded.untyped;
      if (!isBetter) {
        this.#special = new Set();
        return plan(types, folded);
      }
    }
    this.#special = names;
    return plan(special, better);
  }

  #withoutNumbers(
    given: ReadonlyMap<string, Operand>,
    special: ReadonlySet<string>,
  ): ReadonlyMap<string, Operand> {
    const types = new Map<string, Operand>();
    for (const [name, operand] of given) {
      const { dtype, shape, data } = operand;
      if (this.#parts.constants.has(name)) types.set(name, operand);
      // A copy: the plan stays, and the caller may write other numbers to the same array.
      else if (special.has(name)) types.set(name, { dtype, shape, data: data!.slice() as Data });
      else types.set(name, { dtype, shape });
    }
    return types;
  }
}
