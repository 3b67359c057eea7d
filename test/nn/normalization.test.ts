/** LayerNorm and GroupNorm: parameters, state dicts, refusals. Their numbers are in golden.test.ts and properties/. */
import { describe, expect, it } from "vitest";
import { GroupNorm, LayerNorm, Tensor } from "../../src/index.js";
import { currentRuntime } from "../../src/wasm/current.js";
import { goldenCases } from "../support/golden.js";
import { any, inputRefusals, refuses, zeros } from "../support/refusals.js";

const layerNorm = new LayerNorm({ normalizedShape: 6 });
const matrixNorm = new LayerNorm({ normalizedShape: [2, 6] });
const groupNorm = new GroupNorm({ numGroups: 2, numChannels: 4 });
const unbiased = new LayerNorm({ normalizedShape: 2, bias: false });
const unbiasedGroups = new GroupNorm({ numGroups: 2, numChannels: 4, bias: false });
const single = new GroupNorm({ numGroups: 4, numChannels: 4 });
layerNorm.forward(zeros(2, 6));
matrixNorm.forward(zeros(2, 6));
groupNorm.forward(zeros(2, 4));

describe("LayerNorm and GroupNorm", () => {
  it("begin with ones and zeros", () => {
    expect([...layerNorm.stateDict()].map(([name, { data }]) => [name, ...data])).toEqual([
      ["weight", 1, 1, 1, 1, 1, 1],
      ["bias", 0, 0, 0, 0, 0, 0],
    ]);
    expect(groupNorm.stateDict().get("weight")!.toArray()).toEqual([1, 1, 1, 1]);
  });

  it("have PyTorch's options and defaults as fields", () => {
    expect(layerNorm).toMatchObject({ normalizedShape: [6], eps: 1e-5, elementwiseAffine: true, bias: true });
    expect(groupNorm).toMatchObject({ numGroups: 2, numChannels: 4, eps: 1e-5, affine: true, bias: true });
    using bare = new GroupNorm({ numGroups: 2, numChannels: 4, affine: false });
    expect(bare.bias).toBe(false);
    using plain = new LayerNorm({ normalizedShape: 3, elementwiseAffine: false });
    expect(plain.bias).toBe(false);
    expect(plain.stateDict().size).toBe(0);
    expect(() => any(layerNorm.normalizedShape).push(1)).toThrow(TypeError);
  });

  it("return the parameters that were loaded", () => {
    for (const golden of goldenCases("LayerNorm")) {
      using module = new LayerNorm(golden.options).loadStateDict(golden.stateDict);
      expect(module.stateDict()).toEqual(golden.stateDict);
    }
    for (const golden of goldenCases("GroupNorm")) {
      using module = new GroupNorm(golden.options).loadStateDict(golden.stateDict);
      expect(module.stateDict()).toEqual(golden.stateDict);
    }
  });

  it("read their sizes off a state dict", () => {
    const [weight, bias] = [Tensor.randn([2, 3], 1), Tensor.randn([2, 3], 2)];
    const dict = { "net.1.weight": weight, "net.1.bias": bias, "net.2.weight": Tensor.randn([6], 3) };
    using both = LayerNorm.fromStateDict(dict, { prefix: "net.1.", eps: 0.25 });
    expect(both).toMatchObject({ normalizedShape: [2, 3], eps: 0.25, bias: true });
    expect(both.stateDict().get("bias")).toEqual(bias);
    using alone = LayerNorm.fromStateDict(dict, { prefix: "net.2." });
    expect(alone).toMatchObject({ normalizedShape: [6], bias: false });
    const groups = { weight: zeros(6), bias: zeros(6) };
    using grouped = GroupNorm.fromStateDict(groups, { numGroups: 3 });
    expect(grouped).toMatchObject({ numGroups: 3, numChannels: 6, affine: true, bias: true });
    using weighted = GroupNorm.fromStateDict({ weight: zeros(6) }, { numGroups: 3 });
    expect(weighted.bias).toBe(false);
    expect([...weighted.stateDict().keys()]).toEqual(["weight"]);
    // Metadata tells the groups.
    using again = GroupNorm.fromStateDict(grouped.stateDict());
    expect(again.numGroups).toBe(3);
    expect(() => GroupNorm.fromStateDict(groups)).toThrow("numGroups: expected a number, got undefined");
    expect(() => GroupNorm.fromStateDict(grouped.stateDict(), { numGroups: 2 })).toThrow(
      "options.numGroups: expected 3 as dict.metadata has it, got 2",
    );
  });

  it("leave their input alone, give memory back, and end with dispose", () => {
    const { liveBytes } = currentRuntime();
    for (const make of [
      () => new LayerNorm({ normalizedShape: 4 }),
      () => new GroupNorm({ numGroups: 2, numChannels: 4 }),
    ]) {
      const module = make();
      const input = Tensor.randn([3, 4], 1);
      const before = input.data.slice();
      expect(module.forward(input).data).not.toEqual(before);
      expect(input.data).toEqual(before);
      module.dispose();
      module.dispose();
      expect(currentRuntime().liveBytes).toBe(liveBytes);
      const name = module.constructor.name;
      for (const method of ["forward", "loadStateDict", "stateDict"]) {
        expect(() => any(module)[method](input)).toThrow(new Error(`${name}: used after dispose()`));
      }
    }
  });
});

refuses("LayerNorm", [
  ...inputRefusals((given) => layerNorm.forward(any(given))),
  ["a scalar", () => layerNorm.forward(zeros()), RangeError, "input.shape: expected (..., 6), got []"],
  [
    "another size",
    () => layerNorm.forward(zeros(6, 2)),
    RangeError,
    "input.shape: expected (..., 6), got [6, 2]",
  ],
  [
    "too few dimensions",
    () => matrixNorm.forward(zeros(6)),
    RangeError,
    "input.shape: expected (..., 2, 6), got [6]",
  ],
  [
    "another size of several",
    () => matrixNorm.forward(zeros(2, 3, 6)),
    RangeError,
    "input.shape: expected (..., 2, 6), got [2, 3, 6]",
  ],
  [
    "no options",
    () => new LayerNorm(any(undefined)),
    TypeError,
    "normalizedShape: expected a number, got undefined",
  ],
  [
    "a shape without dimensions",
    () => new LayerNorm({ normalizedShape: [] }),
    RangeError,
    "normalizedShape: expected at least 1 dimension, and sizes of at least 1, got []",
  ],
  [
    "a size of 0",
    () => new LayerNorm({ normalizedShape: [2, 0] }),
    RangeError,
    "normalizedShape: expected at least 1 dimension, and sizes of at least 1, got [2, 0]",
  ],
  [
    "a negative eps",
    () => new LayerNorm({ normalizedShape: 2, eps: -1 }),
    RangeError,
    "eps: expected a number of at least 0, got -1",
  ],
  [
    "an eps that is NaN",
    () => new LayerNorm({ normalizedShape: 2, eps: Number.NaN }),
    RangeError,
    "eps: expected a number of at least 0, got NaN",
  ],
  [
    "an unknown option",
    () => new LayerNorm(any({ normalizedShape: 2, affine: true })),
    TypeError,
    "options.affine: unknown option; known are normalizedShape, eps, elementwiseAffine, bias",
  ],
  [
    "a bias that it has not",
    () => unbiased.loadStateDict({ weight: zeros(2), bias: zeros(2) }),
    RangeError,
    "LayerNorm.loadStateDict: unexpected bias",
  ],
  [
    "a state dict without weight",
    () => LayerNorm.fromStateDict({ "norm.weight": zeros(2) }),
    RangeError,
    'dict: expected a key weight; found norm.weight; did you mean prefix "norm."?',
  ],
]);

refuses("GroupNorm", [
  ...inputRefusals((given) => groupNorm.forward(any(given))),
  ["a vector", () => groupNorm.forward(zeros(4)), RangeError, "input.shape: expected (N, C, ...), got [4]"],
  [
    "other channels",
    () => groupNorm.forward(zeros(2, 3, 4)),
    RangeError,
    "input.shape[1]: expected numChannels 4, got 3",
  ],
  [
    "groups that do not divide the channels",
    () => new GroupNorm({ numGroups: 3, numChannels: 4 }),
    RangeError,
    "numChannels: expected a multiple of numGroups 3, got 4",
  ],
  [
    "one number in each group of one row",
    () => single.forward(zeros(1, 4)),
    RangeError,
    "input.shape: expected more than one number in a group, got [1, 4]",
  ],
  [
    "a state dict without the groups",
    () => GroupNorm.fromStateDict({ weight: zeros(4), bias: zeros(4) }, any({})),
    TypeError,
    "numGroups: expected a number, got undefined",
  ],
  [
    "a weight of two dimensions",
    () => GroupNorm.fromStateDict({ weight: zeros(4, 1), bias: zeros(4) }, { numGroups: 2 }),
    RangeError,
    "weight.shape: expected 1 dimensions, got [4, 1]",
  ],
  [
    "a bias that it has not",
    () => unbiasedGroups.loadStateDict({ weight: zeros(4), bias: zeros(4) }),
    RangeError,
    "GroupNorm.loadStateDict: unexpected bias",
  ],
]);
