/** One call of a layer: what a layer family is given, with checks that name the layer. */

import { FormatError, unsupported } from "../../formats/bytes.js";
import { field, flag, type KerasConfig, type LayerConfig } from "../../formats/keras/config.js";
import type { KerasLayer } from "../../formats/keras/layers.js";
import type { KerasVersion } from "../../formats/keras/version.js";
import { show, showShape } from "../../tensor/checks.js";
import type { StateDict, Tensor } from "../../tensor/tensor.js";
import type { GraphBuilder } from "./builder.js";
import { type KerasTensor, showOpen, withMask } from "./tensor.js";
import type { TfjsMasks } from "./tfjs-masks.js";

/** What a call is given: tensors, in lists and maps as Keras' call had them, and plain values. */
export type Argument =
  | KerasTensor
  | readonly Argument[]
  | ReadonlyMap<string, Argument>
  | string
  | number
  | boolean
  | null;

/** What a layer makes of its inputs, in the order in which Keras gives it. */
export type LayerFunction = (call: LayerCall) => readonly KerasTensor[];

/** Layer functions by the names of classes. */
export type LayerTable = Readonly<Record<string, LayerFunction>>;

/** What calls of all layers have in common. */
export interface LayerContext {
  readonly builder: GraphBuilder;
  readonly version: KerasVersion;
  /** Where masks are as TensorFlow.js has them. */
  readonly tfjs: TfjsMasks | undefined;
  /** A layer, or a model, within a wrapper. Its weights are the wrapper's. */
  run(layer: LayerConfig, call: LayerCall, input: KerasTensor): readonly KerasTensor[];
}

/** What the file has for a layer. */
export type LayerWeights = Pick<KerasLayer, "weights" | "recurrent" | "parts"> & {
  /** The words of a layer that looks them up, one on each line, where the file has them beside its weights. */
  readonly vocabulary?: string | undefined;
  /** Why it has no equal here, where the reader says so. */
  readonly problem?: string | undefined;
};

export interface CallArguments {
  /** As they stand in the call: for most layers one tensor, or one list of them. */
  readonly args: readonly Argument[];
  readonly kwargs: ReadonlyMap<string, Argument>;
}

export const isTensor = (value: Argument | undefined): value is KerasTensor =>
  typeof value === "object" && value !== null && "time" in value;

/** All tensors in an argument, in their order. */
export function tensorsIn(argument: Argument | undefined): readonly KerasTensor[] {
  if (typeof argument !== "object" || argument === null) return [];
  if (isTensor(argument)) return [argument];
  return [...argument.values()].flatMap(tensorsIn);
}

/** Keras 3 gives masks by keyword: one, or one for each input. */
function withMasks(
  builder: GraphBuilder,
  inputs: readonly KerasTensor[],
  given: Argument | undefined,
): readonly KerasTensor[] {
  const masks = isTensor(given) ? [given] : Array.isArray(given) ? (given as readonly Argument[]) : [];
  return inputs.map((input, at) => {
    const mask = masks[at];
    return isTensor(mask) ? withMask(input, builder.mask(mask.value, mask.shape.length)) : input;
  });
}

export class LayerCall {
  /** All tensors among the arguments, in their order. Those of keywords are not among them. */
  readonly inputs: readonly KerasTensor[];
  readonly #arguments: CallArguments;

  constructor(
    readonly layer: LayerConfig,
    given: CallArguments,
    readonly file: LayerWeights,
    readonly context: LayerContext,
    /** Whether it is within a wrapper, whose batch is another. */
    readonly isWrapped = false,
  ) {
    this.#arguments = given;
    this.inputs = withMasks(context.builder, given.args.flatMap(tensorsIn), given.kwargs.get("mask"));
  }

  /** `outer/inner` in a nested model. */
  get name(): string {
    return this.layer.name;
  }

  get className(): string {
    return this.layer.className;
  }

  get config(): KerasConfig {
    return this.layer.config;
  }

  get builder(): GraphBuilder {
    return this.context.builder;
  }

  get version(): KerasVersion {
    return this.context.version;
  }

  get weights(): StateDict {
    return this.file.weights;
  }

  get args(): readonly Argument[] {
    return this.#arguments.args;
  }

  get kwargs(): ReadonlyMap<string, Argument> {
    return this.#arguments.kwargs;
  }

  /** What messages call the layer. */
  get place(): string {
    return `layer ${show(this.name)} (${this.className})`;
  }

  /** What the file may hold and is not supported. */
  refuse(reason: string): never {
    throw unsupported(`keras: ${this.place}: ${reason}`);
  }

  /** What is wrong in the file. */
  broken(problem: string): never {
    throw new FormatError(`keras: ${this.place}: ${problem}`);
  }

  /** Says that a step of time cannot be computed alone. The first layer that says so is named. */
  notStreamable(reason: string): void {
    if (!this.builder.stateful) this.builder.notStreamable ??= `${this.place}: ${reason}`;
  }

  /** What the layer gives, marked where it is of the last step. Nothing joins such a tensor with all steps in a stream. */
  marked(outputs: readonly KerasTensor[]): readonly KerasTensor[] {
    const given = [...this.args, ...this.kwargs.values()].flatMap(tensorsIn);
    const isOfLast = given.some((tensor) => tensor.ofLast);
    const isTimed = given.some((tensor) => tensor.time);
    if (isOfLast && isTimed) this.notStreamable("it joins the last step of time with all steps");
    if (!isOfLast && !isTimed) return outputs;
    return outputs.map((output) => (output.time ? output : { ...output, ofLast: true }));
  }

  input(at = 0): KerasTensor {
    return this.inputs[at] ?? this.broken(`expected at least ${at + 1} inputs, got ${this.inputs.length}`);
  }

  /** The only input, of so many axes where these are given. */
  only(rank?: number): KerasTensor {
    if (this.inputs.length !== 1) this.refuse(`${this.inputs.length} inputs are not supported`);
    return this.ranked(this.input(), rank);
  }

  ranked(tensor: KerasTensor, rank: number | undefined): KerasTensor {
    const { length } = tensor.shape;
    if (rank !== undefined && length !== rank)
      this.broken(`expected an input of ${rank} axes, got ${length}`);
    return tensor;
  }

  /** The size of an axis, which must be known before the run. */
  size(tensor: KerasTensor, axis: number): number {
    const size = tensor.shape.at(axis);
    return size ?? this.refuse(`axis ${axis} of its input is open: ${showOpen(tensor.shape)}`);
  }

  /** Sizes as a Reshape takes them, of which one may be open. */
  reshaped(sizes: KerasTensor["shape"]): number[] {
    if (sizes.filter((size) => size === null).length > 1)
      this.refuse(`several open axes, ${showOpen(sizes)}, are not supported`);
    return sizes.map((size) => size ?? -1);
  }

  /** The tensor of a keyword; undefined where there is none. */
  keyword(name: string): KerasTensor | undefined {
    const value = this.kwargs.get(name);
    return isTensor(value) ? value : undefined;
  }

  /** Which steps of an input count. @throws FormatError for a mask of steps within steps, which few layers take */
  maskOf({ mask }: KerasTensor): KerasTensor["mask"] {
    const axes = mask === undefined ? 2 : this.builder.maskAxes(mask);
    return axes === 2 ? mask : this.refuse(`a mask of ${axes} axes is not supported`);
  }

  /** A weight by the last part of its name, or by its place where the file numbers them. */
  weight(name: string, at = 0): Tensor {
    return this.optional(name, at) ?? this.missing(name);
  }

  private missing(name: string): never {
    if (this.weights.size > 0) this.broken(`weight ${name} is missing`);
    return this.refuse("the file has no weights for it; build the model, then save it");
  }

  optional(name: string, at = 0): Tensor | undefined {
    const numbered = this.weights.has("0") ? this.weights.get(String(at)) : undefined;
    const tensor = this.weights.get(name) ?? numbered;
    if (tensor !== undefined && !(tensor.data instanceof Float32Array)) {
      this.refuse(`weight ${name} of ${tensor.dtype} is not supported`);
    }
    return tensor as Tensor | undefined;
  }

  /** A weight of this shape; -1 is any size. */
  shaped(name: string, shape: readonly number[], at = 0): Tensor {
    return this.checked(name, this.weight(name, at), shape);
  }

  /** A weight that was found already, which must be of this shape. */
  checked(name: string, tensor: Tensor, shape: readonly number[]): Tensor {
    const fits =
      tensor.shape.length === shape.length &&
      shape.every((size, axis) => size < 0 || size === tensor.shape[axis]);
    if (!fits) {
      const expected = `[${shape.map((size) => (size < 0 ? "?" : size)).join(", ")}]`;
      this.broken(`weight ${name}: expected shape ${expected}, got ${showShape(tensor.shape)}`);
    }
    return tensor;
  }

  field(key: string): unknown {
    return field(this.config, key);
  }

  flag(key: string, usual = false): boolean {
    return flag(this.config, key, this.place, usual);
  }

  number(key: string, usual: number): number {
    const value = this.field(key) ?? usual;
    if (typeof value !== "number" || Number.isNaN(value)) {
      this.broken(`${key}: expected a number, got ${show(value)}`);
    }
    return value;
  }

  /** @param least  the smallest that is allowed */
  integer(key: string, usual: number | undefined, least: number): number {
    const value = this.field(key) ?? usual;
    if (!Number.isSafeInteger(value) || (value as number) < least) {
      this.broken(`${key}: expected an integer from ${least} on, got ${show(value)}`);
    }
    return value as number;
  }

  /** One integer for each of `count` axes; one alone is that of all. */
  integers(key: string, count: number, usual: number, least = 1): readonly number[] {
    const value = this.field(key) ?? usual;
    const list = Array.isArray(value) ? value : Array.from({ length: count }, () => value);
    if (list.length !== count || !list.every((one) => Number.isSafeInteger(one) && one >= least)) {
      this.broken(`${key}: expected ${count} integers from ${least} on, got ${show(value)}`);
    }
    return list;
  }

  /** One of these words. */
  word<Word extends string>(key: string, words: readonly Word[], usual: Word): Word {
    const value = this.field(key) ?? usual;
    if (!words.includes(value as Word)) {
      this.refuse(`${key}: ${show(value)} is not supported; expected ${words.map(show).join(", ")}`);
    }
    return value as Word;
  }

  /** A tensor of this layer's. */
  tensor(
    value: KerasTensor["value"],
    shape: KerasTensor["shape"],
    rest: Partial<KerasTensor> = {},
  ): KerasTensor {
    return { value, shape, dtype: "float32", time: false, ...rest };
  }
}
