/** Silero VAD v4, v5 or v6: is this speech? One probability per frame of 16 kHz sound. */
import { loadOnnx } from "lstm-wasm/models";

export class SileroVad {
  /** @param {Uint8Array} onnx the bytes of silero_vad_legacy.onnx (v4), silero_vad_v5.onnx or silero_vad_v6.onnx */
  constructor(onnx, options = {}) {
    this.model = loadOnnx(onnx, { constants: { sr: 16000 }, ...options });
    this.stream = this.model.stream();
    // Samples of a frame, and of those before it which the model hears once more. Of the three only v4 has a state h.
    [this.frame, this.context] = this.model.inputs.some(({ name }) => name === "h") ? [1536, 0] : [512, 64];
    this.reset();
  }

  reset() {
    this.stream.reset();
    this.heard = new Float32Array(this.context + this.frame);
    this.count = this.context;
  }

  /** Takes any number of samples, and gives the probability of each frame that they complete. */
  *process(samples) {
    for (const sample of samples) {
      this.heard[this.count++] = sample;
      if (this.count < this.heard.length) continue;
      yield this.stream.step({ input: { data: this.heard, shape: [1, this.count] } }).output.data[0];
      this.count = this.context;
      this.heard.copyWithin(0, this.frame);
    }
  }
}
