/** Weights whose shapes are not those that a layer's config tells: an error that names the layer and the weight. */
import { describe, expect, it } from "vitest";
import { FormatError } from "../../../src/formats/bytes.js";
import { loadKeras } from "../../../src/models/index.js";
import type { Hdf5Data } from "../../support/hdf5-tree.js";
import { kerasH5 } from "../../support/keras-writer.js";

const array = (...shape: number[]): Hdf5Data =>
  ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }) as Hdf5Data;

/** A layer of one input [N, 3, 4], called as often as it has inputs. */
function model(className: string, config: object, arrays: Readonly<Record<string, Hdf5Data>>, inputs = 1) {
  const name = "layer";
  const from = Array.from({ length: inputs }, () => ["x", 0, 0, {}]);
  const layers = [
    {
      class_name: "InputLayer",
      config: { name: "x", batch_input_shape: [null, 3, 4] },
      name: "x",
      inbound_nodes: [],
    },
    { class_name: className, config: { name, ...config }, name, inbound_nodes: [from] },
  ];
  return kerasH5({
    config: {
      class_name: "Functional",
      config: { name: "m", layers, input_layers: [["x", 0, 0]], output_layers: [[name, 0, 0]] },
    },
    layers: { [name]: arrays },
  });
}

describe("MultiHeadAttention", () => {
  const own = {
    ...{ "layer/query/kernel:0": array(4, 2, 5), "layer/query/bias:0": array(2, 5) },
    ...{ "layer/key/kernel:0": array(4, 2, 5), "layer/key/bias:0": array(2, 5) },
    ...{ "layer/value/kernel:0": array(4, 2, 5), "layer/value/bias:0": array(2, 5) },
    ...{ "layer/attention_output/kernel:0": array(2, 5, 4), "layer/attention_output/bias:0": array(4) },
  };
  const load = (other: Partial<Record<keyof typeof own, Hdf5Data>>) => () =>
    loadKeras(model("MultiHeadAttention", { num_heads: 2, key_dim: 5 }, { ...own, ...other }, 2));

  it("runs with its own weights", () => {
    using made = load({})();
    expect(made.run({ data: new Float32Array(12), shape: [1, 3, 4] }).layer!.shape).toEqual([1, 3, 4]);
  });

  it.each([
    ["layer/query/kernel:0", array(4, 5, 2), "query/kernel: expected shape [4, 2, 5], got [4, 5, 2]"],
    ["layer/key/kernel:0", array(4, 10), "key/kernel: expected shape [4, 2, 5], got [4, 10]"],
    ["layer/value/bias:0", array(2, 4), "value/bias: expected shape [2, 5], got [2, 4]"],
    ["layer/query/bias:0", array(1), "query/bias: expected shape [2, 5], got [1]"],
    [
      "layer/attention_output/kernel:0",
      array(5, 2, 4),
      "attention_output/kernel: expected shape [2, 5, ?], got [5, 2, 4]",
    ],
    ["layer/attention_output/bias:0", array(2, 2), "attention_output/bias: expected shape [4], got [2, 2]"],
  ])("refuses another %s", (name, other, message) => {
    expect(load({ [name]: other })).toThrow(FormatError);
    expect(load({ [name]: other })).toThrow(`keras: layer "layer" (MultiHeadAttention): weight ${message}`);
  });
});

it("PReLU has slopes of its input's sizes, or of 1", () => {
  expect(() => loadKeras(model("PReLU", {}, { "layer/alpha:0": array(3, 2) }))).toThrow(
    'layer "layer" (PReLU): weight alpha: expected the sizes of its input after the batch, (3, 4), or 1 in their place, ' +
      "got [3, 2]",
  );
  loadKeras(model("PReLU", {}, { "layer/alpha:0": array(1, 4) })).dispose();
});
