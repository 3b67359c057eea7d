/**
 * Golden vectors from PyTorch: goldenCases() gives a module's cases, expectClose() compares a result with the truth.
 * golden/make.py made them; its Draws is the generator below, bit for bit, and golden/data.test.ts proves it.
 */

import { readFileSync } from "node:fs";
import { Tensor } from "../../src/tensor/tensor.js";

/** What PyTorch gave for one tensor: float64 results at some positions of it (all, when it is small). */
export interface Golden {
  readonly shape: readonly number[];
  /** The largest error of PyTorch's float32 over the whole tensor. */
  readonly float32Error: number;
  /** How many elements of the whole tensor are NaN or infinite. */
  readonly nonFinite: number;
  /** Flat positions in ascending order, the first and the last always among them. */
  readonly indices: Int32Array;
  /** The float64 result at each of `indices`. */
  readonly truth: Float64Array;
}

interface CellOptions {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly bias?: boolean;
}

interface StackOptions extends CellOptions {
  readonly numLayers?: number;
  readonly batchFirst?: boolean;
  readonly dropout?: number;
  readonly bidirectional?: boolean;
}

interface Nonlinearity {
  readonly nonlinearity?: "tanh" | "relu";
}

interface Case<Module extends string, Options, Expected extends string> {
  readonly name: string;
  readonly module: Module;
  /** As the constructor takes them; an option that is not given has PyTorch's default. */
  readonly options: Options;
  readonly stateDict: Map<string, Tensor>;
  readonly input: Tensor;
  readonly expected: Readonly<Record<Expected, Golden>>;
}

interface RecurrentCase<Module extends string, Options, State, Expected extends string>
  extends Case<Module, Options, Expected> {
  readonly state?: State;
}

interface StackCase<Module extends string, Options, State, Expected extends string>
  extends RecurrentCase<Module, Options, State, Expected> {
  /** One length per batch row; the input past it is NaN. */
  readonly lengths?: readonly number[];
}

interface Conv1dOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: number;
  readonly stride?: number;
  readonly padding?: number | "same" | "valid";
  readonly dilation?: number;
  readonly groups?: number;
  readonly bias?: boolean;
  readonly paddingMode?: "zeros" | "reflect";
}

interface MaxPool1dOptions {
  readonly kernelSize: number;
  readonly stride?: number;
  readonly padding?: number;
  readonly dilation?: number;
  readonly ceilMode?: boolean;
}

interface LayerNormOptions {
  readonly normalizedShape: number | readonly number[];
  readonly eps?: number;
  readonly elementwiseAffine?: boolean;
  readonly bias?: boolean;
}

interface GroupNormOptions {
  readonly numGroups: number;
  readonly numChannels: number;
  readonly eps?: number;
  readonly affine?: boolean;
  readonly bias?: boolean;
}

type EmbeddingOptions = { numEmbeddings: number; embeddingDim: number; paddingIdx?: number };

/** The cases by module. Absent `state` and `lengths` are not properties of a case. */
export type GoldenCase =
  | StackCase<"LSTM", StackOptions & { projSize?: number }, [Tensor, Tensor], "output" | "hN" | "cN">
  | StackCase<"GRU", StackOptions, Tensor, "output" | "hN">
  | StackCase<"RNN", StackOptions & Nonlinearity, Tensor, "output" | "hN">
  | RecurrentCase<"LSTMCell", CellOptions, [Tensor, Tensor], "hN" | "cN">
  | RecurrentCase<"GRUCell", CellOptions, Tensor, "hN">
  | RecurrentCase<"RNNCell", CellOptions & Nonlinearity, Tensor, "hN">
  | Case<"Linear", { inFeatures: number; outFeatures: number; bias?: boolean }, "output">
  | Case<"Conv1d", Conv1dOptions, "output">
  | Case<"ReLU", object, "output">
  | Case<"Sigmoid", object, "output">
  | Case<"Tanh", object, "output">
  | Case<"Softmax", { dim: number }, "output">
  | Case<"LogSoftmax", { dim: number }, "output">
  | Case<"LeakyReLU", { negativeSlope?: number }, "output">
  | Case<"ELU", { alpha?: number }, "output">
  | Case<"MaxPool1d", MaxPool1dOptions, "output">
  | Case<"LayerNorm", LayerNormOptions, "output">
  | Case<"GroupNorm", GroupNormOptions, "output">
  | Case<"Sequential", { members: readonly [name: string, options: object][] }, "output">
  | (Omit<Case<"Embedding", EmbeddingOptions, "output">, "input"> & { readonly input: Tensor<Int32Array> });

export type GoldenModule = GoldenCase["module"];

/** A line of cases.json. */
interface Entry {
  name: string;
  module: GoldenModule;
  options: Record<string, unknown>;
  inputShape: number[];
  states?: boolean;
  lengths?: number[];
  weightScale: number;
  inputScale?: number;
  hScale?: number;
  cScale?: number;
  inputSpecial?: Special[];
  hSpecial?: Special[];
  cSpecial?: Special[];
  parameters: Record<string, number[]>;
  seed: number;
  /** Of the drawn numbers: see drawnNumbers. */
  checksum: string;
  expected: Record<string, { shape: number[]; float32Error: number; nonFinite: number }>;
}

/** A flat position and "NaN", "Infinity" or "-Infinity", which JSON's numbers lack. */
type Special = [position: number, value: string];

const file = (name: string) => readFileSync(new URL(`../golden/${name}`, import.meta.url));
const index: { limit: number; leastTolerance: number; cases: Entry[] } = JSON.parse(
  file("cases.json").toString(),
);
// Copied, since a Buffer may lie at an address that is not a multiple of 8.
const truth = new Float64Array(new Uint8Array(file("truth.bin")).buffer);

/** splitmix32 by its upper 24 bits, as in make.py; kept apart from src/tensor/random.ts, since the files depend on each bit. */
class Draws {
  #counter: number;

  constructor(seed: number) {
    this.#counter = seed;
  }

  /** An integer in [0, 2^24). */
  integer(): number {
    this.#counter = (this.#counter + 0x9e3779b9) | 0;
    let bits = Math.imul(this.#counter ^ (this.#counter >>> 16), 0x21f0aaad);
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
    return (bits ^ (bits >>> 15)) >>> 8;
  }

  /** float32 in [-scale, scale): one product in float64, rounded once. */
  tensor(shape: readonly number[], scale: number): Tensor {
    const tensor = Tensor.zeros(shape);
    for (let at = 0; at < tensor.data.length; at++) {
      tensor.data[at] = ((this.integer() - 2 ** 23) / 2 ** 23) * scale;
    }
    return tensor;
  }

  /** All positions of a small tensor; of a large one the first, the last, and one from each of `limit` equal parts. */
  positions(size: number): Int32Array {
    if (size <= index.limit) return Int32Array.from({ length: size }, (_, at) => at);
    const bound = (part: number) => Math.floor((part * size) / index.limit);
    const positions = Int32Array.from(
      { length: index.limit },
      (_, part) => bound(part) + (this.integer() % (bound(part + 1) - bound(part))),
    );
    positions[0] = 0;
    positions[index.limit - 1] = size - 1;
    return positions;
  }
}

/** One module's cases; tensors are made anew by each call. */
export function goldenCases<Module extends GoldenModule>(
  module: Module,
): Extract<GoldenCase, { module: Module }>[] {
  const cases: GoldenCase[] = [];
  let offset = 0; // in `truth`, where every result follows the one before it
  for (const entry of index.cases) {
    if (entry.module === module) cases.push(makeCase(entry, offset));
    for (const { shape } of Object.values(entry.expected)) offset += Math.min(product(shape), index.limit);
  }
  if (offset !== truth.length) throw new Error(`truth.bin: expected ${offset} numbers, got ${truth.length}`);
  return cases as Extract<GoldenCase, { module: Module }>[];
}

/** The committed checksum of each case's parameters, input and states, by the case's name. */
export function goldenChecksums(): Map<string, string> {
  return new Map(index.cases.map(({ name, checksum }) => [name, checksum]));
}

/** Draws a case in make.py's order: parameters, input, h0, c0, then the positions of each result. */
function makeCase(entry: Entry, offset: number): GoldenCase {
  const draws = new Draws(entry.seed);
  const { name, module, options } = entry;
  const stateDict = new Map(
    Object.entries(entry.parameters).map(([key, shape]) => [key, draws.tensor(shape, entry.weightScale)]),
  );
  const rows = embeddings(entry);
  const given = rows === undefined ? drawArguments(entry, draws) : drawRows(entry, rows, draws);
  const expected = Object.fromEntries(
    Object.entries(entry.expected).map(([key, result]) => {
      const indices = draws.positions(product(result.shape));
      const golden = { ...result, indices, truth: truth.slice(offset, offset + indices.length) };
      offset += indices.length;
      return [key, golden];
    }),
  );
  // The shape of the case follows the module, and make.py is what pairs them.
  return { name, module, options, stateDict, ...given, expected } as unknown as GoldenCase;
}

function drawArguments(entry: Entry, draws: Draws) {
  const { options, inputShape, lengths } = entry;
  const input = draws.tensor(inputShape, entry.inputScale ?? 1);
  place(input, entry.inputSpecial);
  lengths?.forEach((length, row) => {
    const [width, rows, steps] = [inputShape[2]!, inputShape[1]!, inputShape[options.batchFirst ? 1 : 0]!];
    for (let step = length; step < steps; step++) {
      const start = (options.batchFirst ? row * steps + step : step * rows + row) * width;
      input.data.fill(Number.NaN, start, start + width);
    }
  });
  let state: Tensor | [Tensor, Tensor] | undefined;
  if (entry.states) {
    const h0 = draws.tensor(stateShape(entry, "hN"), entry.hScale ?? 1);
    place(h0, entry.hSpecial);
    state = h0;
    if (entry.expected.cN) {
      const c0 = draws.tensor(stateShape(entry, "cN"), entry.cScale ?? 1);
      place(c0, entry.cSpecial);
      state = [h0, c0];
    }
  }
  return { input, ...(state && { state }), ...(lengths && { lengths }) };
}

/** An initial state has the final one's shape. */
function stateShape(entry: Entry, key: "hN" | "cN"): number[] {
  return entry.expected[key]!.shape;
}

/** Rows of the table where the case takes indices. */
function embeddings({ module, options }: Entry): number | undefined {
  const [name, given] =
    module === "Sequential"
      ? (options.members as [string, Record<string, unknown>][])[0]!
      : ([module, options] as const);
  return name === "Embedding" ? (given.numEmbeddings as number) : undefined;
}

function drawRows({ inputShape }: Entry, rows: number, draws: Draws) {
  const data = new Int32Array(product(inputShape)).map(() => draws.integer() % rows);
  return { input: new Tensor(data, inputShape) };
}

function place(tensor: Tensor, specials: Special[] = []): void {
  for (const [position, value] of specials) tensor.data[position] = Number(value);
}

function product(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}

/**
 * Passes if the shape is the truth's, every compared number is within the tolerance, NaN and infinities are where the
 * truth has them, and the whole tensor has as many of them. The tolerance is, unless given, twice PyTorch's own float32
 * error or 2e-6, whichever is larger.
 * @throws Error naming `name`, the position, the expected and the actual number, and the tolerance.
 */
export function expectClose(
  name: string,
  actual: { readonly data: Float32Array | Float64Array; readonly shape: readonly number[] },
  golden: Golden,
  tolerance = Math.max(2 * golden.float32Error, index.leastTolerance),
): void {
  const { data, shape } = actual;
  if (shape.length !== golden.shape.length || shape.some((length, axis) => length !== golden.shape[axis])) {
    throw new Error(`${name}: expected shape [${golden.shape}], got [${shape}]`);
  }
  if (data.length !== product(golden.shape)) {
    throw new Error(`${name}: expected ${product(golden.shape)} numbers, got ${data.length}`);
  }
  golden.indices.forEach((position, at) => {
    const expected = golden.truth[at]!;
    const got = data[position]!;
    const isClose = Number.isFinite(expected)
      ? Math.abs(got - expected) <= tolerance
      : Object.is(got, expected);
    if (!isClose) {
      const place = `[${unravel(position, golden.shape)}] (flat ${position})`;
      const off = Number.isFinite(expected) ? `, off by ${Math.abs(got - expected)}` : "";
      throw new Error(`${name}${place}: expected ${expected}, got ${got}${off}, tolerance ${tolerance}`);
    }
  });
  let nonFinite = 0;
  for (const number of data) if (!Number.isFinite(number)) nonFinite++;
  if (nonFinite !== golden.nonFinite) {
    throw new Error(`${name}: expected ${golden.nonFinite} NaN or infinite elements, got ${nonFinite}`);
  }
}

function unravel(position: number, shape: readonly number[]): number[] {
  const place: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    place.unshift(position % shape[axis]!);
    position = Math.floor(position / shape[axis]!);
  }
  return place;
}
