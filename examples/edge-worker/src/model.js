/** The model: an LSTM and a linear head, one score from 0 to 1 for each time step. */
import { Linear, LSTM, Tensor } from "lstm-wasm";
import { readSafetensors } from "lstm-wasm/formats";
import weights from "../weights.safetensors";

// Read once per isolate, at its first request: global scope is for imports only.
let model;

function load() {
  const stateDict = readSafetensors(new Uint8Array(weights));
  return {
    lstm: LSTM.fromStateDict(stateDict, { prefix: "lstm." }),
    head: Linear.fromStateDict(stateDict, { prefix: "head." }),
  };
}

/** How many numbers a time step has. */
export function inputSize() {
  model ??= load();
  return model.lstm.inputSize;
}

/**
 * @param {Float32Array} numbers time steps one after the other
 * @param {[Tensor, Tensor]} [state] where an earlier call stopped
 * @returns the scores, and the state to go on from
 */
export function score(numbers, state) {
  model ??= load();
  const size = model.lstm.inputSize;
  const sequence = new Tensor(numbers, [numbers.length / size, size]);
  const [output, last] = model.lstm.forward(sequence, state);
  const logits = model.head.forward(output).data;
  return { scores: Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit))), state: last };
}
