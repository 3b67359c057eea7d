/**
 * The values of weights that pass through nodes on their way to a layer. Exporters reorder gates with Slice
 * and Concat at run time. A value is constant if it comes from an initializer or a Constant through the
 * operators of operators.ts. For any other value, the evaluator says why it is not constant.
 */

import { show } from "../../tensor/checks.js";
import type { TensorData } from "../../tensor/like.js";
import { Tensor } from "../../tensor/tensor.js";
import { FormatError, shorten } from "../bytes.js";
import { getOrMake } from "../get-or-make.js";
import type { Allowance } from "./allowance.js";
import { MAKES_NUMBERS, sizesTensor } from "./integer-operators.js";
import type { Attribute } from "./model-proto.js";
import type { AnyTensor } from "./operator.js";
import { OPERATORS } from "./operators.js";
import type { Scope } from "./scope.js";
import { StatedShapes } from "./stated-shapes.js";
import { toTensor } from "./tensor-proto.js";

/** Nodes between a weight and its layer. Silero's exporter puts 3. */
const MOST_DEPTH = 200;
/** Of an operator other than Concat: those of Slice. */
const MOST_INPUTS = 5;

/**
 * Operators that are not evaluated. Like those of operators.ts they move or repeat the numbers of their first
 * input, and make no others.
 */
const OTHER_MOVES = new Set(["Expand", "Gather", "Tile"]);

/** Why a value is not constant: "is an input of the model", "is computed by MatMul". */
export class NotConstant {
  constructor(readonly reason: string) {}
}

type Value = AnyTensor | NotConstant;

/** What came of a value, and how many nodes lie between it and the farthest weight that it comes from. */
interface Outcome {
  readonly value: Value | FormatError;
  readonly height: number;
}

/** A value that another one needs. */
interface Need {
  readonly name: string;
  readonly scope: Scope;
}

/** A value whose computation waits for those that it needs. */
interface Pending extends Need {
  readonly steps: Generator<Need, Value, Value>;
  height: number;
}

/** What a value that is still being computed is to itself. */
const cycle = (): Outcome => ({
  value: new NotConstant("depends on itself"),
  height: Number.POSITIVE_INFINITY,
});

/**
 * Evaluates each value once, and remembers those that are broken too. All of them together stay within the
 * model's allowance, since nodes may repeat their input.
 */
export class Constants {
  readonly #outcomes = new Map<Scope, Map<string, Outcome>>();
  readonly #zeros = new Map<Scope, Map<string, boolean | FormatError>>();
  /** By their numbers, which nodes may share. */
  readonly #allZeros = new WeakMap<TensorData, boolean>();

  /** What the graphs state of the shapes of values that are not constant. */
  readonly statedShapes: StatedShapes;

  constructor(readonly allowance: Allowance) {
    this.statedShapes = new StatedShapes(allowance);
  }

  /** @throws FormatError for a value that is broken */
  evaluate(name: string, scope: Scope): Value {
    // A stack of its own: each value is known once those below it are, whichever node asks first.
    const stack: Pending[] = [];
    let outcome = this.#ask({ name, scope }, stack);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      let value = outcome?.value;
      try {
        if (outcome !== undefined) top.height = Math.max(top.height, outcome.height + 1);
        if (value instanceof FormatError) throw value;
        if (top.height > MOST_DEPTH) {
          throw new FormatError(`onnx: value ${show(top.name)} passes through more than ${MOST_DEPTH} nodes`);
        }
        const step = value === undefined ? top.steps.next() : top.steps.next(value);
        if (step.done !== true) {
          outcome = this.#ask(step.value, stack);
          continue;
        }
        value = step.value;
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        value = error;
      }
      stack.pop();
      outcome = { value, height: top.height };
      this.#outcomes.get(top.scope)!.set(top.name, outcome);
    }
    if (outcome!.value instanceof FormatError) throw outcome!.value;
    return outcome!.value;
  }

  /**
   * The numbers of a constant of at most `most` integers. Undefined if it is not constant, [] if it is longer.
   * @throws FormatError for a value that is broken
   */
  integers(name: string, scope: Scope, most: number): number[] | undefined {
    const value = name === "" ? undefined : this.evaluate(name, scope);
    if (value === undefined || value instanceof NotConstant) return undefined;
    return value.data.length > most ? [] : Array.from(value.data as ArrayLike<number | bigint>, Number);
  }

  /** The shape of a constant; undefined if the value is none. */
  shapeOf(name: string, scope: Scope): readonly number[] | undefined {
    const value = name === "" ? undefined : this.evaluate(name, scope);
    return value === undefined || value instanceof NotConstant ? undefined : value.shape;
  }

  /** What is known of a value. If nothing is, its computation is put on the stack. */
  #ask({ name, scope }: Need, stack: Pending[]): Outcome | undefined {
    const outcomes = getOrMake(this.#outcomes, scope, () => new Map<string, Outcome>());
    const known = outcomes.get(name);
    if (known !== undefined) return known;
    outcomes.set(name, cycle());
    stack.push({ name, scope, steps: this.#compute(name, scope), height: 0 });
    return undefined;
  }

  /**
   * Whether a value is all zeros, even if it is not constant. Exporters make initial states so: zeros whose
   * shape is known only at run time.
   */
  isZeros(name: string, scope: Scope, depth = 0): boolean {
    const known = getOrMake(this.#zeros, scope, () => new Map<string, boolean | FormatError>());
    const zeros = getOrMake(known, name, () => {
      try {
        return depth <= MOST_DEPTH && this.#findZeros(name, scope, depth);
      } catch (error) {
        if (error instanceof FormatError) return error;
        throw error;
      }
    });
    if (zeros instanceof FormatError) throw zeros;
    return zeros;
  }

  /** Whether all numbers are zeros. They are looked through once, however many nodes share them. */
  allZeros({ data }: AnyTensor): boolean {
    let zeros = this.#allZeros.get(data);
    if (zeros === undefined) {
      // biome-ignore lint/suspicious/noDoubleEquals: the numbers may be bigints, and 0n == 0
      zeros = (data as Float32Array).every((number) => number == 0);
      this.#allZeros.set(data, zeros);
    }
    return zeros;
  }

  #findZeros(name: string, scope: Scope, depth: number): boolean {
    const origin = scope.find(name);
    if (origin.kind === "input") return false;
    if (origin.kind === "tensor") return this.allZeros(toTensor(origin.tensor));
    const { node, scope: home } = origin;
    if (node.domain !== "") return false;
    if (node.opType === "Constant") {
      const value = this.evaluate(origin.name, home);
      return value instanceof Tensor && this.allZeros(value);
    }
    // Until opset 8, ConstantFill did what ConstantOfShape does now.
    if (node.opType === "ConstantFill") return (home.attribute(node, "value")?.f ?? 0) === 0;
    if (node.opType === "ConstantOfShape") {
      const value = home.attribute(node, "value")?.t;
      return value === undefined || this.allZeros(toTensor(value));
    }
    if (MAKES_NUMBERS.has(node.opType)) return false;
    if (!OPERATORS.has(node.opType) && !OTHER_MOVES.has(node.opType)) return false;
    const inputs = node.opType === "Concat" ? node.inputs : node.inputs.slice(0, 1);
    return inputs.every((input) => this.isZeros(input, home, depth + 1));
  }

  *#compute(name: string, scope: Scope): Generator<Need, Value, Value> {
    const origin = scope.find(name);
    if (origin.kind === "input") return new NotConstant("is an input of the model");
    if (origin.kind === "tensor") return toTensor(origin.tensor);
    const { node, output, scope: home } = origin;
    if (home !== scope) return yield { name: origin.name, scope: home };
    const attribute = (key: string) => scope.attribute(node, key);
    const nodeLabel = () => `onnx: ${shorten(node.opType)} ${show(node.name || name)}`;
    if (node.opType === "Constant" && node.domain === "")
      return constantOf(attribute, nodeLabel, this.allowance);
    const operator = node.domain === "" ? OPERATORS.get(node.opType) : undefined;
    if (operator === undefined || (output > 0 && node.opType !== "Split")) {
      return new NotConstant(`is computed by ${shorten(node.opType)}`);
    }
    if (node.opType === "Shape") {
      const stated = this.statedShapes.get(node.inputs[0] ?? "", scope.graph);
      const sizes = stated === undefined ? undefined : sizesTensor(stated, attribute);
      if (sizes !== undefined) return sizes;
    }
    // A Split may have as many outputs as inputs, and each output asks for the inputs.
    const most = node.opType === "Concat" ? node.inputs.length : MOST_INPUTS;
    const inputs: (AnyTensor | undefined)[] = [];
    for (const input of node.inputs.slice(0, most)) {
      const value: Value | undefined = input === "" ? undefined : yield { name: input, scope };
      if (value instanceof NotConstant) return value;
      inputs.push(value);
    }
    let axes = 0;
    for (const input of inputs) axes += input?.shape.length ?? 0;
    this.allowance.spendNode(axes);
    const spend = (bytes: number) => this.allowance.spend(bytes);
    const [label, outputCount] = [nodeLabel(), node.outputs.length];
    const result = operator({ inputs, attribute, output, outputCount, label, spend });
    return typeof result === "string" ? new NotConstant(result) : result;
  }
}

/** The value of a Constant node, unless it is made of strings or sparse. `label` is what messages call it. */
export function constantOf(
  attribute: (name: string) => Attribute | undefined,
  label: () => string,
  allowance: Allowance,
): AnyTensor | NotConstant {
  const value = attribute("value")?.t;
  if (value !== undefined) return toTensor(value);
  allowance.spendTensor(0, 0);
  const [float, int] = [attribute("value_float")?.f, attribute("value_int")?.i];
  if (float !== undefined) return new Tensor(Float32Array.of(float), []);
  if (int !== undefined) return new Tensor(int64s([int], label), []);
  const [floats, ints] = [attribute("value_floats")?.floats, attribute("value_ints")?.ints];
  allowance.spend(4 * (floats?.length ?? 0) + 8 * (ints?.length ?? 0));
  if (floats !== undefined) return new Tensor(new Float32Array(floats), [floats.length]);
  if (ints !== undefined) return new Tensor(int64s(ints, label), [ints.length]);
  return new NotConstant("is a constant without numbers");
}

/** Bigints are slow to make, and slower than a buffer only beyond some numbers. */
const FEW = 8;

/** Of the numbers beyond 2^53 exporters write the least and the largest, as ends of slices. Its nearest float is 2^63. */
function int64s(numbers: readonly number[], label: () => string): BigInt64Array {
  const halves = new Int32Array(numbers.length > FEW ? 2 * numbers.length : 0);
  const few = numbers.length > FEW ? undefined : new BigInt64Array(numbers.length);
  for (let at = 0; at < numbers.length; at++) {
    const number = numbers[at]!;
    const isLargest = number === 2 ** 63;
    if (!Number.isSafeInteger(number) && !isLargest && number !== -(2 ** 63)) {
      throw new FormatError(`${label()}: ${number} is out of range`);
    }
    if (few !== undefined) few[at] = BigInt(number) - (isLargest ? 1n : 0n);
    else {
      halves[2 * at] = isLargest ? -1 : number;
      halves[2 * at + 1] = Math.floor(number / 2 ** 32) - (isLargest ? 1 : 0);
    }
  }
  return few ?? new BigInt64Array(halves.buffer);
}
