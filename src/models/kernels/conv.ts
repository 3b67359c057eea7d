/**
 * Convolutions over one or two axes by constant weights, as products: each output position has a row of the numbers that
 * its taps read, and the rows of a chunk are multiplied by the packed weights.
 *
 *   planes   [channels, rows, columns]    the input with its padding; the input itself where there is none
 *   patches  [positions, columns]         what the taps of each position read, in the weights' order
 *   sums     [positions, outputRow]       what core.matmul gives
 *
 * A transposed convolution is a plain one with strides of 1 over planes whose numbers stand a stride apart, with the
 * weights turned round. Groups of few channels are multiplied together, by a matrix with zeros beside the diagonal.
 */

import { WALK_BYTES } from "../../../build/abi.js";
import { convolution } from "../../graph/operators/conv.js";
import { elementsIn, stridesOf } from "../../graph/shapes.js";
import { align } from "../../wasm/block.js";
import { setWalk } from "../../wasm/walk.js";
import type { Weights } from "../../wasm/weights.js";
import type { Compiled, Compiling } from "../operator.js";
import { type Form, formOf, groupsTogether, type Pair } from "./conv-form.js";
import { packedOf } from "./conv-weights.js";
import { copying, nothing, type Transfer } from "./copy.js";
import { activateBy } from "./fused-activation.js";

/** Positions that are multiplied at once: 256 rows of patches stay in the second cache. */
const CHUNK_POSITIONS = 256;
export const compileConv = (node: Compiling): Compiled | undefined => compile(node, false);
export const compileConvTranspose = (node: Compiling): Compiled | undefined => compile(node, true);

function compile(node: Compiling, isTransposed: boolean): Compiled | undefined {
  const { call, types, activation, runtime } = node;
  const [, weight, bias] = call.inputs;
  const activate = activation && activateBy(activation, runtime);
  if (activation !== undefined && activate === undefined) return undefined;
  if (types[0]!.dtype !== "float32" || weight?.data === undefined) return undefined;
  if (bias !== undefined && bias.data === undefined) return undefined;
  if (elementsIn(types[0]!.shape) === 0) return { bind: () => nothing };
  const conv = convolution(call, isTransposed);
  const joined = groupsTogether(conv);
  const form = formOf(conv, joined, isTransposed);
  return run(node, form, packedOf(node, { conv, joined, isTransposed }), activate);
}

/** Positions that are multiplied at once: some columns of a row, or some whole rows. */
interface Chunk {
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
}

function chunksOf([rows, columns]: Pair): Chunk[] {
  const chunks: Chunk[] = [];
  const wide = Math.min(columns, CHUNK_POSITIONS);
  const high = Math.max(1, Math.floor(CHUNK_POSITIONS / columns));
  for (let row = 0; row < rows; row += high) {
    for (let column = 0; column < columns; column += wide) {
      const size = { rows: Math.min(high, rows - row), columns: Math.min(wide, columns - column) };
      chunks.push({ row, column, ...size });
    }
  }
  return chunks;
}

function run(
  { runtime }: Compiling,
  form: Form,
  weights: readonly Weights[],
  activate: ReturnType<typeof activateBy>,
): Compiled {
  const { batch, groups, channels, units, input, planes, output } = form;
  const { kernels } = runtime;
  const { outputRow, columns: depth } = weights[0]!;
  const isPadded = planes.join() !== input.join() || form.begin[0] + form.begin[1] > 0;
  const planeBytes = isPadded ? align(channels * elementsIn(planes) * 4) : 0;
  const chunks = chunksOf(output);
  const positions = Math.max(...chunks.map(({ rows, columns }) => rows * columns));
  const patch = patchOf(form);
  const patchBytes = patch === undefined ? align(positions * depth * 4) : 0;
  const isWhole = elementsIn(output) === 1 && outputRow === units * 4;
  return {
    scratchBytes: planeBytes + patchBytes + positions * outputRow,
    bind(place) {
      const act = activate?.(place);
      const words = new Int32Array(WALK_BYTES / 4);
      setWalk(words, 0, weights[0]!, patch ?? depth * 4, 0);
      const walk = place.record(words);
      const rooms = { planes: place.scratch, patches: place.scratch + planeBytes };
      const sums = rooms.patches + patchBytes;
      const parts = Array.from({ length: batch * groups }, (_, index) => {
        const source = place.input(0) + index * channels * elementsIn(input) * 4;
        const target = place.output(0) + index * units * elementsIn(output) * 4;
        const from = isPadded ? rooms.planes : source;
        return {
          matrix: weights[index % groups]!.matrix,
          fill: isPadded
            ? (copying(runtime, place, [intoPlanes(form, source, rooms.planes)]) ?? nothing)
            : nothing,
          chunks: chunks.map((chunk) => {
            const first =
              from + (chunk.row * form.strides[0] * planes[1] + chunk.column * form.strides[1]) * 4;
            return {
              rows: chunk.rows * chunk.columns,
              first: patch === undefined ? rooms.patches : first,
              gather:
                patch === undefined
                  ? (copying(runtime, place, [intoPatches(form, chunk, first, rooms.patches)]) ?? nothing)
                  : nothing,
              sums: isWhole && target % 16 === 0 ? target : sums,
              finish:
                isWhole && target % 16 === 0
                  ? nothing
                  : (copying(runtime, place, [outOfSums(form, chunk, sums, outputRow, target)]) ?? nothing),
            };
          }),
        };
      });
      const planeFloats = planeBytes / 4;
      return () => {
        for (let at = 0; at < parts.length; at++) {
          const part = parts[at]!;
          if (isPadded) {
            kernels.clearFloats(rooms.planes, planeFloats);
            part.fill();
          }
          for (let index = 0; index < part.chunks.length; index++) {
            const chunk = part.chunks[index]!;
            chunk.gather();
            kernels.matmul(part.matrix, walk, chunk.rows, chunk.first, chunk.sums, index & 1);
            if (act !== undefined) act(chunk.sums, (chunk.rows * outputRow) / 4);
            chunk.finish();
          }
        }
      };
    },
  };
}

/**
 * Bytes from one position's numbers to the next's, where these lie side by side in the planes: of one channel whose taps
 * are one row, or of a window that is all there is.
 */
function patchOf({ channels, planes, kernel, strides, dilations, output }: Form): number | undefined {
  const isRow = channels === 1 && kernel[0] === 1 && (dilations[1] === 1 || kernel[1] === 1);
  if (isRow && (output[0] === 1 || (strides[0] === 1 && output[1] * strides[1] === planes[1]))) {
    return strides[1] * 4;
  }
  const isAll = elementsIn(output) === 1 && kernel.join() === planes.join();
  return isAll && dilations.every((step, axis) => step === 1 || kernel[axis] === 1) ? 0 : undefined;
}

const bytes = (steps: readonly number[]): number[] => steps.map((step) => step * 4);

function intoPlanes(
  { channels, input, planes, begin, spread, skipped, kept }: Form,
  source: number,
  target: number,
): Transfer {
  return {
    shape: [channels, ...kept],
    source: source + (skipped[0] * input[1] + skipped[1]) * 4,
    sourceSteps: bytes(stridesOf([channels, ...input])),
    target: target + (begin[0] * planes[1] + begin[1]) * 4,
    targetSteps: bytes([elementsIn(planes), spread[0] * planes[1], spread[1]]),
    size: 4,
  };
}

function intoPatches(
  { channels, planes, kernel, strides, dilations }: Form,
  { rows, columns }: Chunk,
  source: number,
  target: number,
): Transfer {
  const shape = [rows, columns, channels, ...kernel];
  return {
    shape,
    source,
    sourceSteps: bytes([
      strides[0] * planes[1],
      strides[1],
      elementsIn(planes),
      dilations[0] * planes[1],
      dilations[1],
    ]),
    target,
    targetSteps: bytes(stridesOf(shape)),
    size: 4,
  };
}

function outOfSums(
  { units, output }: Form,
  { row, rows, column, columns }: Chunk,
  source: number,
  outputRow: number,
  target: number,
): Transfer {
  return {
    shape: [units, rows, columns],
    source,
    sourceSteps: [4, columns * outputRow, outputRow],
    target: target + (row * output[1] + column) * 4,
    targetSteps: bytes(stridesOf([units, ...output])),
    size: 4,
  };
}
