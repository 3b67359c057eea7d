/**
 * The values of weights that pass through nodes on their way to a layer. Exporters reorder gates with Slice
 * and Concat at run time. A value is constant if it comes from an initializer or a Constant through the
 * operators of operators.ts. For any other value, the evaluator says why it is not constant.
 */

import { show } from "../../tensor/checks.js";
import { Tensor } from "../../tensor/tensor.js";
import { allowedBytes } from "../allowance.js";
import { FormatError } from "../bytes.js";
import { getOrMake } from "../get-or-make.js";
import type { Attribute } from "./model-proto.js";
import { type AnyTensor, OPERATORS } from "./operators.js";
import type { Scope } from "./scope.js";
import { toTensor } from "./tensor-proto.js";

/** Nodes between a weight and its layer. Silero's exporter puts 3. */
const MOST_DEPTH = 200;

/**
 * Operators that are not evaluated. Like those of operators.ts they move or repeat the numbers of their first
 * input, and make no others.
 */
const OTHER_MOVES = new Set(["Expand", "Gather", "Tile"]);

/** Why a value is not constant: "is an input of the model", "is computed by MatMul". */
export class NotConstant {
  constructor(readonly reason: string) {}
}

/**
 * Evaluates each value once. All of them together stay within an allowance, since nodes may repeat their
 * input.
 */
export class Constants {
  readonly #known = new Map<Scope, Map<string, AnyTensor | NotConstant>>();
  readonly #zeros = new Map<Scope, Map<string, boolean>>();
  #bytesLeft: number;

  constructor(fileBytes: number) {
    this.#bytesLeft = allowedBytes(fileBytes);
  }

  /** @throws FormatError for a value that is broken */
  evaluate(name: string, scope: Scope, depth = 0): AnyTensor | NotConstant {
    if (depth > MOST_DEPTH) {
      throw new FormatError(`onnx: value ${show(name)} passes through more than ${MOST_DEPTH} nodes`);
    }
    const known = getOrMake(this.#known, scope, () => new Map<string, AnyTensor | NotConstant>());
    return getOrMake(known, name, () => this.#compute(name, scope, depth));
  }

  /**
   * Whether a value is all zeros, even if it is not constant. Exporters make initial states so: zeros whose
   * shape is known only at run time.
   */
  isZeros(name: string, scope: Scope, depth = 0): boolean {
    const known = getOrMake(this.#zeros, scope, () => new Map<string, boolean>());
    return getOrMake(known, name, () => depth <= MOST_DEPTH && this.#findZeros(name, scope, depth));
  }

  #findZeros(name: string, scope: Scope, depth: number): boolean {
    const origin = scope.find(name);
    if (origin.kind === "input") return false;
    if (origin.kind === "tensor") return allZeros(toTensor(origin.tensor));
    const { node, scope: home } = origin;
    if (node.domain !== "") return false;
    if (node.opType === "Constant") {
      const value = this.evaluate(origin.name, home, depth);
      return value instanceof Tensor && allZeros(value);
    }
    // Until opset 8, ConstantFill did what ConstantOfShape does now.
    if (node.opType === "ConstantFill") return (home.attribute(node, "value")?.f ?? 0) === 0;
    if (node.opType === "ConstantOfShape") {
      const value = home.attribute(node, "value")?.t;
      return value === undefined || allZeros(toTensor(value));
    }
    if (!OPERATORS.has(node.opType) && !OTHER_MOVES.has(node.opType)) return false;
    const inputs = node.opType === "Concat" ? node.inputs : node.inputs.slice(0, 1);
    return inputs.every((input) => this.isZeros(input, home, depth + 1));
  }

  #compute(name: string, scope: Scope, depth: number): AnyTensor | NotConstant {
    const origin = scope.find(name);
    if (origin.kind === "input") return new NotConstant("is an input of the model");
    if (origin.kind === "tensor") return this.#pay(toTensor(origin.tensor));
    const { node, scope: home } = origin;
    if (home !== scope) return this.evaluate(origin.name, home, depth + 1);
    const attribute = (key: string) => scope.attribute(node, key);
    const label = `onnx: ${node.opType} ${show(node.name || name)}`;
    if (node.opType === "Constant" && node.domain === "") {
      // Paid before it is made: its last number may be refused, and that again in every call of a function.
      this.#spend(8 * (attribute("value_ints")?.ints.length ?? 0));
      const constant = constantOf(attribute, label);
      return constant instanceof Tensor ? this.#pay(constant) : constant;
    }
    const operator = node.domain === "" ? OPERATORS.get(node.opType) : undefined;
    const output = node.outputs.indexOf(name);
    if (operator === undefined || (output > 0 && node.opType !== "Split")) {
      return new NotConstant(`is computed by ${node.opType}`);
    }
    const inputs: (AnyTensor | undefined)[] = [];
    for (const input of node.inputs) {
      const value = input === "" ? undefined : this.evaluate(input, scope, depth + 1);
      if (value instanceof NotConstant) return value;
      inputs.push(value);
    }
    const checkAllowance = (bytes: number) => this.#checkAllowance(bytes);
    const outputCount = node.outputs.length;
    const result = operator({ inputs, attribute, output, outputCount, label, checkAllowance });
    return typeof result === "string" ? new NotConstant(result) : this.#pay(result);
  }

  #pay(tensor: AnyTensor): AnyTensor {
    this.#spend(tensor.data.byteLength);
    return tensor;
  }

  #spend(bytes: number): void {
    this.#checkAllowance(bytes);
    this.#bytesLeft -= bytes;
  }

  #checkAllowance(bytes: number): void {
    if (bytes > this.#bytesLeft) {
      throw new FormatError("onnx: constants take more memory than a file of this size may");
    }
  }
}

/** The value of a Constant node, unless it is made of strings or sparse. */
export function constantOf(
  attribute: (name: string) => Attribute | undefined,
  label: string,
): AnyTensor | NotConstant {
  const value = attribute("value")?.t;
  if (value !== undefined) return toTensor(value);
  const [float, int] = [attribute("value_float")?.f, attribute("value_int")?.i];
  if (float !== undefined) return new Tensor(Float32Array.of(float), []);
  if (int !== undefined) return new Tensor(BigInt64Array.of(toBigInt(int, label)), []);
  const [floats, ints] = [attribute("value_floats")?.floats, attribute("value_ints")?.ints];
  if (floats !== undefined) return new Tensor(Float32Array.from(floats), [floats.length]);
  if (ints !== undefined) {
    return new Tensor(
      BigInt64Array.from(ints, (value) => toBigInt(value, label)),
      [ints.length],
    );
  }
  return new NotConstant("is a constant without numbers");
}

/** Whether all numbers are zeros. */
export function allZeros({ data }: AnyTensor): boolean {
  // biome-ignore lint/suspicious/noDoubleEquals: the numbers may be bigints, and 0n == 0
  return (data as Float32Array).every((number) => number == 0);
}

function toBigInt(value: number, label: string): bigint {
  if (!Number.isSafeInteger(value)) throw new FormatError(`${label}: ${value} is out of range`);
  return BigInt(value);
}
