/**
 * The audio thread: y = x + w h(x) + b, h an LSTM's output, one step per sample; y = x until there are weights. Messages
 * in: { weights }, { bypass }, { reset }. Messages out: { load } every few seconds, { error }.
 */
import { LSTM } from "lstm-wasm";
import { LoadMeter } from "./load-meter.js";

/** Frames of a block, and what an input without a source holds. */
const BLOCK = 128;
const SILENCE = new Float32Array(BLOCK);

class LstmProcessor extends AudioWorkletProcessor {
  #lstm;
  #stream;
  #weight;
  #bias;
  #bypass = false;
  #sample = new Float32Array(1);
  #meter = new LoadMeter((1000 * BLOCK) / sampleRate);

  constructor({ processorOptions }) {
    super();
    this.port.onmessage = ({ data }) => this.#receive(data);
    this.#receive(processorOptions);
  }

  #receive({ weights, bypass, reset }) {
    try {
      if (weights !== undefined) this.#load(weights);
      if (bypass !== undefined) this.#bypass = bypass;
      if (reset) this.#stream?.reset();
    } catch (error) {
      this.port.postMessage({ error: String(error) });
    }
  }

  /** Weights of `rec.*`, an LSTM with one input, and `lin.*`, a linear head with one output. Bad ones leave the old in place. */
  #load(weights) {
    const lstm = LSTM.fromStateDict(weights, { prefix: "rec." });
    const [weight, bias] = ["lin.weight", "lin.bias"].map((name) => weights.get(name)?.data);
    if (lstm.inputSize !== 1 || weight?.length !== lstm.hiddenSize || bias?.length !== 1) {
      lstm.dispose();
      throw new RangeError(
        "weights: expected an LSTM rec with one input, and a head lin from its hiddenSize to 1",
      );
    }
    const stream = lstm.stream();
    this.#lstm?.dispose();
    this.#stream?.dispose();
    [this.#lstm, this.#stream, this.#weight, this.#bias] = [lstm, stream, weight, bias[0]];
    this.#meter.restart();
  }

  process([[input]], [[output]]) {
    this.#meter.begin();
    this.#render(input ?? SILENCE, output);
    const load = this.#meter.end();
    if (load !== undefined) this.port.postMessage({ load });
    return true;
  }

  #render(input, output) {
    if (this.#stream === undefined) {
      output.set(input);
      return;
    }
    for (let at = 0; at < output.length; at++) {
      this.#sample[0] = input[at];
      const hidden = this.#stream.step(this.#sample).data;
      let correction = this.#bias;
      for (let unit = 0; unit < hidden.length; unit++) correction += this.#weight[unit] * hidden[unit];
      output[at] = this.#bypass ? input[at] : input[at] + correction;
    }
  }
}

registerProcessor("lstm", LstmProcessor);
