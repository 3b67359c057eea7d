/** Products by constant matrices, which are packed once for a model. */

import { WALK_BYTES } from "../../../build/abi.js";
import type { Data, HostTensor } from "../../graph/ir.js";
import { quantizeMatrix } from "../../int8/round-weights.js";
import { align } from "../../wasm/block.js";
import { modelKernels } from "../../wasm/models.js";
import { allocateWeights, type Precision } from "../../wasm/precision.js";
import type { Region } from "../../wasm/region.js";
import { setWalk } from "../../wasm/walk.js";
import type { Weights } from "../../wasm/weights.js";
import type { Compiled, Compiling } from "../operator.js";
import type { ProductForm } from "./product-form.js";
import { functionOf } from "./unary.js";

/** Rows that are made at once, where they cannot be made where they belong. */
const CHUNK_ROWS = 128;

/** What nodes of one matrix have made of it. */
interface Variant {
  readonly key: string;
  readonly bias: Data | undefined;
  readonly weights: readonly Weights[];
}

/** What is done to a product. */
export interface Scaling {
  readonly alpha: number;
  /** A constant that each row of the output has, times beta. */
  readonly bias: HostTensor | undefined;
  readonly beta: number;
}

/** @param matrix the numbers of B */
export function compilePacked(
  node: Compiling,
  form: ProductForm,
  matrix: HostTensor,
  scaling: Scaling,
): Compiled {
  const { runtime } = node;
  const activation = node.activation && functionOf(node.activation);
  const { rows, depth, columns, aRow, aStep, outRow, starts, isSwapped } = form;
  const packed = packedOf(node, form, matrix, scaling);
  const { outputRow, roundedRow } = packed[0]!;
  const ofProduct = Array.from(starts.b, (start) => packed[distinct(starts.b).indexOf(start)]!.matrix);
  const isWhole = outputRow === columns * 4 && (rows === 1 || outRow === columns);
  const chunkRows = Math.min(rows, CHUNK_ROWS);
  const turned = aStep === 1 || depth === 1 ? 0 : align(rows * depth * 4);
  const sums = align(chunkRows * outputRow);
  return {
    scratchBytes: turned + sums + chunkRows * roundedRow,
    bind(place) {
      const { kernels } = runtime;
      const models = activation && modelKernels(runtime);
      const words = new Int32Array(WALK_BYTES / 4);
      const inputRow = (turned > 0 ? depth : aRow) * 4;
      setWalk(words, 0, packed[0]!, inputRow, place.scratch + turned + sums);
      const walk = place.record(words);
      const [from, to] = [place.input(isSwapped ? 1 : 0), place.output(0)];
      const room = place.scratch + turned;
      const isDirect = isWhole && to % 16 === 0;
      const byRows = isDirect && roundedRow === 0 ? rows : chunkRows;
      let zigzag = 0;
      return () => {
        zigzag ^= 1;
        for (let at = 0; at < ofProduct.length; at++) {
          let input = from + starts.a[at]! * 4;
          const output = to + starts.out[at]! * 4;
          if (turned > 0) {
            for (let k = 0; k < depth; k++) {
              const column = input + k * aStep * 4;
              kernels.copyRows(place.scratch + k * 4, depth * 4, column, aRow * 4, rows, 1);
            }
            input = place.scratch;
          }
          for (let row = 0; row < rows; row += byRows) {
            const count = Math.min(byRows, rows - row);
            const target = isDirect ? output + row * outputRow : room;
            kernels.matmul(ofProduct[at]!, walk, count, input + row * inputRow, target, zigzag);
            if (activation !== undefined) {
              const { kind, alpha, beta } = activation;
              models!.unary(kind, target, target, (count * outputRow) / 4, alpha, beta);
            }
            if (isDirect) continue;
            kernels.copyRows(output + row * outRow * 4, outRow * 4, room, outputRow, count, columns);
          }
        }
      };
    },
  };
}

const distinct = (starts: Int32Array) => Array.from(new Set(starts));

/** The matrices of the different products. */
function packedOf(
  { precision, shared }: Compiling,
  form: ProductForm,
  matrix: HostTensor,
  { alpha, bias, beta }: Scaling,
): readonly Weights[] {
  const { depth, columns, bRow, bStep } = form;
  const starts = distinct(form.starts.b);
  const key = JSON.stringify([depth, columns, bRow, bStep, starts, alpha, bias && beta, precision]);
  const made = shared(matrix.data, "products", (region) => ({ region, variants: [] as Variant[] }));
  const known = made.variants.find((other) => other.key === key && other.bias === bias?.data);
  if (known !== undefined) return known.weights;
  const hasInt8 = matrix.data.every(Number.isFinite);
  const added =
    bias && Float32Array.from({ length: columns }, (_, n) => beta * bias.data[n % bias.data.length]!);
  const weights = starts.map((start) => {
    const data = new Float32Array(columns * depth);
    for (let n = 0, at = 0; n < columns; n++) {
      for (let k = 0; k < depth; k++) data[at++] = alpha * matrix.data[start + k * bRow + n * bStep]!;
    }
    return pack(made.region, hasInt8 ? precision : "float32", { data, columns, depth, added });
  });
  made.variants.push({ key, bias: bias?.data, weights });
  return weights;
}

interface Packing {
  /** (columns, depth) */
  readonly data: Float32Array;
  readonly columns: number;
  readonly depth: number;
  /** The bias. */
  readonly added: Float32Array | undefined;
}

function pack(region: Region, precision: Precision, { data, columns, depth, added }: Packing): Weights {
  const weights = allocateWeights(region, precision, columns, depth);
  region.borrow(weights.stagingBytes, (staging) => {
    if (precision === "int8") {
      const { values, scales } = quantizeMatrix(data, columns);
      weights.store(staging, "weights", values);
      weights.store(staging, "scales", scales);
    } else weights.store(staging, "weights", data);
    if (added !== undefined) weights.store(staging, "bias", added);
  });
  return weights;
}
