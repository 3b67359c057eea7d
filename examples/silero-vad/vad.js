/** Silero VAD v5 or v6 at 16 kHz: is this speech? One probability per frame of 512 samples (32 ms). */
import { loadOnnx } from "lstm-wasm/models";

export const SAMPLE_RATE = 16000;
/** Samples of one frame. */
export const FRAME = 512;
/** Samples before the frame that the model hears too. */
const CONTEXT = 64;

export class SileroVad {
  #window = new Float32Array(CONTEXT + FRAME);
  #filled = CONTEXT;

  /**
   * @param {Uint8Array} onnx the bytes of silero_vad_v5.onnx or silero_vad_v6.onnx
   * @param {import("lstm-wasm/models").LoadOnnxOptions} [options] `{ precision: "int8" }`, for one
   */
  constructor(onnx, options = {}) {
    const shapes = { input: [1, CONTEXT + FRAME], state: [2, 1, 128] };
    this.model = loadOnnx(onnx, { shapes, constants: { sr: SAMPLE_RATE }, ...options });
    this.stream = this.model.stream({ state: "stateN" });
  }

  /**
   * One probability for each frame that the samples complete; what is left over waits for the next call.
   * @param {Float32Array} samples any number of them
   */
  process(samples) {
    const probabilities = [];
    for (let at = 0; at < samples.length; ) {
      const part = samples.subarray(at, at + this.#window.length - this.#filled);
      this.#window.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < this.#window.length) break;
      probabilities.push(this.stream.step({ input: this.#window }).output.data[0]);
      this.#window.copyWithin(0, FRAME);
      this.#filled = CONTEXT;
    }
    return probabilities;
  }

  /** Fills up a frame that has begun with silence; gives its probability, or nothing. */
  flush() {
    return this.#filled === CONTEXT ? [] : this.process(new Float32Array(this.#window.length - this.#filled));
  }

  /** Forgets everything heard. */
  reset() {
    this.#window.fill(0);
    this.#filled = CONTEXT;
    this.stream.reset();
  }

  dispose() {
    this.stream.dispose();
    this.model.dispose();
  }
}
