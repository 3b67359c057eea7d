/** Embedding: rows of a table by index. A gather does no arithmetic, so it stays in JavaScript memory. */
import { checkInteger, showShape, wrongShape, wrongType, wrongValue } from "../tensor/checks.js";
import { allocateFloats, type ParameterData, type StateDictLike, sizeOf } from "../tensor/like.js";
import { normal } from "../tensor/random.js";
import { nested, Tensor } from "../tensor/tensor.js";
import { moduleFromDict, type Reading } from "./from-state-dict.js";
import { Module } from "./module.js";
import { integer, type Option, readOptions, sourceOf } from "./options.js";
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
  check: (_, value) => value as number | undefined, // against numEmbeddings, below
};

const embeddingOptions = () => ({ numEmbeddings: integer(1), embeddingDim: integer(1), paddingIdx });

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
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
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
    const weight = allocateFloats(rows * columns, "numEmbeddings * embeddingDim");
    super();
    this.numEmbeddings = rows;
    this.embeddingDim = columns;
    this.#weight = weight;
    const source = sourceOf(options);
    if (source !== undefined) {
      this.loadStateDict(source.dict, { prefix: source.prefix });
      return;
    }
    const next = normal();
    for (let at = 0; at < this.#weight.length; at++) this.#weight[at] = next();
    if (paddingIdx !== undefined) {
      const row = paddingIdx < 0 ? paddingIdx + rows : paddingIdx;
      this.#weight.fill(0, row * columns, (row + 1) * columns);
    }
  }

  /** An Embedding whose sizes are read off `weight` (numEmbeddings, embeddingDim). */
  static fromStateDict(dict: StateDictLike, options: { prefix?: string | undefined } = {}): Embedding {
    return moduleFromDict(Embedding, READING, dict, options);
  }

  /**
   * Indices of any shape to (...shape, embeddingDim).
   * @throws TypeError for what is not an integer; RangeError for an index outside 0 .. numEmbeddings - 1.
   */
  forward(indices: Indices): Tensor {
    this.assertAlive();
    const { data, shape } = asIndices(indices);
    const width = this.embeddingDim;
    const output = Tensor.zeros([...shape, width]);
    for (let at = 0; at < data.length; at++) {
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
    return this.#weight.slice();
  }
}

function isTypedArray(value: unknown): value is Exclude<IndexData, readonly unknown[]> {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function asIndices(indices: Indices): { data: IndexData; shape: readonly number[] } {
  if (typeof indices === "number") return { data: [indices], shape: [] };
  if (isTypedArray(indices)) return { data: indices, shape: [indices.length] };
  if (Array.isArray(indices)) {
    // Only for the nesting: float32 values would hold indices up to 2^24 only.
    const { shape } = nested(indices as never, "indices");
    return { data: indices.flat(Number.POSITIVE_INFINITY) as number[], shape };
  }
  if (typeof indices !== "object" || indices === null) {
    throw wrongType("indices", "a number, an array or { data, shape }", indices);
  }
  const { data, shape, dims } = indices as {
    data: IndexData;
    shape?: readonly number[];
    dims?: readonly number[];
  };
  const sizes = (shape ?? dims) as readonly number[];
  const size = sizeOf(sizes, "indices.shape");
  if (!Array.isArray(data) && !isTypedArray(data))
    throw wrongType("indices.data", "an array of integers", data);
  if (data.length !== size) {
    throw wrongShape("indices.data.length", `${size} for shape ${showShape(sizes)}`, data.length);
  }
  return { data, shape: sizes };
}
