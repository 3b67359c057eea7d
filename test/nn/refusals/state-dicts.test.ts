/** What loadStateDict and fromStateDict refuse, and what is not strict. */
import { describe, expect, it } from "vitest";
import {
  Embedding,
  GRU,
  GRUCell,
  Linear,
  LSTM,
  LSTMCell,
  RNN,
  type StateDict,
  Tensor,
} from "../../../src/index.js";
import {
  any,
  bidirectional,
  embedding,
  gru,
  gruCell,
  linear,
  lstm,
  projected,
  refuses,
  rnn,
  rnnCell,
  SIZES,
  zeros,
} from "../../support/refusals.js";

/** Without metadata, which is told before the weights. */
const dictOf = (module: { stateDict(): StateDict }): StateDict => new Map(module.stateDict());
/** The LSTM's dict with changes; undefined takes a key away. */
function changed(changes: Record<string, unknown>, from: { stateDict(): StateDict } = lstm) {
  const dict = dictOf(from) as Map<string, unknown>;
  for (const [name, tensor] of Object.entries(changes)) {
    if (tensor === undefined) dict.delete(name);
    else dict.set(name, tensor);
  }
  return any(dict);
}
const load = (dict: unknown, options?: unknown) => () => lstm.loadStateDict(any(dict), any(options));

refuses("loadStateDict", [
  ["nothing", load(undefined), TypeError, "dict: expected a Map or a record of tensors, got undefined"],
  ["null", load(null), TypeError, "dict: expected a Map or a record of tensors, got null"],
  ["an array", load([]), TypeError, "dict: expected a Map or a record of tensors, got an array of length 0"],
  ["a string", load("weights"), TypeError, 'dict: expected a Map or a record of tensors, got "weights"'],
  [
    "an unknown option",
    load({}, { assign: true }),
    TypeError,
    "options.assign: unknown option; known are prefix, strict",
  ],
  [
    "strict that is not a boolean",
    load({}, { strict: 1 }),
    TypeError,
    "strict: expected true or false, got 1",
  ],
  ["a prefix that is not a string", load({}, { prefix: 1 }), TypeError, "prefix: expected a string, got 1"],
  [
    "what is missing, unexpected and mis-shaped, all at once",
    () => {
      const random = changed({
        weight_ih_l0: Tensor.randn([16, 6]),
        weight_hh_l0: undefined,
        bias_ih_l0: Tensor.randn([4, 4]),
        bias_hh_l1: undefined,
        weight_hh_l1: Tensor.randn([4, 16]),
        weight_ih_l2: Tensor.randn([16, 4]),
        extra: Tensor.randn([1]),
      });
      lstm.loadStateDict(random);
    },
    RangeError,
    "LSTM.loadStateDict: missing weight_hh_l0; bias_ih_l0: expected shape [16], got [4, 4]; " +
      "weight_hh_l1: expected shape [16, 4], got [4, 16]; missing bias_hh_l1; unexpected weight_ih_l2; unexpected extra",
  ],
  [
    "a record without the prefix's keys",
    () => gru.loadStateDict({ "a.weight_ih_l0": zeros(12, 6) }, { prefix: "b." }),
    RangeError,
    "GRU.loadStateDict: missing b.weight_ih_l0; missing b.weight_hh_l0; missing b.bias_ih_l0; missing b.bias_hh_l0",
  ],
  [
    "unexpected keys below a prefix",
    () => rnnCell.loadStateDict({ "x.weight_ih": zeros(4, 6), "x.bias": zeros(4) }, { prefix: "x." }),
    RangeError,
    "RNNCell.loadStateDict: missing x.weight_hh; missing x.bias_ih; missing x.bias_hh; unexpected x.bias",
  ],
  [
    "mis-shaped keys, not strict too",
    load(changed({ weight_ih_l0: zeros(16, 7), bias_hh_l1: zeros(15), extra: zeros(1) }), { strict: false }),
    RangeError,
    "LSTM.loadStateDict: weight_ih_l0: expected shape [16, 6], got [16, 7]; bias_hh_l1: expected shape [16], got [15]",
  ],
  [
    "null as a tensor",
    load(changed({ bias_hh_l1: null })),
    TypeError,
    "bias_hh_l1: expected a Tensor or { data, shape }, got null",
  ],
  [
    "64-bit integers",
    load(changed({ bias_hh_l1: new Tensor(new BigInt64Array(16), [16]) })),
    TypeError,
    "bias_hh_l1.data: expected a Float32Array, got a BigInt64Array",
  ],
  [
    "data that is not of the shape's length",
    load(changed({ bias_hh_l1: { data: new Float32Array(3), shape: [16] } })),
    RangeError,
    "bias_hh_l1.data.length: expected 16 for shape [16], got 3",
  ],
  [
    "a Linear's weight transposed",
    () => linear.loadStateDict({ weight: zeros(6, 4), bias: zeros(4) }),
    RangeError,
    "Linear.loadStateDict: weight: expected shape [4, 6], got [6, 4]",
  ],
  [
    "an Embedding's other size",
    () => embedding.loadStateDict({ weight: zeros(6, 3) }),
    RangeError,
    "Embedding.loadStateDict: weight: expected shape [5, 3], got [6, 3]",
  ],
]);

describe("loadStateDict that is not strict", () => {
  it("keeps what is missing and passes over what is unexpected", () => {
    using module = new LSTM(SIZES);
    const before = module.stateDict();
    const weight = Tensor.randn([16, 6], 1);
    module.loadStateDict({ weight_ih_l0: weight, other: zeros(3) }, { strict: false });
    const after = module.stateDict();
    expect(after.get("weight_ih_l0")).toEqual(weight);
    for (const name of ["weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]) {
      expect(after.get(name)).toEqual(before.get(name));
    }
  });
});

refuses("fromStateDict", [
  [
    "a dict without the prefix",
    () => LSTM.fromStateDict({ "encoder.weight_ih_l0": zeros(16, 6) }),
    RangeError,
    'dict: expected a key weight_ih_l0; found encoder.weight_ih_l0; did you mean prefix "encoder."?',
  ],
  [
    "a prefix that no key has",
    () => GRU.fromStateDict({ weight_ih_l0: zeros(12, 6) }, { prefix: "gru." }),
    RangeError,
    'dict: expected a key gru.weight_ih_l0; no key begins with "gru."',
  ],
  [
    "an empty dict",
    () => RNN.fromStateDict({}),
    RangeError,
    'dict: expected a key weight_ih_l0; no key begins with ""',
  ],
  [
    "null",
    () => LSTM.fromStateDict(any(null)),
    TypeError,
    "dict: expected a Map or a record of tensors, got null",
  ],
  [
    "an unknown option",
    () => LSTM.fromStateDict(dictOf(lstm), any({ bidirectional: true })),
    TypeError,
    "options.bidirectional: unknown option; known are prefix, rename, batchFirst, precision, clip, reverse, goBackwards, activation, recurrentActivation, cellActivation, inputForget, cellClip",
  ],
  [
    "nonlinearity for a GRU",
    () => GRU.fromStateDict(dictOf(gru), any({ nonlinearity: "relu" })),
    TypeError,
    "options.nonlinearity: unknown option; known are prefix, rename, batchFirst, precision, clip, reverse, goBackwards, activation, recurrentActivation, resetAfter",
  ],
  [
    "an unknown nonlinearity",
    () => RNN.fromStateDict(dictOf(rnn), any({ nonlinearity: "sin" })),
    RangeError,
    "nonlinearity: expected one of tanh, sigmoid, relu, linear, hardSigmoid, softsign, softplus, elu, selu, celu, exponential, gelu, silu, mish, leakyRelu, relu6, hardSilu, logSigmoid, squareplus, hardTanh, tanhShrink, softShrink, hardShrink, thresholdedRelu, scaledTanh, affine, got sin",
  ],
  [
    "batchFirst that is not a boolean",
    () => LSTM.fromStateDict(dictOf(lstm), any({ batchFirst: 1 })),
    TypeError,
    "batchFirst: expected true or false, got 1",
  ],
  [
    "a number of rows that no hidden size makes",
    () => LSTM.fromStateDict({ weight_ih_l0: zeros(18, 6) }),
    RangeError,
    "weight_ih_l0.shape[0]: expected 4 times the hidden size, got 18",
  ],
  [
    "a weight with a size 0",
    () => LSTM.fromStateDict({ weight_ih_l0: zeros(16, 0) }),
    RangeError,
    "weight_ih_l0.shape: expected sizes of at least 1, got [16, 0]",
  ],
  [
    "a weight of 1 dimension",
    () => LSTM.fromStateDict({ "a.weight_ih_l0": zeros(16) }, { prefix: "a." }),
    RangeError,
    "a.weight_ih_l0.shape: expected 2 dimensions, got [16]",
  ],
  [
    "a GRU's dict for an LSTM",
    () => LSTM.fromStateDict(dictOf(gru)),
    RangeError,
    "weight_ih_l0.shape[0]: expected 4 times 4 hidden units, got 12: these are weights of GRU",
  ],
  [
    "a layer that lacks its bias",
    () => LSTM.fromStateDict(changed({ bias_ih_l1: undefined })),
    RangeError,
    "LSTM.loadStateDict: missing bias_ih_l1",
  ],
  [
    "a layer in between that is missing",
    () =>
      LSTM.fromStateDict(
        changed({ weight_ih_l1: undefined, weight_ih_l2: zeros(16, 4), bias_ih_l1: undefined }),
      ),
    RangeError,
    "LSTM.loadStateDict: unexpected weight_hh_l1; unexpected bias_hh_l1; unexpected weight_ih_l2",
  ],
  [
    "a projection for a GRU",
    () => GRU.fromStateDict(changed({ weight_hr_l0: zeros(2, 4) }, gru)),
    RangeError,
    "GRU.loadStateDict: unexpected weight_hr_l0",
  ],
  [
    "a projection that is not smaller",
    () => LSTM.fromStateDict(changed({ weight_hr_l0: zeros(4, 4) })),
    RangeError,
    "projSize: expected less than hiddenSize 4, got 4",
  ],
  [
    "half of a second direction",
    () => LSTM.fromStateDict(changed({ weight_hh_l0_reverse: undefined }, bidirectional)),
    RangeError,
    "LSTM.loadStateDict: missing weight_hh_l0_reverse",
  ],
  [
    "a module's dict for a cell",
    () => LSTMCell.fromStateDict(dictOf(projected)),
    RangeError,
    "dict: expected a key weight_ih; found weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, weight_hr_l0",
  ],
  [
    "a cell's unknown option",
    () => GRUCell.fromStateDict(dictOf(gruCell), any({ batchFirst: true })),
    TypeError,
    "options.batchFirst: unknown option; known are prefix, rename, activation, recurrentActivation, resetAfter, clip",
  ],
  [
    "a Linear's dict without its weight",
    () => Linear.fromStateDict({ bias: zeros(4) }),
    RangeError,
    "dict: expected a key weight; found bias",
  ],
  [
    "a Linear's bias of another size",
    () => Linear.fromStateDict({ weight: zeros(4, 6), bias: zeros(6) }),
    RangeError,
    "Linear.loadStateDict: bias: expected shape [4], got [6]",
  ],
  [
    "an Embedding's weight of 3 dimensions",
    () => Embedding.fromStateDict({ weight: zeros(4, 6, 1) }),
    RangeError,
    "weight.shape: expected 2 dimensions, got [4, 6, 1]",
  ],
]);
