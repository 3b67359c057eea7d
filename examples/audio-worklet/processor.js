/**
 * The audio thread: y = x + w h(x) + b, h an LSTM's output, one step per sample. Messages in: { weights }, { bypass },
 * { reset }. Messages out: { load } for weights that were loaded, { error }.
 */
import { LSTM } from "lstm-wasm";

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

  constructor({ processorOptions }) {
    super();
    this.port.onmessage = ({ data }) => this.#receive(data);
    this.#load(processorOptions.weights);
  }

  #receive({ weights, bypass, reset }) {
    try {
      if (weights !== undefined) this.#load(weights);
      if (bypass !== undefined) this.#bypass = bypass;
      if (reset) this.#stream.reset();
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
    this.#measureLoad();
  }

  process([[input]], [[output]]) {
    this.#render(input ?? SILENCE, output);
    return true;
  }

  #render(input, output) {
    for (let at = 0; at < output.length; at++) {
      this.#sample[0] = input[at];
      const hidden = this.#stream.step(this.#sample).data;
      let correction = this.#bias;
      for (let unit = 0; unit < hidden.length; unit++) correction += this.#weight[unit] * hidden[unit];
      output[at] = this.#bypass ? input[at] : input[at] + correction;
    }
  }

  /**
   * The share of a block's time that rendering it takes, on this thread and with these weights. Audio scopes have only
   * Date.now, in whole milliseconds, and blocks begin in step with it, so timing single blocks shows zero: some thirty
   * milliseconds of blocks are timed instead, when weights are loaded.
   */
  #measureLoad() {
    const block = new Float32Array(BLOCK);
    for (let warm = 0; warm < 200; warm++) this.#render(SILENCE, block);
    let blocks = 0;
    const start = nextMillisecond();
    while (Date.now() - start < 30) {
      this.#render(SILENCE, block);
      blocks++;
    }
    const seconds = (Date.now() - start) / 1000;
    this.#stream.reset();
    this.port.postMessage({ load: seconds / ((blocks * BLOCK) / sampleRate) });
  }
}

function nextMillisecond() {
  const before = Date.now();
  while (Date.now() === before);
  return Date.now();
}

registerProcessor("lstm", LstmProcessor);
