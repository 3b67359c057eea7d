/** The options of PyTorch's own layers as readers give them, but for sizes; written out, so that tests do not read them off the code. */
const SHARED = {
  numLayers: 1,
  bias: true,
  batchFirst: false,
  bidirectional: false,
  reverse: false,
  goBackwards: false,
  initialState: false,
} as const;

export const PLAIN_LSTM = {
  ...SHARED,
  projSize: 0,
  activation: "tanh",
  recurrentActivation: "sigmoid",
  cellActivation: "tanh",
  inputForget: false,
  peepholes: false,
} as const;

export const PLAIN_GRU = {
  ...SHARED,
  activation: "tanh",
  recurrentActivation: "sigmoid",
  resetAfter: true,
} as const;
