/** The audio thread. Messages in: { files } of a denoiser, { bypass }. Message out: { error }. */
import { loadDenoiser } from "./denoiser.js";

class DenoiseProcessor extends AudioWorkletProcessor {
  #denoiser;
  #bypass = false;

  constructor() {
    super();
    this.port.onmessage = ({ data: { files, bypass } }) => {
      try {
        if (files !== undefined) this.#denoiser = loadDenoiser(files);
        if (bypass !== undefined) this.#bypass = bypass;
      } catch (error) {
        this.port.postMessage({ error: String(error) });
      }
    };
  }

  process([[input]], [[output]]) {
    if (input === undefined) return true;
    this.#denoiser?.process(input, output);
    if (this.#bypass) output.set(input);
    return true;
  }
}

registerProcessor("denoise", DenoiseProcessor);
