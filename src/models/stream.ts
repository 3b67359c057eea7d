/** A model's stream: steps whose outputs are fed back as inputs, with nothing allocated in a step. */

import { getOrMake } from "../formats/get-or-make.js";
import type { HostTensor } from "../graph/ir.js";
import type { Operand } from "../graph/operator.js";
import { sameShape, wrongType } from "../tensor/checks.js";
import { coded } from "../tensor/errors.js";
import type { TensorData } from "../tensor/like.js";
import type { Tensor } from "../tensor/tensor.js";
import { DisposableBase } from "../wasm/disposable.js";
import { described } from "./described.js";
import type { ModelInputs, ModelOutputs, ModelValue, Planner } from "./model-types.js";
import type { Plan } from "./plan.js";
import {
  checkNames,
  define,
  fill,
  type ModelInput,
  ownNumbers,
  readInput,
  tensorFor,
  zerosOf,
} from "./values.js";

/** Outputs by the input that each is fed back to. */
export type StateMap = Readonly<Record<string, string>>;

const NONE: readonly string[] = [];

export class ModelStream extends DisposableBase {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "ModelStream";
  readonly #model: Planner;
  /** Inputs and outputs. */
  readonly #pairs: readonly (readonly [input: string, output: string])[];
  /** The inputs that each output is fed back to. */
  readonly #fedBack = new Map<string, string[]>();
  /** By input; none before the first step, unless they were set. */
  readonly #states = new Map<string, HostTensor>();
  readonly #outputs: ModelOutputs = {};
  #isDisposed = false;

  /** @internal Use `model.stream()`. */
  constructor(model: Planner, states: StateMap) {
    super();
    if (typeof states !== "object" || states === null)
      throw wrongType("states", "an object of names", states);
    this.#model = model;
    this.#pairs = Object.entries(states);
    for (const [input, output] of this.#pairs) getOrMake(this.#fedBack, output, () => []).push(input);
    const names = (values: readonly { name: string }[]) => values.map(({ name }) => name);
    checkNames("states", Object.keys(states), names(model.inputs));
    checkNames("states", Object.values(states), names(model.outputs));
  }

  /** What a step takes. Of a model of layers that is not stateful it is one step of time: axis 1 has the size 1. */
  get inputs(): readonly ModelValue[] {
    const fed = new Set(this.#pairs.map(([input]) => input));
    const names = this.#model.inputs.map(({ name }) => name).filter((name) => !fed.has(name));
    return names.map((name) => described(name, this.#model.declaredOf(name)));
  }

  /**
   * Takes one step; the states are left out of the inputs. The tensors that it returns are the same at every step, as
   * long as shapes do not change, and are overwritten by the next one: copy what is to be kept.
   * @throws as `run`
   */
  step(inputs: ModelInputs): ModelOutputs {
    this.#checkAlive();
    const begun = this.#states.size === this.#pairs.length ? NONE : this.#begin(inputs);
    const plan = this.#compute(inputs, begun);
    for (const { name, tensor } of plan.outputs()) this.#keep(name, tensor);
    return this.#outputs;
  }

  /** Sets the states that are missing to zeros. */
  #begin(inputs: ModelInputs): readonly string[] {
    const known = this.#sizesIn(inputs);
    const { hidden } = this.#model;
    const begun = this.#pairs
      .map(([input]) => input)
      .filter((input) => !this.#states.has(input) && hidden?.has(input) !== true);
    for (const input of begun) this.#states.set(input, this.#zeros(input, known));
    return begun;
  }

  /** A step that is refused leaves no state, whose size would be that of its inputs. */
  #compute(inputs: ModelInputs, begun: readonly string[]): Plan {
    try {
      return this.#model.compute(inputs, this.#states as ReadonlyMap<string, Operand>);
    } catch (error) {
      for (const input of begun) this.#states.delete(input);
      throw error;
    }
  }

  #keep(name: string, result: HostTensor): void {
    for (const input of this.#fedBack.get(name) ?? NONE) {
      const state = this.#states.get(input);
      const fits = state?.dtype === result.dtype && sameShape(state.shape, result.shape);
      if (fits) state.data.set(result.data);
      else this.#states.set(input, { ...result, data: result.data.slice() as HostTensor["data"] });
    }
    if (this.#model.hidden?.has(name) === true) return;
    const last = this.#outputs[name];
    if (last !== undefined && sameShape(last.shape, result.shape)) fill(last.data, result.data);
    else define(this.#outputs, name, tensorFor(result, ownNumbers(result)));
  }

  /** What the names of open sizes are in the inputs of a step. */
  #sizesIn(inputs: ModelInputs): ReadonlyMap<string, number> {
    const sizes = new Map<string, number>();
    for (const { name } of this.#model.inputs) {
      const value = (inputs as Readonly<Record<string, ModelInput>> | undefined)?.[name];
      if (value === undefined || this.#pairs.some(([input]) => input === name)) continue;
      const declared = this.#model.declaredOf(name);
      const { shape } = readInput(`inputs.${name}`, declared, value);
      for (const [axis, size] of (declared.shape ?? []).entries()) {
        if (typeof size === "string") sizes.set(size, shape[axis]!);
      }
    }
    return sizes;
  }

  /** A state of zeros. A size that nothing tells is 1. */
  #zeros(input: string, known: ReadonlyMap<string, number>): HostTensor {
    return zerosOf(this.#model.declaredOf(input), known);
  }

  /** The states by the names of their inputs: copies. Setting it copies too; what is left out stays as it is. */
  get state(): Record<string, Tensor<TensorData>> {
    this.#checkAlive();
    const states = {};
    for (const [input] of this.#pairs) {
      const state = this.#states.get(input) ?? this.#zeros(input, new Map());
      define(states, input, tensorFor(state, ownNumbers(state)));
    }
    return states;
  }

  /** @throws TypeError or RangeError for a state that does not fit; the stream then keeps its own. */
  set state(states: Readonly<Record<string, ModelInput>>) {
    this.#checkAlive();
    if (typeof states !== "object" || states === null)
      throw wrongType("state", "an object of states", states);
    checkNames(
      "state",
      Object.keys(states),
      this.#pairs.map(([input]) => input),
    );
    const read = Object.entries(states).map(([input, value]): [string, HostTensor] => {
      const tensor = readInput(`state.${input}`, this.#model.declaredOf(input), value);
      return [input, { ...tensor, data: tensor.data.slice() as HostTensor["data"] }];
    });
    for (const [input, tensor] of read) this.#states.set(input, tensor);
  }

  /** Back to zeros. */
  reset(): void {
    this.#checkAlive();
    this.#states.clear();
  }

  /** A stream of its own that goes on from the same states. */
  clone(): ModelStream {
    this.#checkAlive();
    const copy = new ModelStream(this.#model, Object.fromEntries(this.#pairs));
    for (const [input, state] of this.#states) {
      copy.#states.set(input, { ...state, data: state.data.slice() as HostTensor["data"] });
    }
    return copy;
  }

  /** Ends the stream; the model is not touched. */
  override dispose(): void {
    this.#isDisposed = true;
    this.#states.clear();
  }

  override toString(): string {
    return `ModelStream(${this.#pairs.map(([input, output]) => `${input} <- ${output}`).join(", ")})`;
  }

  #checkAlive(): void {
    if (this.#isDisposed) throw coded("DISPOSED", new Error("stream: used after dispose()"));
  }
}
