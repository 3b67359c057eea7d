import { describe, expect, it } from "vitest";
import { readSafetensors, type StateDict, writeSafetensors } from "../../src/formats/index.js";
import { Tensor } from "../../src/tensor/tensor.js";

const ones = (...shape: number[]) =>
  new Tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1), shape);

function read(tensors: Record<string, Tensor>): StateDict {
  return readSafetensors(writeSafetensors(tensors));
}

describe("weights in parts", () => {
  it.each<[string, Record<string, Tensor>]>([
    ["a gain of two axes", { weight_g: ones(2, 3), weight_v: ones(2, 3) }],
    ["a gain of another size", { weight_g: ones(4, 1), weight_v: ones(2, 3) }],
    ["a gain of another rank", { weight_g: ones(2), weight_v: ones(2, 3) }],
    ["a gain alone", { weight_g: ones(2, 1) }],
    ["a gain beside the plain weight", { weight: ones(1), weight_g: ones(2, 1), weight_v: ones(2, 3) }],
    ["what is no parameter's name", { "rope.theta_g": ones(2, 1), "rope.theta_v": ones(2, 3) }],
    ["vectors of other lengths", { weight_orig: ones(2, 3), weight_u: ones(2), weight_v: ones(2) }],
    ["a vector that fits no axis", { weight_orig: ones(2, 3), weight_u: ones(1), weight_v: ones(6) }],
    [
      "parametrizations beside the plain weight",
      {
        weight: ones(1),
        "parametrizations.weight.original0": ones(2, 1),
        "parametrizations.weight.original1": ones(2, 3),
      },
    ],
    ["a mask of another shape", { weight_orig: ones(2, 3), weight_mask: ones(3, 2) }],
    ["a mask alone", { weight_mask: ones(2, 3) }],
    ["a raw weight of another shape", { "a.weight_hh_l0_raw": ones(4, 1), "a.m.weight_hh_l0": ones(8, 2) }],
  ])("stay what they are: %s", (_, tensors) => {
    expect([...read(tensors).keys()].sort()).toEqual(Object.keys(tensors).sort());
  });

  it("become the plain weight in the place of the first part, and leave the others alone", () => {
    const dict = read({ weight_g: ones(2, 1), weight_v: ones(2, 4), "b.bias": ones(2) });
    expect([...dict.keys()].sort()).toEqual(["b.bias", "weight"]);
    expect(dict.get("weight")).toEqual(new Tensor(new Float32Array(8).fill(0.5), [2, 4]));
  });

  it("are named where several parametrizations compute the weight", () => {
    // As torch 2.15 writes weight_norm with spectral_norm after it.
    const { skipped } = readSafetensors(
      writeSafetensors({
        "lstm.parametrizations.weight_ih_l0.original0": ones(4, 1),
        "lstm.parametrizations.weight_ih_l0.original1": ones(4, 3),
        "lstm.parametrizations.weight_ih_l0.1._u": ones(4),
        "lstm.parametrizations.weight_ih_l0.1._v": ones(3),
      }),
    );
    expect(skipped).toEqual([
      {
        name: "lstm.weight_ih_l0",
        reason:
          'it is computed by several parametrizations in turn; call torch.nn.utils.parametrize.remove_parametrizations(module, "weight_ih_l0"), and save again',
      },
    ]);
  });

  it("are named where another parametrization computes the weight", () => {
    const { skipped } = readSafetensors(
      writeSafetensors({ "parametrizations.weight.original": ones(2, 2), "a.bias": ones(2) }),
    );
    expect(skipped).toEqual([
      {
        name: "weight",
        reason:
          'it is computed by a parametrization; call torch.nn.utils.parametrize.remove_parametrizations(module, "weight"), and save again',
      },
    ]);
    const alone = read({
      "parametrizations.weight.original0": ones(2, 1),
      "parametrizations.weight.original1": ones(2, 4),
    });
    expect(alone.get("weight")).toEqual(new Tensor(new Float32Array(8).fill(0.5), [2, 4]));
  });

  it("take the raw weight of a layer without a name", () => {
    const [raw, masked] = [ones(4, 1), Tensor.zeros([4, 1])];
    expect(
      read({ weight_hh_l0_raw: raw, weight_hh_l0: masked, bias_hh_l0: ones(4) }).get("weight_hh_l0"),
    ).toEqual(raw);
    expect(read({ weight_hh_l0_raw: raw, "m.weight_hh_l0": masked }).get("m.weight_hh_l0")).toEqual(raw);
    expect(read({ weight_hh_raw: raw, "m.weight_hh": masked }).get("m.weight_hh")).toEqual(raw);
  });

  it("take the raw weight of the one layer inside that has such weights", () => {
    const [raw, masked] = [ones(4, 1), Tensor.zeros([4, 1])];
    const dict = read({ "a.weight_hh_l0_raw": raw, "a.m.weight_hh_l0": masked, "a.n.weight_hh_l1": masked });
    expect([...dict.keys()].sort()).toEqual(["a.m.weight_hh_l0", "a.n.weight_hh_l1"]);
    expect(dict.get("a.m.weight_hh_l0")).toEqual(raw);
  });
});
