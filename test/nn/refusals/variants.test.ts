/** What recurrent layers refuse of the options that PyTorch's do not have, and of masks. */
import { GRU, GRUCell, LSTM, LSTMCell, RNN, Tensor } from "../../../src/index.js";
import { ACTIVATIONS, any, refuses, SIZES } from "../../support/refusals.js";

const lstmWith = (options: object) => () => new LSTM({ ...SIZES, ...options });
const reverse = new LSTM({ ...SIZES, reverse: true });
const peepholes = new LSTM({ ...SIZES, peepholes: true });
const stateful = new GRU({ ...SIZES, initialState: true });
const HARD_SIGMOID =
  '{ name: "hardSigmoid", alpha, beta }: 0.2 and 0.5 of Keras 1 and 2, TF.js and ONNX, 1/6 and 0.5 of Keras 3 and PyTorch';

refuses("activations", [
  [
    "PyTorch's name in another case",
    lstmWith({ activation: "ReLU" }),
    RangeError,
    `activation: expected one of ${ACTIVATIONS}, got ReLU`,
  ],
  [
    "a name of Object.prototype",
    lstmWith({ cellActivation: "toString" }),
    RangeError,
    `cellActivation: expected one of ${ACTIVATIONS}, got toString`,
  ],
  [
    "a number",
    lstmWith({ recurrentActivation: 3 }),
    TypeError,
    "recurrentActivation: expected a name or { name, alpha, beta }, got 3",
  ],
  [
    "an object without a name",
    lstmWith({ activation: { alpha: 1 } }),
    TypeError,
    `activation.name: expected one of ${ACTIVATIONS}, got undefined`,
  ],
  [
    "an unknown constant",
    lstmWith({ activation: { name: "elu", gamma: 1 } }),
    TypeError,
    "activation.gamma: unknown option; known are name, alpha, beta",
  ],
  [
    "a constant that a formula has not",
    lstmWith({ activation: { name: "relu", alpha: 1 } }),
    RangeError,
    "activation.alpha: expected none for relu, got 1",
  ],
  [
    "a constant that is no number",
    lstmWith({ activation: { name: "elu", alpha: "1" } }),
    TypeError,
    'activation.alpha: expected a finite number, got "1"',
  ],
  [
    "an infinite constant",
    lstmWith({ activation: { name: "affine", beta: Infinity } }),
    TypeError,
    "activation.beta: expected a finite number, got Infinity",
  ],
  [
    "celu of 0",
    lstmWith({ activation: { name: "celu", alpha: 0 } }),
    RangeError,
    "activation.alpha: expected a number of at least 1.1754943508222875e-38, got 0",
  ],
  [
    "hardShrink of -1",
    lstmWith({ activation: { name: "hardShrink", alpha: -1 } }),
    RangeError,
    "activation.alpha: expected a number of at least 0, got -1",
  ],
  [
    "hardSigmoid without constants",
    () => new GRU({ ...SIZES, recurrentActivation: "hardSigmoid" }),
    RangeError,
    `recurrentActivation: expected ${HARD_SIGMOID}, got no alpha`,
  ],
  [
    "hardSigmoid without beta",
    () => new RNN({ ...SIZES, nonlinearity: { name: "hardSigmoid", alpha: 0.2 } }),
    RangeError,
    `nonlinearity: expected ${HARD_SIGMOID}, got no beta`,
  ],
]);

refuses("bounds and directions", [
  ["clip 0", lstmWith({ clip: 0 }), RangeError, "clip: expected a number above 0, got 0"],
  ["clip NaN", lstmWith({ clip: Number.NaN }), RangeError, "clip: expected a number above 0, got NaN"],
  ["cellClip -1", lstmWith({ cellClip: -1 }), RangeError, "cellClip: expected a number above 0, got -1"],
  ["cellClip null", lstmWith({ cellClip: null }), TypeError, "cellClip: expected a number, got null"],
  [
    "reverse in both directions",
    lstmWith({ reverse: true, bidirectional: true }),
    RangeError,
    "reverse: expected false beside bidirectional, got true",
  ],
  [
    "goBackwards in both directions",
    () => new GRU({ ...SIZES, goBackwards: true, bidirectional: true }),
    RangeError,
    "goBackwards: expected false beside bidirectional, got true",
  ],
  [
    "reverse and goBackwards",
    () => new RNN({ ...SIZES, goBackwards: true, reverse: true }),
    RangeError,
    "goBackwards: expected false beside reverse, got true",
  ],
  [
    "a stream from the end",
    () => reverse.stream(),
    RangeError,
    "stream: a backward module needs the future of its input",
  ],
  [
    "a cell with layer norm",
    () => LSTMCell.fromStateDict({ "ln_ih.weight": Tensor.zeros([16]) }),
    RangeError,
    'dict: "ln_ih.weight": layer norm is not supported',
  ],
  [
    "a layer with layer norm",
    () => LSTM.fromStateDict({ "rnn.ln_ih_l0": Tensor.zeros([16]) }, { prefix: "rnn." }),
    RangeError,
    'dict: "rnn.ln_ih_l0": layer norm is not supported',
  ],
  [
    "peepholes of another size",
    () => peepholes.loadStateDict({ weight_cf_l0: Tensor.zeros([6]) }, { strict: false }),
    RangeError,
    "LSTM.loadStateDict: weight_cf_l0: expected shape [4], got [6]",
  ],
  [
    "initial states of another size",
    () => stateful.loadStateDict({ h0: Tensor.zeros([1, 1, 4]) }, { strict: false }),
    RangeError,
    "GRU.loadStateDict: h0: expected shape [1, 4], got [1, 1, 4]",
  ],
  [
    "resetAfter as a number",
    () => new GRUCell(any({ ...SIZES, resetAfter: 0 })),
    TypeError,
    "resetAfter: expected true or false, got 0",
  ],
]);

const gru = new GRU({ ...SIZES, batchFirst: true });
const input = Tensor.zeros([2, 3, 6]);
const masked = (options: object) => () => gru.forward(input, undefined, options);
const EXPECTED = "booleans or numbers, or a Tensor of them";

refuses("masks", [
  [
    "a mask beside lengths",
    masked({ mask: input, lengths: [3, 3] }),
    RangeError,
    "mask: expected none beside lengths, got both",
  ],
  ["a string", masked({ mask: "110110" }), TypeError, `mask: expected ${EXPECTED}, got "110110"`],
  ["another length", masked({ mask: [1, 1, 0, 1, 1] }), RangeError, "mask.length: expected 6, got 5"],
  ["too few rows", masked({ mask: [[1, 1, 0]] }), RangeError, "mask.length: expected 2, got 1"],
  ["a row too short", masked({ mask: [[1, 1, 0], [1]] }), RangeError, "mask[1].length: expected 3, got 1"],
  [
    "a Tensor in the other layout",
    masked({ mask: Tensor.zeros([3, 2]) }),
    RangeError,
    "mask.shape: expected [2, 3], got [3, 2]",
  ],
  [
    "a string in it",
    masked({ mask: [1, 1, 1, 1, 1, "0"] }),
    TypeError,
    'mask[5]: expected true, false or a number, got "0"',
  ],
  [
    "a row that is no list",
    masked({ mask: [[1, 1, 0], 5] }),
    TypeError,
    `mask[1]: expected ${EXPECTED}, got 5`,
  ],
  [
    "an object without data",
    masked({ mask: { shape: [2, 3] } }),
    TypeError,
    `mask: expected ${EXPECTED}, got an Object`,
  ],
  [
    "another maskedOutput",
    masked({ mask: [1, 1, 1, 1, 1, 1], maskedOutput: "zero" }),
    RangeError,
    'maskedOutput: expected "repeat" or "zeros", got zero',
  ],
  [
    "maskedOutput alone",
    masked({ maskedOutput: "zeros" }),
    RangeError,
    "maskedOutput: expected none without a mask, got zeros",
  ],
]);
