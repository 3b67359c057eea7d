/** Float weights that a module of precision int8 quantises when it loads them. */
import { describe, expect, it, vi } from "vitest";
import { readSafetensors, writeSafetensors } from "../../../src/formats/index.js";
import { GRU, Linear, LSTM, RNN, Tensor } from "../../../src/index.js";
import { quantizeMatrix } from "../../../src/int8/round-weights.js";
import { currentRuntime } from "../../../src/wasm/current.js";
import { dequantize } from "../../support/int8-model.js";

describe("quantisation at load", () => {
  it("is that of quantizeMatrix, under PyTorch's names", () => {
    using float = new LSTM({ inputSize: 7, hiddenSize: 10, projSize: 4 });
    const dict = float.stateDict();
    using int8 = LSTM.fromStateDict(dict, { precision: "int8" });
    const read = int8.stateDict();
    for (const name of ["weight_ih_l0", "weight_hh_l0", "weight_hr_l0"]) {
      const { data, shape } = dict.get(name)!;
      const rows = shape[0]!;
      const { values, scales } = quantizeMatrix(data, rows);
      expect(read.get(name)).toEqual(new Tensor(values, shape));
      expect(read.get(`${name}_scale`)).toEqual(new Tensor(scales, [rows]));
    }
    for (const name of ["bias_ih_l0", "bias_hh_l0"]) expect(read.get(name)).toEqual(dict.get(name));
    expect([...read.keys()].slice(0, 3)).toEqual(["weight_ih_l0", "weight_ih_l0_scale", "weight_hh_l0"]);
  });

  it("keeps rows of zeros, of one value, of subnormal and of huge numbers", () => {
    const rows = [0, 0, 0, 3, 3, 3, -2, 1, 0.5, 1e-44, -3e-45, 0, 3e38, -3e38, 1e38];
    const weight = new Tensor(Float32Array.from(rows), [5, 3]);
    using linear = Linear.fromStateDict({ weight }, { precision: "int8" });
    const dict = linear.stateDict();
    const scales = dict.get("weight_scale")!.data as Float32Array;
    expect(scales[0]).toBe(1);
    using again = Linear.fromStateDict(dict);
    expect(again.stateDict()).toEqual(dict);
    dequantize(dict)
      .get("weight")!
      .data.forEach((value, at) => {
        expect(Math.abs(value - weight.data[at]!)).toBeLessThanOrEqual(scales[Math.floor(at / 3)]!);
      });
  });

  it("makes no float32 copy of int8 weights on the way from a file", () => {
    const [inFeatures, outFeatures] = [1000, 500];
    using linear = new Linear({ inFeatures, outFeatures, precision: "int8" });
    const file = writeSafetensors(linear.stateDict());
    let longest = 0;
    // Views of existing buffers are no copies.
    const construct = (Floats: Float32ArrayConstructor, args: unknown[], newTarget: never) => {
      const array = Reflect.construct(Floats, args, newTarget) as Float32Array;
      if (!(args[0] instanceof ArrayBuffer)) longest = Math.max(longest, array.length);
      return array;
    };
    const before = currentRuntime().liveBytes;
    vi.stubGlobal("Float32Array", new Proxy(Float32Array, { construct }));
    try {
      using counted = new Linear({ inFeatures, outFeatures });
      expect(longest).toBeGreaterThanOrEqual(inFeatures * outFeatures);
      counted.dispose();
      longest = 0;
      using loaded = Linear.fromStateDict(readSafetensors(file));
      expect(loaded.stateDict()).toEqual(linear.stateDict());
      expect(currentRuntime().liveBytes - before).toBeLessThan(1.1 * inFeatures * outFeatures);
    } finally {
      vi.unstubAllGlobals();
    }
    expect(longest).toBeLessThanOrEqual(outFeatures);
  });

  it("takes a quarter of the memory, and scales", () => {
    const runtime = currentRuntime();
    const bytesOf = (make: () => { dispose(): void }) => {
      const before = runtime.liveBytes;
      const module = make();
      const bytes = runtime.liveBytes - before;
      module.dispose();
      expect(runtime.liveBytes).toBe(before);
      return bytes;
    };
    const [inputSize, hiddenSize] = [64, 128];
    const sizes = { inputSize, hiddenSize };
    const makers = [
      { gates: 4, make: (precision: "int8" | "float32") => new LSTM({ ...sizes, precision }) },
      { gates: 3, make: (precision: "int8" | "float32") => new GRU({ ...sizes, precision }) },
      { gates: 1, make: (precision: "int8" | "float32") => new RNN({ ...sizes, precision }) },
    ];
    for (const { gates, make } of makers) {
      const weights = gates * hiddenSize * (inputSize + hiddenSize);
      const biases = 2 * gates * hiddenSize * 4;
      // Two matrices and a layer of 36 bytes each, in blocks of 48; 128 bytes in which the panels find their place.
      const records = 3 * 48 + 128;
      expect(bytesOf(() => make("float32"))).toBe(weights * 4 + records + biases);
      // Whole lines of 4 or 6 vectors; beside the integers a scale and the sum of the weights for each row.
      const line = 4 * runtime.kernels.vectorsPerLine(1);
      const rows = Math.ceil((gates * hiddenSize) / line) * line;
      expect(bytesOf(() => make("int8"))).toBe(
        rows * (inputSize + hiddenSize) + 2 * rows * 8 + 2 * rows * 4 + records,
      );
    }
  });
});
