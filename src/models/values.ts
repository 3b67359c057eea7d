/** What users give and get as a model's inputs and outputs, and the numbers that a plan has of it. */

import { ARRAYS, type Data, type Declared, type Dtype, type HostTensor } from "../graph/ir.js";
import { elementsIn } from "../graph/shapes.js";
import { show, showShape, wrongShape, wrongType, wrongValue } from "../tensor/checks.js";
import { type AnyData, asShaped, copyFloats, type TensorData, type TensorLike } from "../tensor/like.js";
import { Tensor, tensorOf } from "../tensor/tensor.js";
import { isFloat32Array, kindOf, lengthOf } from "../tensor/typed-array.js";

/** Any typed array of numbers. */
export type NumberArray = TensorData | Float64Array;

/**
 * An input: numbers with a shape; numbers alone, where at most one of its sizes is open; or one number, where it has one
 * element.
 */
export type ModelInput = TensorLike<AnyData> | NumberArray | number | bigint | boolean | TextInput;

/** Strings with a shape, or one alone, for an input of strings. */
export type TextInput = string | { readonly data: readonly string[]; readonly shape: readonly number[] };

const EXPECTED = "a Tensor, { data, shape }, a typed array or a number";

/** The least and the largest of the integers of a type. */
const RANGES: Readonly<Partial<Record<Dtype, readonly [least: number, most: number]>>> = {
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int8: [-128, 127],
  uint8: [0, 255],
  bool: [0, 1],
};

/**
 * The numbers of an input, which are not copied where they are of the type that is asked for.
 * @throws TypeError for anything else than an input; RangeError for another shape, and for numbers that the type has not
 */
export function readInput(name: string, { dtype = "float32", shape }: Declared, value: unknown): HostTensor {
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") {
    return { dtype, shape: oneElement(name, shape), data: numbersOf(name, dtype, [value] as AnyNumbers) };
  }
  if (kindOf(value) !== undefined) {
    const data = ofType(dtype, value as NumberArray) ?? numbersOf(name, dtype, value as NumberArray);
    return { dtype, shape: openShape(name, shape, value as NumberArray), data };
  }
  if (typeof value !== "object" || value === null) throw wrongType(name, EXPECTED, value);
  const given = asShaped(value, name, anyNumbers);
  checkDeclared(name, shape, given.shape);
  const data = ofType(dtype, given.data) ?? numbersOf(`${name}.data`, dtype, given.data);
  return { dtype, shape: given.shape, data };
}

/** Zeros of what is declared, with sizes by their names. A size that nothing tells is 1. */
export function zerosOf(
  { dtype = "float32", shape = [] }: Declared,
  known: ReadonlyMap<string, number>,
): HostTensor {
  const sizes = shape.map((size) =>
    typeof size === "string" ? (known.get(size) ?? 1) : size < 0 ? 1 : size,
  );
  return { dtype, shape: sizes, data: new ARRAYS[dtype](elementsIn(sizes)) };
}

type AnyNumbers = ArrayLike<number | bigint | boolean>;

function anyNumbers(data: unknown, name: string): AnyNumbers {
  if (kindOf(data) === undefined && !Array.isArray(data)) throw wrongType(`${name}.data`, "numbers", data);
  return data as AnyNumbers;
}

/** Numbers that are of the type already, which are not copied. */
function ofType(dtype: Dtype, given: AnyNumbers): Data | undefined {
  const kind = kindOf(given);
  const isOf =
    kind === "Float32Array"
      ? RANGES[dtype] === undefined
      : (dtype === "int32" && kind === "Int32Array") ||
        (dtype === "uint8" && kind === "Uint8Array") ||
        (dtype === "int8" && kind === "Int8Array");
  return isOf ? (given as unknown as Data) : undefined;
}

function numbersOf(name: string, dtype: Dtype, given: AnyNumbers): Data {
  const range = RANGES[dtype];
  if (range === undefined) {
    if (kindOf(given) === "Uint16Array" && dtype.endsWith("float16")) {
      throw wrongType(name, `numbers, and not the bits of ${dtype}`, given);
    }
    return Float32Array.from(given, (number, at) => checkNumber(`${name}[${at}]`, number));
  }
  const [least, most] = range;
  const data = new ARRAYS[dtype](given.length);
  for (let at = 0; at < data.length; at++) {
    const number = checkNumber(`${name}[${at}]`, given[at]);
    if (!(Number.isInteger(number) && number >= least && number <= most)) {
      throw wrongValue(`${name}[${at}]`, `an integer from ${least} to ${most}`, given[at]);
    }
    data[at] = number;
  }
  return data;
}

function checkNumber(name: string, value: unknown): number {
  if (typeof value !== "number" && typeof value !== "bigint" && typeof value !== "boolean") {
    throw wrongType(name, "a number", value);
  }
  return Number(value);
}

/** A shape of one element. */
function oneElement(name: string, shape: Declared["shape"]): readonly number[] {
  if (shape === undefined) return [];
  if (shape.some((size) => typeof size === "number" && size >= 0 && size !== 1)) {
    throw wrongShape(name, `numbers of shape ${showDeclared(shape)}`, "one number");
  }
  return shape.map(() => 1);
}

const isOpen = (size: number | string): boolean => typeof size === "string" || size < 0;

/** The shape of so many numbers where one size is open. */
function openShape(name: string, shape: Declared["shape"], given: NumberArray): readonly number[] {
  const length = lengthOf(given);
  if (shape === undefined) return [length];
  const open = shape.filter(isOpen).length;
  const known = elementsIn(shape.filter((size): size is number => !isOpen(size)));
  if (open > 1) {
    throw wrongType(name, `{ data, shape }, since several sizes of ${showDeclared(shape)} are open`, given);
  }
  const rest = open === 0 ? 1 : length / known;
  if (!Number.isInteger(rest) || known * rest !== length) {
    throw wrongShape(`${name}.length`, `numbers of shape ${showDeclared(shape)}`, length);
  }
  return shape.map((size) => (isOpen(size) ? rest : (size as number)));
}

/** @throws RangeError where a shape is not what the file declares of an input */
export function checkDeclared(name: string, declared: Declared["shape"], shape: readonly number[]): void {
  if (declared === undefined) return;
  let fits = declared.length === shape.length;
  for (let axis = 0; axis < shape.length && fits; axis++) {
    fits = declared[axis] === shape[axis] || isOpen(declared[axis]!);
  }
  if (!fits) throw wrongShape(`${name}.shape`, showDeclared(declared), showShape(shape));
}

/** `[batch, 576]`; a size without a name is `?`. */
export function showDeclared(shape: readonly (number | string)[]): string {
  return `[${shape.map((size) => (typeof size === "string" ? size : size < 0 ? "?" : size)).join(", ")}]`;
}

/** A result as users get it, which is their own. `shape` is frozen. */
export function ownTensor(name: string, result: HostTensor): Tensor<TensorData> {
  const { shape, data } = result;
  if (isFloat32Array(data)) return tensorOf(copyFloats(data, 0, data.length, name), shape);
  return tensorFor(result, ownNumbers(result));
}

/** The numbers of a result as users get them: int64 as bigint, others as they are. They are the caller's own. */
export function ownNumbers({ dtype, data }: HostTensor): TensorData {
  if (dtype !== "int64") return data.slice() as TensorData;
  const own = new BigInt64Array(data.length);
  fill(own, data);
  return own;
}

/** A tensor over numbers that {@link ownNumbers} gave. */
export function tensorFor({ dtype, shape }: Omit<HostTensor, "data">, data: TensorData): Tensor<TensorData> {
  return new Tensor(data, shape, dtype === "bool" ? { dtype } : undefined);
}

/** Puts the numbers of a result into those of an earlier one of its type and size. */
export function fill(own: TensorData, data: Data): void {
  if (kindOf(own) !== "BigInt64Array") {
    (own as Float32Array).set(data);
    return;
  }
  for (let at = 0; at < data.length; at++) (own as BigInt64Array)[at] = BigInt(data[at]!);
}

/** @throws TypeError that lists the names, for one that is not among them */
export function checkNames(argument: string, names: Iterable<string>, known: readonly string[]): void {
  for (const name of names) {
    if (known.includes(name)) continue;
    throw wrongType(`${argument}[${show(name)}]`, `one of the model's: ${known.map(show).join(", ")}`, name);
  }
}

/** Sets a property, whatever its name is. An assignment is faster, and right where nothing has the name. */
export function define(target: object, name: string, value: unknown): void {
  if (!(name in target)) {
    (target as Record<string, unknown>)[name] = value;
    return;
  }
  Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true });
}
