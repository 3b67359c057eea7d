/** ONNX models of one recurrent layer, whose weights tell where they are. */
import { type AttributeValue, floats, type GraphOptions, model, node } from "./onnx-writer.js";

/** A weight (D, G*H, columns) whose numbers tell where they are: direction, gate, unit, column as digits. */
export function marked(
  name: string,
  directions: number,
  gates: number,
  hidden: number,
  columns: number,
): number[] {
  const numbers: number[] = [];
  for (let d = 0; d < directions; d++) {
    for (let row = 0; row < gates * hidden; row++) {
      for (let column = 0; column < columns; column++) {
        numbers.push(1000 * d + 100 * Math.floor(row / hidden) + 10 * (row % hidden) + column);
      }
    }
  }
  return floats(
    name,
    columns === 1 && name === "b" ? [directions, gates * hidden] : [directions, gates * hidden, columns],
    numbers,
  );
}

const GATES: Record<string, number> = { LSTM: 4, GRU: 3, RNN: 1 };

interface LayerOptions {
  directions?: number;
  inputs?: readonly string[];
  attributes?: Record<string, AttributeValue>;
  /** Without hidden_size. */
  bare?: boolean;
  initializers?: readonly number[][];
  more?: GraphOptions;
}

/** A model of one layer of two inputs and two units, with marked weights. */
export function layer(
  kind: string,
  { directions = 1, inputs, attributes = {}, bare = false, initializers, more = {} }: LayerOptions = {},
) {
  const gates = GATES[kind]!;
  const defaults = kind === "GRU" ? { linear_before_reset: 1 } : {};
  return model({
    inputs: ["x", "state", "lengths"],
    outputs: ["y"],
    ...more,
    nodes: [
      ...(more.nodes ?? []),
      node(kind, inputs ?? ["x", "w", "r", "b"], ["y", "yh"], {
        attributes: {
          ...(bare ? {} : { hidden_size: 2 }),
          ...(directions === 2 ? { direction: "bidirectional" } : {}),
          ...defaults,
          ...attributes,
        },
      }),
    ],
    initializers: [
      marked("w", directions, gates, 2, 2),
      marked("r", directions, gates, 2, 2),
      marked("b", directions, 2 * gates, 2, 1),
      ...(initializers ?? []),
    ],
  });
}
