/** The same from a CommonJS project, where the import becomes a require(). */
import { LSTM, Tensor } from "lstm-wasm";
import { readSafetensors, type StateDict } from "lstm-wasm/formats";

const weights: StateDict = readSafetensors(new Uint8Array(8));
export const [output] = LSTM.fromStateDict(weights).forward(Tensor.zeros([5, 6]));
