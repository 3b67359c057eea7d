/** What int8 modules refuse to load. */
import { describe, expect, it } from "vitest";
import { GRU, Linear, LSTM, RNN, type StateDict, Tensor } from "../../../src/index.js";
import { currentRuntime } from "../../../src/wasm/current.js";

describe("refusals", () => {
  const options = { inputSize: 3, hiddenSize: 2, precision: "int8" } as const;

  it("an unknown precision", () => {
    const bad = (precision: unknown) => ({ inputSize: 3, hiddenSize: 2, precision }) as never;
    for (const Module of [LSTM, GRU, RNN]) {
      expect(() => new Module(bad("int4"))).toThrow('precision: expected "float32" or "int8", got int4');
      expect(() => new Module(bad(8))).toThrow(TypeError);
      expect(() => Module.fromStateDict(new Map(), bad("int4"))).toThrow(/precision/);
    }
    expect(() => new Linear({ inFeatures: 1, outFeatures: 1, precision: "toString" as never })).toThrow(
      /precision: expected/,
    );
  });

  const spoilt: [string, RegExp, (dict: StateDict) => void][] = [
    ["missing scales", /missing p\.weight_hh_l0_scale/, (dict) => dict.delete("p.weight_hh_l0_scale")],
    [
      "scales of a wrong shape",
      /p\.weight_ih_l0_scale: expected shape \[8\], got \[1\]/,
      (dict) => dict.set("p.weight_ih_l0_scale", Tensor.zeros([1])),
    ],
    ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY].map((scale): (typeof spoilt)[number] => [
      `a scale of ${scale}`,
      new RegExp(`p\\.weight_ih_l0_scale\\[3\\]: expected a finite number above 0, got ${scale}`),
      (dict) => {
        dict.get("p.weight_ih_l0_scale")!.data[3] = scale as never;
      },
    ]),
    ["missing weights", /missing p\.weight_hh_l0/, (dict) => dict.delete("p.weight_hh_l0")],
    [
      "weights of a wrong shape",
      /p\.weight_hh_l0: expected shape \[8, 2\], got \[8, 3\]/,
      (dict) => dict.set("p.weight_hh_l0", new Tensor(new Int8Array(24), [8, 3])),
    ],
    [
      "scales beside float weights",
      /p\.weight_hh_l0: expected an Int8Array beside p\.weight_hh_l0_scale/,
      (dict) => dict.set("p.weight_hh_l0", Tensor.zeros([8, 2])),
    ],
    [
      "int8 biases",
      /p\.bias_ih_l0: expected float numbers, got int8/,
      (dict) => dict.set("p.bias_ih_l0", new Tensor(new Int8Array(8), [8])),
    ],
    [
      "an unexpected key",
      /unexpected p\.bias_ih_l0_scale/,
      (dict) => dict.set("p.bias_ih_l0_scale", Tensor.zeros([8])),
    ],
  ];
  it.each(spoilt)("%s", (_, message, spoil) => {
    using lstm = new LSTM(options);
    const before = lstm.stateDict();
    using other = new LSTM(options);
    const dict: StateDict = new Map([...other.stateDict()].map(([name, tensor]) => [`p.${name}`, tensor]));
    spoil(dict);
    expect(() => lstm.loadStateDict(dict, { prefix: "p." })).toThrow(message);
    expect(lstm.stateDict()).toEqual(before);
    const live = currentRuntime().liveBytes;
    expect(() => LSTM.fromStateDict(dict, { prefix: "p.", precision: "int8" })).toThrow();
    expect(currentRuntime().liveBytes).toBe(live);
  });

  it("float weights that are not finite", () => {
    using lstm = new LSTM(options);
    const dict = new LSTM({ ...options, precision: "float32" }).stateDict();
    dict.get("weight_hh_l0")!.data[5] = Number.NaN;
    expect(() => lstm.loadStateDict(dict)).toThrow(
      "weight_hh_l0[2][1]: expected a finite number to quantise, got NaN",
    );
  });

  it("int8 weights in a float32 module", () => {
    using int8 = new LSTM(options);
    using float = new LSTM({ ...options, precision: "float32" });
    const before = float.stateDict();
    const message =
      /weight_ih_l0: expected float numbers, got int8, which takes a module of precision "int8"/;
    expect(() => float.loadStateDict(int8.stateDict(), { strict: false })).toThrow(message);
    expect(() => LSTM.fromStateDict(int8.stateDict(), { precision: "float32" })).toThrow(message);
    expect(float.stateDict()).toEqual(before);
  });

  it("with strict: false, scales without their weights, and weights without their scales", () => {
    using linear = new Linear({ inFeatures: 2, outFeatures: 2, precision: "int8" });
    const { weight, weight_scale } = Object.fromEntries(linear.stateDict()) as Record<string, Tensor>;
    const load = (dict: Record<string, Tensor>) => linear.loadStateDict(dict, { strict: false });
    expect(() => load({ weight_scale: weight_scale! })).toThrow(/missing weight, whose scales are given/);
    expect(() => load({ weight: weight! })).toThrow(/missing weight_scale, the scales of int8 weight/);
    expect(load({}).stateDict().get("weight")).toEqual(weight);
  });
});
