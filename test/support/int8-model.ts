/**
 * The int8 arithmetic in float64, with the weights that a module has. Rows are rounded as the library says
 * (assembly/matmul/round-inputs.ts), sums of integers are exact, all the rest is float64. A kernel has to agree to
 * float32's precision, so that an error in it cannot hide behind the rounding of the weights.
 */
import { type StateDict, Tensor } from "../../src/tensor/tensor.js";

export interface Int8Matrix {
  readonly values: Int8Array;
  readonly scales: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

/** The int8 matrix `name` of a state dict. */
export function matrixOf(dict: StateDict, name: string): Int8Matrix {
  const { data, shape } = dict.get(name)!;
  const scales = dict.get(`${name}_scale`)!.data as Float32Array;
  return { values: data as Int8Array, scales, rows: shape[0]!, columns: shape[1]! };
}

/** The float32 weights that an int8 matrix stands for. */
export function dequantize(dict: StateDict): Map<string, Tensor> {
  const floats = new Map<string, Tensor>();
  for (const [name, { data, shape }] of dict) {
    if (name.endsWith("_scale")) continue;
    if (data instanceof Float32Array) floats.set(name, new Tensor(data, shape));
    else {
      const { values, scales, columns } = matrixOf(dict, name);
      const weights = Float32Array.from(values, (value, at) => value * scales[Math.floor(at / columns)]!);
      floats.set(name, new Tensor(weights, shape));
    }
  }
  return floats;
}

/** A row of 14-bit integers; x is about scale * q. */
export interface QuantizedRow {
  readonly q: Int32Array;
  readonly scale: number;
}

export function quantizeRow(row: Float32Array): QuantizedRow {
  const largest = row.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const factor = largest === 0 ? 0 : Math.fround(8191 / largest);
  const q = Int32Array.from(row, (x) => roundToEven(Math.fround(x * factor)));
  return { q, scale: Math.fround(largest / 8191) };
}

function roundToEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/** The sums of weight * q over inputs `start` to `end` - 1, exact, for each row of the matrix. */
export function integerSums(matrix: Int8Matrix, q: Int32Array, start = 0, end = matrix.columns): number[] {
  return Array.from({ length: matrix.rows }, (_, row) => {
    let sum = 0;
    for (let column = start; column < end; column++)
      sum += matrix.values[row * matrix.columns + column]! * q[column]!;
    return sum;
  });
}

/** W x in float64, but for the quantisation. */
export function product(matrix: Int8Matrix, row: Float32Array): number[] {
  const { q, scale } = quantizeRow(row);
  return integerSums(matrix, q).map((sum, at) => sum * matrix.scales[at]! * scale);
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** One step of a layer. `h` are the kernel's own float32 numbers, so that both sides quantise the same row. */
export type StepModel = (x: Float32Array, h: Float32Array) => Float64Array;

/** The two sums that each gate adds up: W_ih x + b_ih and W_hh h + b_hh. */
function gateSums(dict: StateDict, suffix: string) {
  const input = matrixOf(dict, `weight_ih${suffix}`);
  const hidden = matrixOf(dict, `weight_hh${suffix}`);
  const biasOf = (name: string) => dict.get(`${name}${suffix}`)?.data as Float32Array | undefined;
  const [biasIh, biasHh] = [biasOf("bias_ih"), biasOf("bias_hh")];
  return (x: Float32Array, h: Float32Array) => ({
    ofX: product(input, x).map((sum, at) => sum + (biasIh?.[at] ?? 0)),
    ofH: product(hidden, h).map((sum, at) => sum + (biasHh?.[at] ?? 0)),
  });
}

/** Keeps c in float64 from step to step. Without a projection. */
export function lstmModel(dict: StateDict, c: Float64Array): StepModel {
  const gates = gateSums(dict, "_l0");
  const size = c.length;
  return (x, h) => {
    const { ofX, ofH } = gates(x, h);
    const sum = (gate: number, unit: number) => ofX[gate * size + unit]! + ofH[gate * size + unit]!;
    return c.map((old, unit) => {
      const next = sigmoid(sum(1, unit)) * old + sigmoid(sum(0, unit)) * Math.tanh(sum(2, unit));
      c[unit] = next;
      return sigmoid(sum(3, unit)) * Math.tanh(next);
    });
  };
}

export function gruModel(dict: StateDict): StepModel {
  const gates = gateSums(dict, "_l0");
  return (x, h) => {
    const { ofX, ofH } = gates(x, h);
    const size = h.length;
    return Float64Array.from(h, (old, unit) => {
      const r = sigmoid(ofX[unit]! + ofH[unit]!);
      const z = sigmoid(ofX[size + unit]! + ofH[size + unit]!);
      const n = Math.tanh(ofX[2 * size + unit]! + r * ofH[2 * size + unit]!);
      return (old - n) * z + n;
    });
  };
}

export function rnnModel(dict: StateDict, nonlinearity: "tanh" | "relu"): StepModel {
  const gates = gateSums(dict, "_l0");
  return (x, h) => {
    const { ofX, ofH } = gates(x, h);
    return Float64Array.from(h, (_, unit) => {
      const sum = ofX[unit]! + ofH[unit]!;
      return nonlinearity === "relu" ? Math.max(sum, 0) : Math.tanh(sum);
    });
  };
}
