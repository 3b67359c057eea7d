/** quantizeStateDict: which tensors it takes, and that modules and safetensors keep what it makes. */
import { expect, it } from "vitest";
import {
  listModules,
  quantizeStateDict,
  readSafetensors,
  writeSafetensors,
} from "../../src/formats/index.js";
import { Conv1d, Embedding, GRU, Linear, LSTM, LSTMCell, type StateDict, Tensor } from "../../src/index.js";

const modules = {
  "emb.": new Embedding({ numEmbeddings: 6, embeddingDim: 5 }),
  "conv.": new Conv1d({ inChannels: 5, outChannels: 4, kernelSize: 3 }),
  "lstm.": new LSTM({ inputSize: 5, hiddenSize: 9, projSize: 4, numLayers: 2, bidirectional: true }),
  "gru.": new GRU({ inputSize: 8, hiddenSize: 3 }),
  "cell.": new LSTMCell({ inputSize: 2, hiddenSize: 3 }),
  "head.": new Linear({ inFeatures: 3, outFeatures: 7 }),
};
const dict: StateDict = new Map(
  Object.entries(modules).flatMap(([prefix, module]) =>
    [...module.stateDict()].map(([name, tensor]) => [`${prefix}${name}`, tensor] as const),
  ),
);

it("quantises the matrices of LSTM, GRU and Linear, and nothing else", () => {
  const quantized = quantizeStateDict(dict);
  const int8 = [...quantized].filter(([, { data }]) => data instanceof Int8Array).map(([name]) => name);
  const suffixes = ["_l0", "_l0_reverse", "_l1", "_l1_reverse"];
  expect(int8.sort()).toEqual(
    [
      ...suffixes.flatMap((suffix) => ["ih", "hh", "hr"].map((part) => `lstm.weight_${part}${suffix}`)),
      "gru.weight_ih_l0",
      "gru.weight_hh_l0",
      "head.weight",
    ].sort(),
  );
  for (const [name, tensor] of quantized) {
    if (int8.includes(name)) expect(tensor.shape).toEqual(dict.get(name)!.shape);
    else if (int8.includes(name.replace(/_scale$/, ""))) expect(tensor.data).toBeInstanceOf(Float32Array);
    else expect(tensor).toBe(dict.get(name));
  }
});

it("is what modules make of the float weights, through a file", () => {
  const file = writeSafetensors(quantizeStateDict(dict));
  expect(file.length).toBeLessThan(writeSafetensors(dict).length);
  const read = readSafetensors(file);
  for (const [prefix, Module] of [
    ["lstm.", LSTM],
    ["gru.", GRU],
    ["head.", Linear],
  ] as const) {
    const ours = Module.fromStateDict(read, { prefix });
    expect(ours.precision).toBe("int8");
    const theirs = Module.fromStateDict(dict, { prefix, precision: "int8" });
    expect(ours.stateDict()).toEqual(theirs.stateDict());
  }
  expect(quantizeStateDict(read)).toEqual(read);
});

it("takes only the modules it is given", () => {
  const head = listModules(dict).filter(({ prefix }) => prefix === "head.");
  const quantized = quantizeStateDict(dict, { modules: head });
  expect([...quantized.keys()].filter((name) => !dict.has(name))).toEqual(["head.weight_scale"]);
  expect(() => quantizeStateDict(dict, { layers: head } as never)).toThrow("options.layers: unknown option");
});

it("refuses weights that are not finite", () => {
  const weight = Tensor.from([
    [1, 2],
    [3, Number.POSITIVE_INFINITY],
  ]);
  expect(() => quantizeStateDict(new Map([["weight", weight]]))).toThrow(
    'dict["weight"][1][1]: expected a finite number to quantise, got Infinity',
  );
});

it("refuses to write scales over another tensor", () => {
  const float = new Linear({ inFeatures: 2, outFeatures: 2 }).stateDict();
  float.set("weight_scale", Tensor.zeros([2]));
  expect(() => quantizeStateDict(float)).toThrow(
    'dict["weight_scale"]: expected no such tensor beside float weights',
  );
});
