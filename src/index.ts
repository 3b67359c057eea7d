/** The public names of lstm-wasm; `lstm-wasm/formats` holds the readers of weight files. */

export type { CellOptions } from "./nn/cell.js";
export { Conv1d } from "./nn/conv1d.js";
export type { Conv1dFromStateDictOptions, Conv1dOptions, PaddingMode } from "./nn/conv1d-options.js";
export { Embedding, type EmbeddingOptions, type Indices, type NestedIndices } from "./nn/embedding.js";
export type { FromStateDictOptions } from "./nn/from-state-dict.js";
export { elu, leakyRelu, logSoftmax, relu, sigmoid, softmax, tanh } from "./nn/functional.js";
export { GRU, type GRUOptions } from "./nn/gru.js";
export { GRUCell } from "./nn/gru-cell.js";
export { Linear, type LinearOptions } from "./nn/linear.js";
export { LSTM, type LSTMOptions, type LSTMState, type LSTMStateLike } from "./nn/lstm.js";
export { LSTMCell } from "./nn/lstm-cell.js";
export { type MaxPool1dOptions, maxPool1d } from "./nn/max-pool1d.js";
export { quantizeModule } from "./nn/quantize-module.js";
export type { RecurrentOptions } from "./nn/recurrent.js";
export { type Nonlinearity, RNN, type RNNOptions } from "./nn/rnn.js";
export { RNNCell, type RNNCellOptions } from "./nn/rnn-cell.js";
export type { ForwardOptions } from "./nn/sequence.js";
export type { LoadOptions } from "./nn/state-dict.js";
export type { Stream, StreamOptions } from "./nn/stream.js";
export type { LayerTrace, LstmTrace } from "./nn/trace.js";
export type { ErrorCode } from "./tensor/errors.js";
export type { StateDictLike, TensorData, TensorLike } from "./tensor/like.js";
export type { NestedNumbers, StateDict } from "./tensor/tensor.js";
export { Tensor } from "./tensor/tensor.js";
export type { Precision } from "./wasm/precision.js";
export { type InitOptions, init, type MemoryUsage, memoryUsage } from "./wasm/runtime.js";
