/** The layer of an audio model as options and a state dict. */
import { describe, expect, it } from "vitest";
import { readNam } from "../../src/formats/amp/nam.js";
import { Tensor } from "../../src/tensor/tensor.js";

/** Two layers of two units, and a head of one output. */
const NAM = {
  version: "0.5.2",
  architecture: "LSTM",
  config: { input_size: 1, hidden_size: 2, num_layers: 2 },
  weights: Array.from(Tensor.randn([36 + 44 + 3], 1).data),
};

describe("readNam", () => {
  it("gives the options and the initial state of its layer", () => {
    const { recurrent, stateDict, options, initialState } = readNam(JSON.stringify(NAM));
    expect(options).toEqual({
      inputSize: 1,
      hiddenSize: 2,
      numLayers: 2,
      bias: true,
      batchFirst: false,
      bidirectional: false,
      goBackwards: false,
      reverse: false,
      initialState: true,
      projSize: 0,
      activation: "tanh",
      recurrentActivation: "sigmoid",
      cellActivation: "tanh",
      inputForget: false,
      peepholes: false,
    });
    expect([...stateDict.keys()]).toEqual([...recurrent.keys(), "h0", "c0"]);
    const { h0, c0 } = Object.fromEntries(stateDict);
    expect([h0!.shape, c0!.shape]).toEqual([
      [2, 2],
      [2, 2],
    ]);
    expect([h0!.data, c0!.data]).toEqual(initialState!.map(({ data }) => data));
  });
});
