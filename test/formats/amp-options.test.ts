/** The layer of an audio model as options and a state dict. */
import { describe, expect, it } from "vitest";
import { readGuitarML } from "../../src/formats/amp/guitarml.js";
import { readNam } from "../../src/formats/amp/nam.js";
import { readRTNeural } from "../../src/formats/amp/rtneural.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { PLAIN_GRU, PLAIN_LSTM } from "../support/plain-options.js";

/** Two layers of two units, and a head of one output. */
const NAM = {
  version: "0.5.2",
  architecture: "LSTM",
  config: { input_size: 1, hidden_size: 2, num_layers: 2 },
  weights: Array.from(Tensor.randn([36 + 44 + 3], 1).data),
};

const SIZES = { inputSize: 1, hiddenSize: 2 };
const LSTM_OPTIONS = { ...SIZES, ...PLAIN_LSTM };
const GRU_OPTIONS = { ...SIZES, ...PLAIN_GRU };

const zeros = (rows: number, columns: number) =>
  Array.from({ length: rows }, () => new Array(columns).fill(0));

describe("readNam", () => {
  it("gives the options and the initial state of its layer", () => {
    const { recurrent, stateDict, options, initialState } = readNam(JSON.stringify(NAM));
    expect(options).toEqual({ ...LSTM_OPTIONS, numLayers: 2, initialState: true });
    expect([...stateDict.keys()]).toEqual([...recurrent.keys(), "h0", "c0"]);
    const { h0, c0 } = Object.fromEntries(stateDict);
    expect([h0!.shape, c0!.shape]).toEqual([
      [2, 2],
      [2, 2],
    ]);
    expect([h0!.data, c0!.data]).toEqual(initialState!.map(({ data }) => data));
  });
});

describe.each([
  ["LSTM", 8, LSTM_OPTIONS],
  ["GRU", 6, GRU_OPTIONS],
] as const)("the options of a %s are complete", (kind, gates, expected) => {
  it("by readGuitarML", () => {
    const { options, stateDict } = readGuitarML({
      model_data: {
        model: "SimpleRNN",
        input_size: 1,
        output_size: 1,
        unit_type: kind,
        num_layers: 1,
        hidden_size: 2,
        skip: 0,
        bias_fl: true,
      },
      state_dict: {
        "rec.weight_ih_l0": zeros(gates, 1),
        "rec.weight_hh_l0": zeros(gates, 2),
        "rec.bias_ih_l0": zeros(1, gates)[0],
        "rec.bias_hh_l0": zeros(1, gates)[0],
        "lin.weight": zeros(1, 2),
      },
    });
    expect(options).toEqual(expected);
    expect(stateDict.metadata).toEqual({ "": { kind, options: expected } });
  });

  it("by readRTNeural", () => {
    const bias = kind === "GRU" ? zeros(2, gates) : zeros(1, gates)[0];
    const { options, stateDict } = readRTNeural({
      in_shape: [null, null, 1],
      layers: [
        {
          type: kind.toLowerCase(),
          activation: "",
          shape: [null, null, 2],
          weights: [zeros(1, gates), zeros(2, gates), bias],
        },
        { type: "dense", activation: "", shape: [null, null, 1], weights: [zeros(2, 1), [0]] },
      ],
    });
    expect(options).toEqual(expected);
    expect(stateDict.metadata).toEqual({ "": { kind, options: expected } });
  });
});
