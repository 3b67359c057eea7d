import { describe, expect, it } from "vitest";
import { fromKeras } from "../../src/formats/keras/from-keras.js";
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

  const gru = { kernel: randomRows(2, 9, 1), recurrentKernel: randomRows(3, 9, 1) };
  const options = (dict: ReturnType<typeof fromKeras>) =>
    (dict as { metadata?: Record<string, { options: object }> }).metadata?.[""]?.options;

  it("keeps the layer's options in the dict's metadata, in Keras' spelling and TF.js'", () => {
    const told = { activation: "leaky_relu", recurrentActivation: "hardSigmoid", goBackwards: true };
    expect(options(fromKeras(good, "LSTM", { ...told, kerasVersion: "2.2.4" }))).toMatchObject({
      inputSize: 2,
      hiddenSize: 3,
      bias: false,
      batchFirst: true,
      goBackwards: true,
      activation: { name: "leakyRelu", alpha: 0.2 },
      cellActivation: { name: "leakyRelu", alpha: 0.2 },
      recurrentActivation: { name: "hardSigmoid", alpha: 0.2, beta: 0.5 },
    });
    const third = { recurrentActivation: "hard_sigmoid", kerasVersion: 3 };
    expect(options(fromKeras(good, "LSTM", third))).toMatchObject({
      recurrentActivation: { name: "hardSigmoid", alpha: 1 / 6, beta: 0.5 },
    });
    expect(options(fromKeras(good, "LSTM", { kerasVersion: "tfjs-layers 4.22.0" }))).toMatchObject({
      recurrentActivation: { name: "hardSigmoid", alpha: 0.2, beta: 0.5 },
    });
    const own = { name: "elu", alpha: 0.5 } as const;
    expect(options(fromKeras(good, "LSTM", { activation: own }))).toMatchObject({ activation: own });
    expect(options(fromKeras(gru, "GRU", { resetAfter: false }))).toMatchObject({ resetAfter: false });
    const before = fromKeras({ ...gru, bias: randomRows(1, 9, 1)[0]! }, "GRU");
    expect(options(before)).toMatchObject({ resetAfter: false, bias: true });
    const rnn = { kernel: randomRows(2, 3, 1), recurrentKernel: randomRows(3, 3, 2) };
    expect(options(fromKeras(rnn, "RNN", { activation: "relu" }))).toMatchObject({ nonlinearity: "relu" });
  });

  it("gives no options to a part of a stack, which alone is no module", () => {
    expect(options(fromKeras(good, "LSTM", { layer: 1 }))).toBeUndefined();
    expect(options(fromKeras(good, "LSTM", { reverse: true }))).toBeUndefined();
  });

  it("takes a bias of 8H as that of cuDNN, whose blocks are PyTorch's", () => {
    const weights = { kernel: randomRows(2, 12, 1), recurrentKernel: randomRows(3, 12, 2) };
    const dict = fromKeras({ ...weights, bias: randomRows(1, 24, 3)[0]! }, "LSTM");
    // The columns 0 to 2 of both rows, read row by row, are the block (3, 2) of gate i.
    const [first, second] = weights.kernel as [number[], number[]];
    const block = Float32Array.from([...first.slice(0, 3), ...second.slice(0, 3)]);
    expect(dict.get("weight_ih_l0")!.data.subarray(0, 6)).toEqual(block);
    expect(dict.get("bias_hh_l0")!.data).toEqual(Float32Array.from(randomRows(1, 24, 3)[0]!.slice(12)));
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
      () => fromKeras(good, "SimpleRNN" as never),
      TypeError,
      'kind: expected "LSTM", "GRU" or "RNN", got "SimpleRNN"',
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
      "bias: expected shape [12], or [24] of cuDNN, got [1]",
    ],
    [
      "a GRU without bias that says nothing of reset_after",
      () => fromKeras(gru, "GRU"),
      TypeError,
      "options.resetAfter: expected true or false, which a GRU without bias does not tell, got undefined",
    ],
    [
      "a resetAfter that the bias contradicts",
      () => fromKeras({ ...gru, bias: randomRows(1, 9, 1)[0]! }, "GRU", { resetAfter: true }),
      RangeError,
      "options.resetAfter: expected false, as the bias has it, got true",
    ],
    [
      "a resetAfter for an LSTM",
      () => fromKeras(good, "LSTM", { resetAfter: true }),
      RangeError,
      "options.resetAfter: expected none for an LSTM, got true",
    ],
    [
      "a hard sigmoid of no version",
      () => fromKeras(good, "LSTM", { recurrentActivation: "hard_sigmoid" }),
      RangeError,
      "options.recurrentActivation: expected an activation that has an equal here, got hard_sigmoid is 0.2 x + 0.5 in Keras 1 and 2 and in TF.js, x / 6 + 0.5 in Keras 3; state kerasVersion",
    ],
    [
      "an activation that has no equal",
      () => fromKeras(good, "LSTM", { activation: "softmax" }),
      RangeError,
      'options.activation: expected an activation that has an equal here, got activation "softmax" has no equal here',
    ],
    [
      "gates of an RNN",
      () => fromKeras(good, "RNN", { recurrentActivation: "sigmoid" }),
      RangeError,
      'options.recurrentActivation: expected none for an RNN, which has no gates, got "sigmoid"',
    ],
    [
      "another version",
      () => fromKeras(good, "LSTM", { kerasVersion: 4 }),
      TypeError,
      'options.kerasVersion: expected 1, 2, 3 or a version such as "2.2.4", got 4',
    ],
    [
      "a version of two meanings",
      () => fromKeras(good, "LSTM", { kerasVersion: "2.2.4-tf" }),
      TypeError,
      "options.recurrentActivation: expected an activation, since 2.2.4-tf",
    ],
    [
      "both ways backwards",
      () => fromKeras(good, "LSTM", { reverse: true, goBackwards: true }),
      RangeError,
      "options.goBackwards: expected false for the half of a Bidirectional that is reverse, got true",
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
