/**
 * onnxruntime's LSTM of weights of eight bits. It has the inputs of LSTM, with W (D, I, 4H) and R (D, H, 4H) transposed,
 * then a scale and a zero point for W and for R: one for each direction, or one for each row. Here the weights become
 * floats: onnxruntime rounds the input and the state to eight bits as well, which this more exact result lacks.
 */

import type { HostTensor, Type } from "../ir.js";
import { Call, type FillingOperator, FLOATS, type Operand } from "../operator.js";
import { LSTM, LSTM_ATTRIBUTES } from "./recurrent.js";

const SCALE_OF = { 1: 8, 2: 10 };

/** The shape of weights as LSTM has them. */
function turned(call: Call, at: 1 | 2): Type {
  const { shape } = call.expect(at, ["int8", "uint8"]);
  if (shape.length !== 3) throw call.broken(`input ${at} of ${shape.length} axes`);
  const [directions, columns, rows] = shape as [number, number, number];
  const scales = call.expect(SCALE_OF[at], FLOATS).shape.join();
  const zeros = call.expect(SCALE_OF[at] + 1, ["int8", "uint8"]).shape.join();
  if (scales !== zeros || ![`${directions}`, `${directions},${rows}`].includes(scales)) {
    throw call.broken(`scales and zero points of input ${at} do not fit it`);
  }
  return { dtype: "float32", shape: [directions, rows, columns] };
}

/** The weights as floats, as LSTM has them. */
export function weights(call: Call, at: 1 | 2): HostTensor {
  const type = turned(call, at);
  const [directions, rows, columns] = type.shape as [number, number, number];
  const from = call.data(at).data;
  const scales = call.data(SCALE_OF[at]).data;
  const zeros = call.data(SCALE_OF[at] + 1).data;
  const each = (directions * rows) / scales.length;
  const data = new Float32Array(from.length);
  for (let row = 0; row < directions * rows; row++) {
    const direction = Math.floor(row / rows);
    const start = direction * rows * columns + (row % rows);
    const which = Math.floor(row / each);
    for (let column = 0; column < columns; column++) {
      data[row * columns + column] = (from[start + column * rows]! - zeros[which]!) * scales[which]!;
    }
  }
  return { ...type, data };
}

/** The same call of an LSTM of floats. */
function asFloats(call: Call, [w, r]: readonly [Operand, Operand]): Call {
  return new Call(call.node, [call.inputs[0], w, r, ...call.inputs.slice(3, 8)]);
}

export const DynamicQuantizeLSTM: FillingOperator = {
  name: "com.microsoft.DynamicQuantizeLSTM",
  attributes: LSTM_ATTRIBUTES,
  shape: (call) => LSTM.shape(asFloats(call, [turned(call, 1), turned(call, 2)])),
  work: (call, types) => LSTM.work!(asFloats(call, [turned(call, 1), turned(call, 2)]), types),
  run: (call, outputs) => LSTM.run(asFloats(call, [weights(call, 1), weights(call, 2)]), outputs),
};
