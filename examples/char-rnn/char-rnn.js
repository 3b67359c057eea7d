/** A character model out of a PyTorch checkpoint: Embedding, LSTM of two layers, Linear; it writes on from a prompt. */
import { Embedding, Linear, LSTM, softmax, Tensor } from "lstm-wasm";
import { readTorch } from "lstm-wasm/formats";

export class CharRnn {
  #vocabulary;
  #embedding;
  #lstm;
  #stream;
  #head;

  /** @param {Uint8Array} checkpoint a .pt file by train.py */
  constructor(checkpoint) {
    const dict = readTorch(checkpoint);
    this.#vocabulary = Array.from(dict.get("vocabulary").data, (code) => String.fromCodePoint(code));
    this.#embedding = Embedding.fromStateDict(dict, { prefix: "embedding." });
    this.#lstm = LSTM.fromStateDict(dict, { prefix: "lstm." });
    this.#stream = this.#lstm.stream();
    this.#head = Linear.fromStateDict(dict, { prefix: "head." });
  }

  /**
   * Writes `length` characters after `prompt`, one by one.
   * @param {string} prompt at least one character, all of them of the vocabulary
   * @param {number} length
   * @param {{ temperature?: number, random?: () => number }} options 0 always takes the most probable character, 1
   *   draws as the model has it, more is bolder
   * @returns {Generator<string>}
   */
  *write(prompt, length, { temperature = 0, random = Math.random } = {}) {
    this.#stream.reset();
    if (prompt === "") throw new RangeError("prompt: expected at least one character");
    let logits;
    for (const sign of prompt) logits = this.#step(this.#indexOf(sign));
    for (let written = 0; written < length; written++) {
      const index = temperature === 0 ? largest(logits.data) : draw(logits, temperature, random());
      yield this.#vocabulary[index];
      logits = this.#step(index);
    }
  }

  #step(index) {
    return this.#head.forward(this.#stream.step(this.#embedding.forward([index])));
  }

  #indexOf(sign) {
    const index = this.#vocabulary.indexOf(sign);
    if (index < 0) throw new RangeError(`prompt: ${JSON.stringify(sign)} is not in the vocabulary`);
    return index;
  }

  dispose() {
    for (const part of [this.#stream, this.#embedding, this.#lstm, this.#head]) part.dispose();
  }
}

function largest(values) {
  return values.reduce((best, value, at) => (value > values[best] ? at : best), 0);
}

/** The first index at which the probabilities add up to `chance`, 0 to 1. */
function draw({ data, shape }, temperature, chance) {
  const { data: probabilities } = softmax(
    new Tensor(
      data.map((logit) => logit / temperature),
      shape,
    ),
    -1,
  );
  let sum = 0;
  const index = probabilities.findIndex((probability) => {
    sum += probability;
    return sum > chance;
  });
  return index < 0 ? largest(probabilities) : index;
}
