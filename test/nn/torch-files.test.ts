/** Files of current PyTorch: each layer that they hold computes what PyTorch computes with it. */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readSafetensors, readTorch, type StateDict } from "../../src/formats/index.js";
import { Conv1d, Embedding, GRU, GRUCell, Linear, LSTM, LSTMCell, RNN, RNNCell } from "../../src/index.js";
import { Tensor } from "../../src/tensor/tensor.js";

const FOLDER = new URL("../formats/files/torch-current/", import.meta.url);

interface Numbers {
  readonly shape: number[];
  readonly data: number[];
}

const CLASSES = { Conv1d, Embedding, GRU, GRUCell, LSTM, LSTMCell, Linear, RNN, RNNCell };
type Kind = keyof typeof CLASSES;

/** By prefix, what make_torch_current.py says of a layer. */
type Layers = Record<string, { readonly kind: Kind; readonly input: Numbers; readonly output: Numbers }>;

const EXPECTED: Record<string, { readonly layers: Layers }> = Object.assign(
  {},
  ...["expected.json", "expected-2.4.json"].map((name) =>
    JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")),
  ),
);

const bytesOf = (name: string) => new Uint8Array(readFileSync(new URL(name, FOLDER)));

function read(name: string): StateDict {
  return (name.endsWith(".safetensors") ? readSafetensors : readTorch)(bytesOf(name));
}

/** The output of one layer, the first where there are several. */
function outputOf(kind: Kind, dict: StateDict, prefix: string, { data, shape }: Numbers): Tensor {
  const layer = (CLASSES[kind] as typeof LSTM).fromStateDict(dict, { prefix });
  const input = kind === "Embedding" ? data : new Tensor(Float32Array.from(data), shape);
  const output = layer.forward(input as Tensor) as unknown as Tensor | Tensor[];
  layer.dispose();
  return Array.isArray(output) ? output[0]! : output;
}

describe("files of current PyTorch", () => {
  it("are those that the script describes", () => {
    const files = readdirSync(FOLDER).filter((name) => !name.endsWith(".json"));
    expect(files).toEqual(Object.keys(EXPECTED).sort());
  });

  const cases = Object.entries(EXPECTED).flatMap(([file, { layers }]) =>
    Object.keys(layers).map((prefix) => [file, prefix] as const),
  );

  it.each(cases)("%s, %s: computes what PyTorch computes", (file, prefix) => {
    const { kind, input, output } = EXPECTED[file]!.layers[prefix]!;
    const got = outputOf(kind, read(file), prefix, input);
    expect(got.shape).toEqual(output.shape);
    for (const [at, value] of got.data.entries()) {
      expect(Math.abs(value - output.data[at]!)).toBeLessThan(2e-6);
    }
  });
});
