import { describe, expect, it } from "vitest";
import { fromKeras } from "../../src/formats/keras.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { kerasGru, kerasLstm, randomRows, torchGru, torchLstm } from "../support/reference.js";

const x = [0.3, -1.2];
const h = [0.5, -0.4, 0.1];
const c = [1.5, -2, 0.25];

describe("fromKeras", () => {
  it("gives an LSTM that computes what Keras' does", () => {
    const [kernel, recurrentKernel, bias] = [
      randomRows(2, 12, 1),
      randomRows(3, 12, 2),
      randomRows(1, 12, 3)[0]!,
    ];
    const dict = fromKeras({ kernel, recurrentKernel, bias }, "LSTM");
    expect([...dict].map(([name, { shape }]) => [name, shape])).toEqual([
      ["weight_ih_l0", [12, 2]],
      ["weight_hh_l0", [12, 3]],
      ["bias_ih_l0", [12]],
      ["bias_hh_l0", [12]],
    ]);
    const expected = kerasLstm([kernel, recurrentKernel, bias], x, h, c);
    const got = torchLstm(dict as never, "l0", x, h, c);
    for (const [at, state] of expected.entries()) {
      for (const [unit, value] of state.entries()) expect(got[at]![unit]).toBeCloseTo(value, 12);
    }
  });

  it("gives a GRU that computes what Keras' does", () => {
    const [kernel, recurrentKernel] = [randomRows(2, 9, 4), randomRows(3, 9, 5)];
    const bias = randomRows(2, 9, 6) as [number[], number[]];
    const dict = fromKeras({ kernel, recurrentKernel, bias }, "GRU", { layer: 1, reverse: true });
    expect([...dict.keys()][0]).toBe("weight_ih_l1_reverse");
    const got = torchGru(dict as never, "l1_reverse", x, h);
    for (const [unit, value] of kerasGru([kernel, recurrentKernel, bias], x, h).entries()) {
      expect(got[unit]).toBeCloseTo(value, 12);
    }
  });

  it("takes tensors, and layers without a bias", () => {
    const weights = {
      kernel: Tensor.randn([2, 4], 1),
      recurrentKernel: { data: [1, 2, 3, 4], dims: [1, 4] },
    };
    const dict = fromKeras(weights, "LSTM");
    expect([...dict.keys()]).toEqual(["weight_ih_l0", "weight_hh_l0"]);
    expect(dict.get("weight_hh_l0")?.data).toEqual(Float32Array.of(1, 2, 3, 4));
  });

  const good = { kernel: randomRows(2, 12, 1), recurrentKernel: randomRows(3, 12, 2) };
  it.each<[string, () => unknown, ErrorConstructor, string]>([
    [
      "no weights",
      () => fromKeras(null as never, "LSTM"),
      TypeError,
      "weights: expected an object, got null",
    ],
    [
      "another kind",
      () => fromKeras(good, "RNN" as never),
      TypeError,
      'kind: expected "LSTM" or "GRU", got "RNN"',
    ],
    [
      "no kernel",
      () => fromKeras({ recurrentKernel: good.recurrentKernel } as never, "LSTM"),
      TypeError,
      "kernel",
    ],
    [
      "the wrong kind",
      () => fromKeras(good, "GRU"),
      RangeError,
      "recurrentKernel: expected shape [H, 3 H] for GRU, got [3, 12]",
    ],
    [
      "a kernel of PyTorch's layout",
      () => fromKeras({ ...good, kernel: randomRows(12, 2, 1) }, "LSTM"),
      RangeError,
      "kernel: expected shape [inputSize, 12], got [12, 2]",
    ],
    [
      "a kernel that is a list",
      () => fromKeras({ ...good, kernel: [1, 2] }, "LSTM"),
      RangeError,
      "kernel: expected a matrix, got shape [2]",
    ],
    [
      "rows of unequal length",
      () => fromKeras({ ...good, kernel: [[1, 2], [3]] }, "LSTM"),
      TypeError,
      "kernel: expected nested arrays of numbers in rows of equal length",
    ],
    [
      "a bias of the wrong length",
      () => fromKeras({ ...good, bias: [1] }, "LSTM"),
      RangeError,
      "bias: expected shape [12], got [1]",
    ],
    [
      "reset_after=False",
      () =>
        fromKeras(
          {
            kernel: randomRows(2, 9, 1),
            recurrentKernel: randomRows(3, 9, 1),
            bias: randomRows(1, 9, 1)[0]!,
          },
          "GRU",
        ),
      RangeError,
      "bias: expected shape [2, 9], got [9]; a GRU with reset_after=False is not PyTorch's",
    ],
    [
      "an unknown option",
      () => fromKeras(good, "LSTM", { prefix: "" } as never),
      TypeError,
      "options.prefix: unknown option",
    ],
    ["a negative layer", () => fromKeras(good, "LSTM", { layer: -1 }), RangeError, "options.layer"],
  ])("refuses %s", (_, call, type, message) => {
    expect(call).toThrow(type);
    expect(call).toThrow(message);
  });
});
