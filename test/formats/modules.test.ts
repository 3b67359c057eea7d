import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { listModules } from "../../src/formats/modules.js";
import { readTorch } from "../../src/formats/torch/index.js";
import { Tensor } from "../../src/tensor/tensor.js";

const dict = (shapes: Record<string, number[]>) =>
  new Map(Object.entries(shapes).map(([name, shape]) => [name, Tensor.zeros(shape)]));

describe("listModules", () => {
  it("names the layers of a PyTorch model", () => {
    const file = readFileSync(new URL("files/torch/zip.pt", import.meta.url));
    expect(listModules(readTorch(file))).toEqual([
      { kind: "Embedding", prefix: "embedding.", numEmbeddings: 3, embeddingDim: 2, parameters: 6 },
      {
        kind: "LSTM",
        prefix: "encoder.rnn.",
        inputSize: 2,
        hiddenSize: 3,
        numLayers: 2,
        bidirectional: false,
        bias: true,
        projSize: 0,
        parameters: 180,
      },
      { kind: "Linear", prefix: "head.", inFeatures: 3, outFeatures: 2, bias: true, parameters: 8 },
    ]);
  });

  it("tells LSTM, GRU and RNN apart by their rows, with directions, projections and cells", () => {
    const found = listModules(
      dict({
        weight_ih_l0: [12, 5],
        weight_hh_l0: [12, 4],
        weight_ih_l0_reverse: [12, 5],
        weight_hh_l0_reverse: [12, 4],
        "p.weight_ih_l0": [24, 5],
        "p.weight_hh_l0": [24, 2],
        "p.bias_ih_l0": [24],
        "p.bias_hh_l0": [24],
        "p.weight_hr_l0": [2, 6],
        "r.weight_ih_l0": [4, 3],
        "r.weight_hh_l0": [4, 4],
        "c.weight_ih": [8, 3],
        "c.weight_hh": [8, 2],
        "c.bias_ih": [8],
        "c.bias_hh": [8],
      }),
    );
    expect(found.map(({ kind, prefix, parameters }) => [kind, prefix, parameters])).toEqual([
      ["GRU", "", 216],
      ["LSTM", "p.", 228],
      ["RNN", "r.", 28],
      ["LSTMCell", "c.", 56],
    ]);
    expect(found[0]).toMatchObject({ bidirectional: true, bias: false, numLayers: 1, hiddenSize: 4 });
    expect(found[1]).toMatchObject({ projSize: 2, hiddenSize: 6, inputSize: 5, bias: true });
  });

  it("lists convolutions, and tells Embedding from Linear by bias and name", () => {
    const found = listModules(
      dict({
        "conv.weight": [8, 4, 3],
        "conv.bias": [8],
        "tok_emb.weight": [10, 4],
        "out.weight": [10, 4],
        "norm.weight": [4],
        "image.weight": [1, 1, 3, 3],
        "odd.weight": [3, 2],
        "odd.bias": [2],
        "broken.weight_ih_l0": [5, 2],
        "broken.weight_hh_l0": [5, 3],
        "lonely.weight_ih_l0": [4, 2],
        "lonely.weight_ih": [4, 2],
        own_weight: [2, 2],
      }),
    );
    expect(found).toEqual([
      {
        kind: "Conv1d",
        prefix: "conv.",
        inChannels: 4,
        outChannels: 8,
        kernelSize: 3,
        bias: true,
        parameters: 104,
      },
      { kind: "Embedding", prefix: "tok_emb.", numEmbeddings: 10, embeddingDim: 4, parameters: 40 },
      { kind: "Linear", prefix: "out.", inFeatures: 4, outFeatures: 10, bias: false, parameters: 40 },
    ]);
  });
});
