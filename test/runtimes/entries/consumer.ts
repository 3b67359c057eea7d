/** What a TypeScript user writes; compiled against the packed declarations. */
import { init, LSTM, type LSTMState, Tensor } from "lstm-wasm";
import type { StateDict } from "lstm-wasm/formats";
import compiled from "lstm-wasm/lstm.wasm";

init({ module: compiled });
const lstm = new LSTM({ inputSize: 6, hiddenSize: 3, numLayers: 2 });
const [output, [hN, cN]]: [Tensor, LSTMState] = lstm.forward(Tensor.randn([5, 4, 6]));
export const shapes: readonly (readonly number[])[] = [output.shape, hN.shape, cN.shape];
export const weights: StateDict = lstm.stateDict();
// @ts-expect-error an option that does not exist
new LSTM({ inputSize: 6, hiddenSize: 3, hidenSize: 3 });
