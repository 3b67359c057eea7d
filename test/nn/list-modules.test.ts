/** What `listModules` offers is what `fromStateDict` loads, and `listBrokenModules` says the rest. */
import { describe, expect, it } from "vitest";
import { listBrokenModules, listModules } from "../../src/formats/modules.js";
import {
  Conv1d,
  Embedding,
  GRU,
  GRUCell,
  Linear,
  LSTM,
  LSTMCell,
  RNN,
  RNNCell,
  type StateDict,
  Tensor,
} from "../../src/index.js";
import { withSkipped } from "../../src/tensor/skipped.js";

const CLASSES = { Conv1d, Embedding, GRU, GRUCell, LSTM, LSTMCell, Linear, RNN, RNNCell };
type Kind = keyof typeof CLASSES;

const sizes = { inputSize: 2, hiddenSize: 3 };
const MODULES: Record<string, () => { stateDict(): StateDict; dispose(): void }> = {
  LSTM: () => new LSTM({ ...sizes, numLayers: 2, bidirectional: true, projSize: 2, peepholes: true }),
  "LSTM of int8": () => new LSTM({ ...sizes, precision: "int8", initialState: true }),
  GRU: () => new GRU({ ...sizes, numLayers: 3, bias: false }),
  RNN: () => new RNN({ ...sizes, bidirectional: true, initialState: true }),
  LSTMCell: () => new LSTMCell({ ...sizes, peepholes: true }),
  GRUCell: () => new GRUCell({ ...sizes, bias: false }),
  RNNCell: () => new RNNCell(sizes),
  Linear: () => new Linear({ inFeatures: 2, outFeatures: 3 }),
  "Linear of int8": () => new Linear({ inFeatures: 2, outFeatures: 3, precision: "int8" }),
  Conv1d: () => new Conv1d({ inChannels: 2, outChannels: 3, kernelSize: 2 }),
};

function problemOf(kind: Kind, dict: StateDict): string | undefined {
  try {
    (CLASSES[kind] as typeof Linear).fromStateDict(dict, { prefix: "m." }).dispose();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The dict, and others that each lack a tensor, have one skipped, of another shape, or too many. */
function variantsOf(dict: StateDict): StateDict[] {
  const variants = [new Map(dict)];
  for (const [name, tensor] of dict) {
    const lacking = new Map([...dict].filter(([key]) => key !== name));
    const longer = Tensor.zeros([tensor.shape[0]! + 1, ...tensor.shape.slice(1)]);
    variants.push(
      lacking,
      withSkipped(new Map(lacking), [{ name, reason: "it is complex" }]),
      new Map([...dict, [name, longer]]),
      new Map([...dict, [name, Tensor.zeros([...tensor.shape.slice(0, -1), 0])]]),
    );
    const layer = name.replace(/_l0/, "_l7");
    if (layer !== name) variants.push(new Map([...dict, [layer, tensor]]));
  }
  return variants;
}

describe("what is listed loads, and what is broken does not", () => {
  it.each(Object.entries(MODULES))("%s", (_, make) => {
    const module = make();
    const whole: StateDict = new Map([...module.stateDict()].map(([name, tensor]) => [`m.${name}`, tensor]));
    module.dispose();
    for (const dict of variantsOf(whole)) {
      const names = JSON.stringify([...dict].map(([name, { shape }]) => [name, shape]));
      const [listed, broken] = [listModules(dict), listBrokenModules(dict)];
      for (const { kind } of listed) expect(problemOf(kind, dict), names).toBeUndefined();
      for (const { kind, problem } of broken) {
        if (kind !== undefined) expect(problemOf(kind, dict), `${problem}: ${names}`).toBeDefined();
      }
      // Without its first weight, of which nothing is said, there is no recurrent layer.
      const isThere = [...dict.keys(), ...(dict.skipped ?? []).map(({ name }) => name)].some((name) =>
        /weight_ih(_l0)?$/.test(name),
      );
      if (isThere) expect(listed.length + broken.length, names).toBe(1);
    }
    expect(listModules(whole)).toHaveLength(1);
    expect(listBrokenModules(whole)).toEqual([]);
  });

  it.each<[string, Record<string, number[]>, string | undefined]>([
    ["missing m.weight_hh_l0", { weight_ih_l0: [12, 2] }, undefined],
    [
      "m.weight_hh_l0: expected 4, 3 or 1 rows for each unit, got shape [5, 3] beside [5, 2]",
      { weight_ih_l0: [5, 2], weight_hh_l0: [5, 3] },
      undefined,
    ],
    ["unexpected m.weight_hh_l1", { weight_ih: [4, 2], weight_hh: [4, 1], weight_hh_l1: [4, 1] }, "LSTMCell"],
    [
      "m.weight_hr_l0: expected fewer rows than the 2 units of an LSTM",
      { weight_ih_l0: [6, 2], weight_hh_l0: [6, 1], weight_hr_l0: [1, 2] },
      "GRU",
    ],
    [
      "m.ln_ih.weight: layer norm is not supported",
      { weight_ih: [4, 2], weight_hh: [4, 1], "ln_ih.weight": [4] },
      "LSTMCell",
    ],
  ])("%s", (problem, shapes, kind) => {
    const dict = new Map(Object.entries(shapes).map(([name, shape]) => [`m.${name}`, Tensor.zeros(shape)]));
    expect(listModules(dict)).toEqual([]);
    expect(listBrokenModules(dict)).toEqual([{ prefix: "m.", kind, problem }]);
  });
});
