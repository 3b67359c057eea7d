/** Inputs that 14 bits cannot hold: NaN, infinity, huge, tiny and equal numbers. */
import { beforeEach, describe, expect, it } from "vitest";
import { Linear, type StateDict, Tensor } from "../../../src/index.js";
import { dequantize, matrixOf } from "../../support/int8-model.js";
import { drawn, FORMS, float32Of, MODULES, runAny, selectGroups } from "../../support/int8-modules.js";

describe.each(FORMS)("rows that 14 bits cannot hold, form %i", (form) => {
  beforeEach(() => {
    selectGroups(form);
  });

  const dictOf = (module: { stateDict(): StateDict }) => module.stateDict();

  it("NaN makes its row NaN, and no other", () => {
    using linear = drawn(new Linear({ inFeatures: 20, outFeatures: 18, precision: "int8" }));
    const input = float32Of([7, 20], 7);
    const clean = linear.forward(input).data;
    input.data[3 * 20 + 19] = Number.NaN;
    input.data[4 * 20 + 1] = Number.NaN;
    input.data[4 * 20 + 2] = Number.POSITIVE_INFINITY;
    const { data } = linear.forward(input);
    data.forEach((value, at) => {
      const row = Math.floor(at / 18);
      if (row === 3 || row === 4) expect(value).toBeNaN();
      else expect(value).toBe(clean[at]);
    });
  });

  it.each([1, 17])("infinity is where float32 has it, %i outputs", (outFeatures) => {
    using linear = drawn(new Linear({ inFeatures: 6, outFeatures, precision: "int8" }));
    using float = new Linear({ inFeatures: 6, outFeatures }).loadStateDict(dequantize(dictOf(linear)));
    const input = float32Of([4, 6], 8);
    input.data[1] = Number.POSITIVE_INFINITY;
    input.data[9] = Number.NEGATIVE_INFINITY;
    input.data[14] = Number.POSITIVE_INFINITY;
    input.data[15] = Number.POSITIVE_INFINITY;
    const expected = float.forward(input).data;
    const { data } = linear.forward(input);
    expect(expected.some((value) => !Number.isFinite(value))).toBe(true);
    data.forEach((value, at) => {
      if (Number.isFinite(expected[at])) expect(Math.abs(value - expected[at]!)).toBeLessThan(1e-3);
      else expect(value).toBe(expected[at]);
    });
  });

  it.each(MODULES)("%s: NaN and infinity go where they go in float32", (_, Module, extra) => {
    const options = { inputSize: 9, hiddenSize: 21, numLayers: 2, precision: "int8", ...extra } as const;
    using module = drawn(new Module(options));
    using float = Module.fromStateDict(dequantize(dictOf(module)));
    expect(float.precision).toBe("float32");
    const input = float32Of([6, 4, 9], 9);
    input.data[(2 * 4 + 1) * 9 + 4] = Number.NaN;
    input.data[(1 * 4 + 2) * 9 + 3] = Number.POSITIVE_INFINITY;
    input.data[(3 * 4 + 3) * 9 + 8] = Number.NEGATIVE_INFINITY;
    const expected = runAny(float, input)[0].data;
    const { data } = runAny(module, input)[0];
    expect(expected.some(Number.isNaN)).toBe(true);
    data.forEach((value, at) => {
      if (Number.isNaN(expected[at])) expect(value).toBeNaN();
      else expect(Math.abs(value - expected[at]!)).toBeLessThan(2e-3);
    });
  });

  it.each([1e30, 1e36, 1e-25, 1e-30, 1e-34, 1e-38, 1e-41])("inputs of magnitude %d", (magnitude) => {
    using linear = drawn(new Linear({ inFeatures: 50, outFeatures: 20, bias: false, precision: "int8" }));
    const { values, scales, columns } = matrixOf(linear.stateDict(), "weight");
    const input = float32Of([3, 50], 10, magnitude);
    const { data } = linear.forward(input);
    data.forEach((value, at) => {
      const row = Math.floor(at / 20);
      const output = at % 20;
      let exact = 0;
      let size = 0;
      for (let column = 0; column < 50; column++) {
        const term = values[output * columns + column]! * scales[output]! * input.data[row * 50 + column]!;
        exact += term;
        size += Math.abs(term);
      }
      // 14 bits of a row, or what the subnormal result itself is rounded to, 50 times.
      expect(Math.abs(value - exact)).toBeLessThanOrEqual(size * 3e-4 + 50 * 2 ** -149);
    });
  });

  it("zeros give the bias; equal numbers are exact", () => {
    using linear = drawn(new Linear({ inFeatures: 33, outFeatures: 5, precision: "int8" }));
    const dict = linear.stateDict();
    const zeros = linear.forward(Tensor.zeros([2, 33]));
    expect(zeros.data.slice(5)).toEqual(dict.get("bias")!.data);
    const { values, scales } = matrixOf(dict, "weight");
    const { data } = linear.forward(new Tensor(new Float32Array(33).fill(-2.5), [33]));
    data.forEach((value, output) => {
      const sum = values.slice(output * 33, (output + 1) * 33).reduce((total, weight) => total + weight, 0);
      const exact = sum * scales[output]! * -2.5 + (dict.get("bias")!.data[output] as number);
      expect(Math.abs(value - exact)).toBeLessThan(1e-6);
    });
  });
});
