/**
 * A recurrent amp model of one channel: x = inputGain * input; output = outputGain * (head(recurrent(x)) + x if skip).
 * Keeps the state from block to block, so that any cut of the sound gives the same bits.
 */
import { GRU, Linear, LSTM, Tensor } from "lstm-wasm";
import { readGuitarML, readNam, readRTNeural } from "lstm-wasm/formats";

/** A model file of NAM, GuitarML or RTNeural (AIDA-X), told apart by what only it has. */
export function readAmp(text) {
  const file = JSON.parse(text);
  if ("architecture" in file) return readNam(file);
  if ("model_data" in file) return readGuitarML(file);
  if ("in_shape" in file) return readRTNeural(file);
  throw new RangeError("model: expected a file of NAM, GuitarML or RTNeural");
}

export class Amp {
  #recurrent;
  #head;
  #state;
  #model;

  /** @param {import("lstm-wasm/formats").AmpModel} model */
  constructor(model) {
    if (model.inputSize !== 1 || model.outputSize !== 1) {
      throw new RangeError(
        `model: expected 1 input and 1 output, got ${model.inputSize} and ${model.outputSize}`,
      );
    }
    this.#model = model;
    this.#recurrent = { LSTM, GRU }[model.kind].fromStateDict(model.recurrent);
    this.#head = Linear.fromStateDict(model.head);
    this.reset();
  }

  /** Back to silence. A model with a trained initial state (NAM's) first hears half a second of it, as NAM's player does. */
  reset() {
    this.#state = this.#model.initialState;
    if (this.#state !== undefined) this.process(new Float32Array((this.#model.sampleRate ?? 48000) / 2));
  }

  /**
   * @param {Float32Array} block any number of samples
   * @returns {Float32Array} as many
   */
  process(block) {
    const { inputGain, outputGain, skip } = this.#model;
    const x = block.map((sample) => sample * inputGain);
    const [hidden, state] = this.#recurrent.forward(new Tensor(x, [x.length, 1, 1]), this.#state);
    this.#state = state;
    const { data } = this.#head.forward(hidden);
    return data.map((sample, at) => outputGain * (skip ? sample + x[at] : sample));
  }

  dispose() {
    this.#recurrent.dispose();
    this.#head.dispose();
  }
}
