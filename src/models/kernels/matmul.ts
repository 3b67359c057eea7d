/**
 * MatMul, Gemm and Einsum. A constant right operand is packed once (packed-product.ts). One that is made at run time is
 * packed for the call where many rows pay for that, and else read as it lies (assembly/models/matmul.ts).
 */

import { FLOAT_LINE_BYTES, MATRIX_BYTES, WALK_BYTES } from "../../../build/abi.js";
import { PRODUCT_BYTES } from "../../../build/models-abi.js";
import * as Matrix from "../../../build/records/matrix.js";
import * as Product from "../../../build/records/product.js";
import type { HostTensor } from "../../graph/ir.js";
import type { Operand } from "../../graph/operator.js";
import { elementsIn } from "../../graph/shapes.js";
import { align } from "../../wasm/block.js";
import { modelKernels } from "../../wasm/models.js";
import { setWalk } from "../../wasm/walk.js";
import type { Compiled, Compiling, Place } from "../operator.js";
import { compilePacked, type Scaling } from "./packed-product.js";
import { formOfEinsum, formOfGemm, formOfMatMul, type ProductForm } from "./product-form.js";
import { applyActivation, isActivation } from "./unary.js";

/** Rows from which packing a matrix of 64 x 64 costs less than it saves. */
const ROWS_TO_PACK = 32;
/** Columns, the same. */
const COLUMNS_TO_PACK = 8;
/** The outputs of one block of a panel. */
const BLOCK_COLUMNS = FLOAT_LINE_BYTES / 4;
const CHUNK_ROWS = 128;

export function compileMatMul(node: Compiling): Compiled | undefined {
  // What a rewrite adds to a product with a vector has a number for each row of the product.
  if (node.call.has(2) && node.call.input(1).shape.length === 1) return undefined;
  return compile(node, formOfMatMul, { alpha: 1, beta: 1 });
}

export function compileGemm(node: Compiling): Compiled | undefined {
  const { call } = node;
  return compile(node, formOfGemm, { alpha: call.float("alpha", 1), beta: call.float("beta", 1) });
}

export function compileEinsum(node: Compiling): Compiled | undefined {
  return compile(node, formOfEinsum, { alpha: 1, beta: 1 });
}

function compile(
  node: Compiling,
  formOf: (call: Compiling["call"]) => ProductForm | undefined,
  { alpha, beta }: { alpha: number; beta: number },
): Compiled | undefined {
  const { call, types, activation } = node;
  const { dtype, shape } = types[0]!;
  if (dtype !== "float32" && dtype !== "float64") return undefined;
  if (activation !== undefined && !isActivation(activation.name)) return undefined;
  if (elementsIn(shape) === 0) return { bind: () => () => {} };
  // Sums of nothing: without strides axes cannot be told apart.
  if (elementsIn(call.input(0).shape) === 0) return undefined;
  const form = formOf(call);
  if (form === undefined) return undefined;
  const right = call.input(form.isSwapped ? 0 : 1);
  const added = call.inputs[2];
  const scaling: Scaling = { alpha, beta, bias: biasOf(added) };
  const isPackable = added === undefined || scaling.bias !== undefined;
  if (right.data !== undefined && isPackable) return compilePacked(node, form, right as HostTensor, scaling);
  const isPanel = alpha === 1 && added === undefined && paysToPack(form);
  const product = isPanel ? compilePanel(node, form) : compilePlain(node, form, scaling);
  return activation === undefined ? product : activatedAfter(product, node);
}

/** A product, then its activation in place. */
function activatedAfter(product: Compiled, node: Compiling): Compiled {
  return {
    ...product,
    bind(place) {
      const multiply = product.bind(place);
      const act = applyActivation(node, place.output(0), elementsIn(node.types[0]!.shape))!;
      return () => {
        multiply();
        act();
      };
    },
  };
}

/** A constant that every row of the output has: a number, or one for each column. */
function biasOf(added: Operand | undefined): HostTensor | undefined {
  if (added?.data === undefined || added.shape.slice(0, -1).some((size) => size !== 1)) return undefined;
  return added as HostTensor;
}

const paysToPack = ({ rows, columns, aStep, bStep }: ProductForm) =>
  rows >= ROWS_TO_PACK && columns >= COLUMNS_TO_PACK && aStep === 1 && bStep === 1;

function compilePlain(node: Compiling, form: ProductForm, { alpha, beta }: Scaling): Compiled {
  const { call, runtime } = node;
  const { rows, depth, columns, starts, isSwapped } = form;
  return {
    bind(place) {
      const kernels = modelKernels(runtime);
      const words = new Int32Array(PRODUCT_BYTES / 4);
      const floats = new Float32Array(words.buffer);
      words[Product.rows] = rows;
      words[Product.depth] = depth;
      words[Product.columns] = columns;
      words[Product.aRow] = form.aRow * 4;
      words[Product.aStep] = form.aStep * 4;
      words[Product.bRow] = form.bRow * 4;
      words[Product.bStep] = form.bStep * 4;
      words[Product.outputRow] = form.outRow * 4;
      floats[Product.alpha] = alpha;
      floats[Product.beta] = beta;
      const c = call.inputs[2]?.shape ?? [];
      words[Product.cRow] = (c.at(-2) ?? 1) === 1 ? 0 : c.at(-1)! * 4;
      words[Product.cStep] = (c.at(-1) ?? 1) === 1 ? 0 : 4;
      const product = place.record(words);
      const [a, b] = isSwapped ? [place.input(1), place.input(0)] : [place.input(0), place.input(1)];
      const [added, output] = [place.input(2), place.output(0)];
      return () => {
        for (let at = 0; at < starts.out.length; at++) {
          const left = a + starts.a[at]! * 4;
          const right = b + starts.b[at]! * 4;
          kernels.multiply(product, left, right, added, output + starts.out[at]! * 4);
        }
      };
    },
  };
}

/** By a panel that is packed in each call. */
function compilePanel(node: Compiling, form: ProductForm): Compiled {
  const { rows, depth, columns, aRow, bRow, outRow, starts, isSwapped } = form;
  const blocks = Math.ceil(columns / BLOCK_COLUMNS);
  const outputRow = blocks * FLOAT_LINE_BYTES;
  const isWhole = outputRow === columns * 4 && outRow === columns;
  const chunkRows = Math.min(rows, CHUNK_ROWS);
  const panelBytes = blocks * depth * FLOAT_LINE_BYTES;
  const { kernels } = node.runtime;
  return {
    scratchBytes: panelBytes + chunkRows * outputRow,
    bind(place) {
      const panel = place.scratch;
      const sums = panel + align(panelBytes);
      const matrix = panelRecord(place, { blocks, depth, columns, panel });
      const words = new Int32Array(WALK_BYTES / 4);
      setWalk(words, 0, { blocks }, aRow * 4, 0);
      const walk = place.record(words);
      const [a, b] = isSwapped ? [place.input(1), place.input(0)] : [place.input(0), place.input(1)];
      const to = place.output(0);
      const isDirect = isWhole && to % 16 === 0;
      const byRows = isDirect ? rows : chunkRows;
      return () => {
        for (let at = 0; at < starts.out.length; at++) {
          const matrixStart = b + starts.b[at]! * 4;
          if (at === 0 || starts.b[at] !== starts.b[at - 1]) {
            for (let block = 0; block < blocks; block++) {
              const first = block * BLOCK_COLUMNS;
              const width = Math.min(BLOCK_COLUMNS, columns - first);
              const target = panel + block * depth * FLOAT_LINE_BYTES;
              kernels.copyRows(target, FLOAT_LINE_BYTES, matrixStart + first * 4, bRow * 4, depth, width);
            }
          }
          const input = a + starts.a[at]! * 4;
          const output = to + starts.out[at]! * 4;
          for (let row = 0; row < rows; row += byRows) {
            const count = Math.min(byRows, rows - row);
            const target = isDirect ? output + row * outputRow : sums;
            kernels.matmul(matrix, walk, count, input + row * aRow * 4, target, 0);
            if (isDirect) continue;
            kernels.copyRows(output + row * outRow * 4, outRow * 4, sums, outputRow, count, columns);
          }
        }
      };
    },
  };
}

interface Panel {
  readonly blocks: number;
  readonly depth: number;
  readonly columns: number;
  readonly panel: number;
}

function panelRecord(place: Place, { blocks, depth, columns, panel }: Panel): number {
  const words = new Int32Array(MATRIX_BYTES / 4);
  words[Matrix.columns] = depth;
  words[Matrix.vectors] = Math.ceil(columns / 4);
  words[Matrix.blocks] = blocks;
  words[Matrix.outputRow] = blocks * FLOAT_LINE_BYTES;
  words[Matrix.panel] = panel;
  words[Matrix.blockBytes] = depth * FLOAT_LINE_BYTES;
  // Zeros.
  words[Matrix.bias] = place.record(new Int32Array(blocks * BLOCK_COLUMNS));
  return place.record(words);
}
