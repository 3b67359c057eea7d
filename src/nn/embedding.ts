/** Embedding: rows of a table by index. A gather does no arithmetic, so it stays in JavaScript memory. */
import { checkInteger, isArray, reading, wrongType, wrongValue } from "../tensor/checks.js";
import {
  allocateFloats,
  asShaped,
  copyFloats,
  lengthIn,
  type ParameterData,
  type StateDictLike,
} from "../tensor/like.js";
import { nested } from "../tensor/nested.js";
import { normal } from "../tensor/random.js";
import { Tensor } from "../tensor/tensor.js";
import { kindOf, lengthOf } from "../tensor/typed-array.js";
import { moduleFromDict, type Reading } from "./from-state-dict.js";
import { Module } from "./module.js";
import { integer, type Option, readOptions, sourceOf } from "./options.js";
import type { Rename } from "./rename.js";
import { type ParameterSpec, shapeOf } from "./state-dict.js";

/** Options of `Embedding`, as PyTorch's. */
export interface EmbeddingOptions {
  numEmbeddings: number;
  embeddingDim: number;
  /** Accepted for PyTorch's sake; it only matters in training. */
  paddingIdx?: number | undefined;
}

/** Nested arrays of indices. */
export type NestedIndices = number | readonly NestedIndices[];

type IndexData = ArrayLike<number> | ArrayLike<bigint>;

/** Indices: a number, (nested) arrays, an integer typed array, or `{ data, shape }` of these. */
export type Indices =
  | NestedIndices
  | Int32Array
  | Uint32Array
  | Uint8Array
  | Uint16Array
  | BigInt64Array
  | { readonly data: IndexData; readonly shape: readonly number[] }
  | { readonly data: IndexData; readonly dims: readonly number[] };

const paddingIdx: Option<number | undefined> = {
  print: (row) => `padding_idx=${row}`,
  check: (_, value) => value as number | undefined, // against numEmbeddings, below
};

/** 2 GB of float32. Some engines have no longer arrays; to fill one takes a quarter of a minute. */
const MOST_NUMBERS = 2 ** 29;

const embeddingOptions = () => ({
  numEmbeddings: integer(1, undefined, MOST_NUMBERS),
  embeddingDim: integer(1, undefined, MOST_NUMBERS),
  paddingIdx,
});

const READING: Reading = {
  options: embeddingOptions,
  untold: [],
  told: ({ entries, prefix }) => {
    const [numEmbeddings, embeddingDim] = shapeOf(entries, "weight", 2, prefix);
    return { numEmbeddings, embeddingDim };
  },
};

export class Embedding extends Module {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "Embedding";
  declare readonly numEmbeddings: number;
  declare readonly embeddingDim: number;
  /** Counted from the first row, also where it was given from the last. */
  declare readonly paddingIdx: number | undefined;
  readonly #weight: Float32Array;

  /**
   * Weights begin as PyTorch's: standard normal, the row of `paddingIdx` zero.
   * @throws TypeError or RangeError for an option that is unknown or out of range.
   */
  constructor(options: EmbeddingOptions) {
    const {
      numEmbeddings: rows,
      embeddingDim: columns,
      paddingIdx,
    } = readOptions(embeddingOptions(), options);
    if (paddingIdx !== undefined) checkInteger("paddingIdx", paddingIdx, -rows, rows - 1);
    const size = rows * columns;
    if (size > MOST_NUMBERS) {
      throw wrongValue("numEmbeddings * embeddingDim", "numbers that fit in memory", size);
    }
    const weight = allocateFloats(size, "numEmbeddings * embeddingDim");
    const row = paddingIdx !== undefined && paddingIdx < 0 ? paddingIdx + rows : paddingIdx;
    super({ numEmbeddings: rows, embeddingDim: columns, paddingIdx: row }, embeddingOptions);
    this.#weight = weight;
    if (sourceOf(options) === undefined) {
      const next = normal();
      for (let at = 0; at < this.#weight.length; at++) this.#weight[at] = next();
      if (row !== undefined) this.#weight.fill(0, row * columns, (row + 1) * columns);
    }
    this.begin(options);
    this.settle(new.target === Embedding);
  }

  /** An Embedding whose sizes are read off `weight` (numEmbeddings, embeddingDim). */
  static fromStateDict(
    dict: StateDictLike,
    options: { prefix?: string | undefined; rename?: Rename | undefined } = {},
  ): Embedding {
    return moduleFromDict(Embedding, READING, dict, options);
  }

  /**
   * Indices of any shape to (...shape, embeddingDim).
   * @throws TypeError for what is not an integer; RangeError for an index outside 0 .. numEmbeddings - 1.
   */
  forward(indices: Indices): Tensor {
    this.assertAlive();
    return reading("indices", EXPECTED, () => this.#gather(asIndices(indices)));
  }

  #gather({ data, shape }: { data: IndexData; shape: readonly number[] }): Tensor {
    const width = this.embeddingDim;
    const output = Tensor.zeros([...shape, width]);
    const count = output.data.length / width;
    for (let at = 0; at < count; at++) {
      const index = data[at];
      if (typeof index !== "number" && typeof index !== "bigint") {
        throw wrongType(`indices[${at}]`, "an integer", index);
      }
      const row = Number(index);
      if (!Number.isInteger(row) || row < 0 || row >= this.numEmbeddings) {
        throw wrongValue(`indices[${at}]`, `an integer from 0 to ${this.numEmbeddings - 1}`, index);
      }
      output.data.set(this.#weight.subarray(row * width, (row + 1) * width), at * width);
    }
    return output;
  }

  /** @internal */
  protected parameterSpecs(): ParameterSpec[] {
    return [{ name: "weight", shape: [this.numEmbeddings, this.embeddingDim] }];
  }

  /** @internal */
  protected storeParameters(values: ReadonlyMap<string, ParameterData>): void {
    const weight = values.get("weight");
    if (weight !== undefined) this.#weight.set(weight);
  }

  /** @internal */
  protected readParameter(): Float32Array {
    return copyFloats(this.#weight, 0, this.#weight.length, "stateDict");
  }
}

/** Indices as they are given: each is read once, by forward. */
function asIndices(indices: Indices): { data: IndexData; shape: readonly number[] } {
  if (typeof indices === "number") return { data: [indices], shape: [] };
  if (kindOf(indices) !== undefined)
    return { data: indices as IndexData, shape: [lengthOf(indices as IndexData)] };
  // As float64: float32 has no whole numbers past 2^24 but the even ones.
  if (isArray(indices)) return nested(indices, "indices", Float64Array);
  if (typeof indices !== "object" || indices === null) throw wrongType("indices", EXPECTED, indices);
  return asShaped(indices, "indices", (data, name) => {
    if (lengthIn(data) === undefined) throw wrongType(`${name}.data`, "an array of integers", data);
    return data as IndexData;
  });
}

const EXPECTED = "a number, an array or { data, shape }";
