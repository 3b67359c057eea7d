/** A stateful model of Keras that is given a character a call and gives the logits of the next one. */
import { softmax, Tensor } from "lstm-wasm";
import { loadKeras } from "lstm-wasm/models";

export class Sampler {
  #model;
  #stream;
  #characters;

  /**
   * @param {Uint8Array} file a .keras file by train.py
   * @param {string} characters by their ids
   */
  constructor(file, characters) {
    this.#model = loadKeras(file);
    this.#stream = this.#model.stream(); // it keeps the GRU's state from step to step
    this.#characters = Array.from(characters);
  }

  /**
   * Writes on from a prompt, one character after the other.
   * @param {string} prompt at least one character, all of them the model's
   * @param {{ temperature?: number, random?: () => number }} options 0 always takes the most probable character, 1 draws
   *   as the model has it
   * @returns {Generator<string>} without an end
   */
  *write(prompt, { temperature = 0, random = Math.random } = {}) {
    if (prompt === "") throw new RangeError("prompt: expected at least one character");
    this.#stream.reset();
    let logits;
    for (const sign of prompt) logits = this.#step(this.#idOf(sign));
    for (;;) {
      const id = temperature === 0 ? largest(logits) : draw(logits, temperature, random());
      yield this.#characters[id];
      logits = this.#step(id);
    }
  }

  #step(id) {
    return this.#stream.step(Int32Array.of(id)).logits.data;
  }

  #idOf(sign) {
    const id = this.#characters.indexOf(sign);
    if (id < 0) throw new RangeError(`prompt: the model has no ${JSON.stringify(sign)}`);
    return id;
  }

  dispose() {
    this.#stream.dispose();
    this.#model.dispose();
  }
}

function largest(values) {
  return values.reduce((best, value, at) => (value > values[best] ? at : best), 0);
}

/** The first id at which the probabilities add up to `chance`, 0 to 1. */
function draw(logits, temperature, chance) {
  const scaled = logits.map((logit) => logit / temperature);
  const { data } = softmax(new Tensor(scaled, [scaled.length]), -1);
  let sum = 0;
  const id = data.findIndex((probability) => {
    sum += probability;
    return sum > chance;
  });
  return id < 0 ? largest(logits) : id;
}
