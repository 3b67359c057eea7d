/**
 * onnxruntime's LSTM of int8 weights, com.microsoft.DynamicQuantizeLSTM. It has the inputs of LSTM, with W (D, I, 4H)
 * and R (D, H, 4H) transposed, then a scale and a zero point for W and for R: one for each direction, or one for each
 * row. With zero points of 0 that is what int8 modules take, and no weight is rounded once more.
 */

import { showShape } from "../../tensor/checks.js";
import { Tensor } from "../../tensor/tensor.js";
import { FormatError, unsupported } from "../bytes.js";
import { dtypeOf } from "../dtype.js";
import { type Constants, NotConstant } from "./constants.js";
import type { Node } from "./model-proto.js";
import type { AnyTensor } from "./operator.js";
import type { Site } from "./scope.js";

/** A matrix as LSTM has it, (D, 4H, columns), and the scales of its rows, (D, 4H). */
export interface QuantizedWeight {
  readonly weight: Tensor<Int8Array>;
  readonly scales: Float32Array;
}

export function isQuantized({ domain, opType }: Node): boolean {
  return domain === "com.microsoft" && opType === "DynamicQuantizeLSTM";
}

/** W or R. @throws FormatError for weights that are broken, not int8, or have a zero point */
export function readQuantized(
  { node, scope }: Site,
  name: "W" | "R",
  constants: Constants,
  label: string,
): QuantizedWeight {
  const read = (at: number, input: string): AnyTensor => {
    if (!node.inputs[at]) throw new FormatError(`${label}: ${input} is missing`);
    const value = constants.evaluate(node.inputs[at], scope);
    if (value instanceof NotConstant) throw new FormatError(`${label}: ${input} ${value.reason}`);
    return value;
  };
  const [at, scaleAt] = name === "W" ? [1, 8] : [2, 10];
  const given = read(at, name);
  const scale = read(scaleAt, `${name}_scale`);
  const zeroPoint = read(scaleAt + 1, `${name}_zero_point`);
  if (!(given.data instanceof Int8Array)) {
    throw unsupported(`${label}: ${name} of ${dtypeOf(given)} is not supported, only of int8`);
  }
  if (!constants.allZeros(zeroPoint)) {
    throw unsupported(`${label}: ${name}_zero_point other than 0 is not supported`);
  }
  const [directions, , rows] = given.shape as [number, number, number];
  if (given.shape.length !== 3) {
    throw new FormatError(`${label}: ${name}: expected 3 dimensions, got ${showShape(given.shape)}`);
  }
  const { data } = scale;
  const isScale = data.length === directions || data.length === directions * rows;
  if (!(data instanceof Float32Array) || !isScale) {
    throw new FormatError(
      `${label}: ${name}_scale: expected ${directions} or ${directions * rows} floats, got ${dtypeOf(scale)} ${showShape(scale.shape)}`,
    );
  }
  // Bytes take as long as floats.
  constants.allowance.spend(4 * (given.data.length + directions * rows));
  return {
    weight: turnWeights(given as Tensor<Int8Array>),
    scales: repeatScales(data, directions * rows),
  };
}

/** (D, columns, 4H) to (D, 4H, columns). */
export function turnWeights({ data, shape }: Pick<Tensor<Int8Array>, "data" | "shape">): Tensor<Int8Array> {
  const [directions, columns, rows] = shape as [number, number, number];
  const weight = new Int8Array(data.length);
  // Without numbers, axes may be of any length.
  for (let direction = 0, from = 0; from < weight.length; direction++) {
    for (let column = 0; column < columns; column++) {
      const to = direction * rows * columns + column;
      for (let row = 0; row < rows; row++) weight[to + row * columns] = data[from++]!;
    }
  }
  return new Tensor(weight, [directions, rows, columns]);
}

/** One scale for each of so many rows, of which each scale given is for an equal part. */
export function repeatScales(scales: Float32Array, rows: number): Float32Array {
  const repeated = rows / scales.length;
  return Float32Array.from({ length: rows }, (_, row) => scales[Math.floor(row / repeated)]!);
}
