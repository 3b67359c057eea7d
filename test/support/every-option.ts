/** Modules with every option that PyTorch's layers do not have, for tests that break what modules are made of. */
import { GRU, GRUCell, LSTM, LSTMCell, RNN, RNNCell } from "../../src/index.js";

const SIZES = { inputSize: 3, hiddenSize: 9 };
const LAYERS = { ...SIZES, numLayers: 2, initialState: true };
const HARD = { name: "hardSigmoid", alpha: 0.2, beta: 0.5 } as const;
const SHARED = { activation: "softsign", recurrentActivation: HARD, clip: 0.9 } as const;
const OF_LSTM = {
  ...SHARED,
  cellActivation: "gelu",
  inputForget: true,
  cellClip: 0.7,
  peepholes: true,
} as const;
const OF_GRU = { ...SHARED, resetAfter: false } as const;
const OF_RNN = { nonlinearity: { name: "scaledTanh", alpha: 0.9, beta: 1.1 }, clip: 0.9 } as const;

export const EVERY_OPTION = {
  "LSTM with every option": () => new LSTM({ ...LAYERS, ...OF_LSTM, projSize: 4 }),
  "LSTM of int8 with every option": () => new LSTM({ ...LAYERS, ...OF_LSTM, precision: "int8" }),
  "GRU with every option": () => new GRU({ ...LAYERS, ...OF_GRU }),
  "GRU in two directions with every option": () =>
    new GRU({ ...LAYERS, ...OF_GRU, bidirectional: true, precision: "int8" }),
  "RNN with every option": () => new RNN({ ...LAYERS, ...OF_RNN }),
  "LSTMCell with every option": () => new LSTMCell({ ...SIZES, ...OF_LSTM }),
  "GRUCell with every option": () => new GRUCell({ ...SIZES, ...OF_GRU }),
  "RNNCell with every option": () => new RNNCell({ ...SIZES, ...OF_RNN }),
};
