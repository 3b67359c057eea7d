/** PyTorch state dicts as JSON, which readRTNeural takes: stacks, and what is no such model. */
import { describe, expect, it } from "vitest";
import { readRTNeural } from "../../src/formats/amp/rtneural.js";
import { randomRows } from "../support/reference.js";

/** A stack of two units without biases, and a head. */
function stack(gates: number, numLayers: number): Record<string, unknown> {
  const dict: Record<string, unknown> = { "head.weight": randomRows(1, 2, 1) };
  for (let layer = 0; layer < numLayers; layer++) {
    dict[`rec.weight_ih_l${layer}`] = randomRows(2 * gates, layer === 0 ? 1 : 2, layer);
    dict[`rec.weight_hh_l${layer}`] = randomRows(2 * gates, 2, 10 + layer);
  }
  return dict;
}

describe("a state dict as JSON", () => {
  it("may be a stack of GRUs without biases", () => {
    const { kind, numLayers, options, recurrent } = readRTNeural(stack(3, 2));
    expect([kind, numLayers, options.bias, recurrent.size]).toEqual(["GRU", 2, false, 4]);
    expect(readRTNeural(stack(4, 1))).toMatchObject({ kind: "LSTM", numLayers: 1 });
  });

  it("is refused where a layer of the stack has another size, or where it is a plain RNN", () => {
    expect(() => readRTNeural({ ...stack(4, 2), "rec.weight_ih_l1": randomRows(8, 1, 3) })).toThrow(
      "rtneural: rec.weight_ih_l1: expected shape [8, 2], got [8, 1]",
    );
    expect(() => readRTNeural(stack(1, 1))).toThrow('one Linear layer, got Linear "head.", RNN "rec."');
  });

  it("is refused where it has no layers, or more tensors than any network", () => {
    expect(() => readRTNeural({ "a.weight_ih_l0": [1] })).toThrow("got no layers");
    const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, at) => [`a${at}.weight_ih_l0`, [1]]));
    expect(() => readRTNeural(many)).toThrow("rtneural: more than 10000 tensors");
  });
});
