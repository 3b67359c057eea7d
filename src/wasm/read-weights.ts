/** Packed weights as they were stored. Not methods of theirs: whole models, which never ask, would have these too. */
import { allocateBytes, allocateFloats, type ParameterData } from "../tensor/like.js";
import { classOf } from "../tensor/typed-array.js";
import type { Block } from "./block.js";
import { numbersOf, type Weights, type WeightsPart } from "./weights.js";

/** A copy of what was stored, by way of `staging`. */
export function readWeights(weights: Weights, staging: Block, part: WeightsPart): ParameterData {
  if (part === "weights") return readMatrix(weights, staging);
  return readColumn(weights, staging, part === "bias" ? weights.bias : weights.scales!);
}

function readColumn(weights: Weights, staging: Block, source: Block): Float32Array {
  const { gates, units } = weights;
  const { runtime } = weights.region;
  const numbers = numbersOf(staging);
  const column = weights.columnOf(staging, source);
  for (let gate = 0; gate < gates; gate++) {
    runtime.kernels.unpackGate(column, gates, gate, units, numbers.pointer + gate * units * 4);
  }
  return runtime.read(numbers, 0, gates * units, "stateDict");
}

function readMatrix(
  { region, matrix, scales, lines, gates, units, columns }: Weights,
  staging: Block,
): ParameterData {
  const { kernels, memory } = region.runtime;
  const { pointer } = numbersOf(staging);
  const count = gates * units * columns;
  const values = scales ? allocateBytes(count, "stateDict") : allocateFloats(count, "stateDict");
  if (scales) kernels.restoreLines(matrix);
  for (let gate = 0; gate < gates; gate++) {
    kernels.unpackGate(matrix, gates, gate, units, pointer);
    for (let unit = 0; unit < units; unit++) {
      const row = new (classOf(values))(memory.buffer, pointer + unit * lines * 4, columns);
      values.set(row, (gate * units + unit) * columns);
    }
  }
  if (scales) kernels.arrangeLines(matrix);
  return values;
}
