/** The tensors of one layer of a state dict, and what is wrong with them. */

import { sameShape, showShape } from "../tensor/checks.js";
import type { TensorData } from "../tensor/like.js";
import type { Tensor } from "../tensor/tensor.js";

export type Tensors = ReadonlyMap<string, Tensor<TensorData>>;

/** Problems that are told of one layer: it may have thousands of tensors. */
const MOST_PROBLEMS = 100;

export class ModuleTensors {
  readonly prefix: string;
  /** Numbers in all tensors that were expected. */
  parameters = 0;
  /** The names that were expected, after the prefix. */
  readonly names = new Set<string>();
  readonly #problems: string[] = [];
  readonly #dict: Tensors;
  readonly #reasons: ReadonlyMap<string, string>;

  /** @param reasons by the names of tensors that the reader skipped */
  constructor(dict: Tensors, reasons: ReadonlyMap<string, string>, prefix: string) {
    this.#dict = dict;
    this.#reasons = reasons;
    this.prefix = prefix;
  }

  /** All that is wrong. */
  get problem(): string | undefined {
    return this.#problems.length === 0 ? undefined : this.#problems.join("; ");
  }

  /** Whether the layer has it, be it that the reader skipped it. */
  has(name: string): boolean {
    return this.#dict.has(this.prefix + name) || this.#reasons.has(this.prefix + name);
  }

  get(name: string): Tensor<TensorData> | undefined {
    return this.#dict.get(this.prefix + name);
  }

  blame(name: string, what: string): void {
    this.#blame(`${this.prefix}${name}: ${what}`);
  }

  unexpected(name: string): void {
    this.#blame(`unexpected ${this.prefix}${name}`);
  }

  /** Says that a tensor is not there, and why if the reader skipped it. */
  lack(name: string): void {
    const reason = this.#reasons.get(this.prefix + name);
    if (reason === undefined) this.#blame(`missing ${this.prefix}${name}`);
    else this.blame(name, reason);
  }

  /** A tensor that the layer cannot do without. */
  expect(name: string, shape: readonly number[]): void {
    const tensor = this.#expect(name, shape);
    if (tensor?.data instanceof Int8Array) this.blame(name, "expected float numbers, got int8");
  }

  /** The same of a matrix, which may be int8 with a scale for each row. */
  expectMatrix(name: string, shape: readonly number[]): void {
    const tensor = this.#expect(name, shape);
    const scale = `${name}_scale`;
    if (tensor?.data instanceof Int8Array) this.#expect(scale, [shape[0]!]);
    else if (this.has(scale)) this.blame(name, `expected an Int8Array beside ${this.prefix}${scale}`);
  }

  #expect(name: string, shape: readonly number[]): Tensor<TensorData> | undefined {
    const tensor = this.get(name);
    this.names.add(name);
    if (tensor === undefined) {
      this.lack(name);
      return undefined;
    }
    if (!sameShape(tensor.shape, shape))
      this.blame(name, `expected shape ${showShape(shape)}, got ${showShape(tensor.shape)}`);
    this.parameters += tensor.data.length;
    return tensor;
  }

  #blame(problem: string): void {
    if (this.#problems.length < MOST_PROBLEMS) this.#problems.push(problem);
  }
}
