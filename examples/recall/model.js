/** The networks of train.py, from their safetensors files: Embedding -> LSTM or RNN -> Linear. */

import { Embedding, Linear, LSTM, RNN, Tensor } from "lstm-wasm";
import { toBatch } from "./text.js";

/**
 * @typedef {import("lstm-wasm").StateDict} StateDict what readSafetensors returns
 * @typedef {import("./text.js").Word} Word
 */

/** @template {LSTM | RNN} Recurrent */
export class Network {
  /**
   * @param {StateDict} weights
   * @param {Recurrent} recurrent
   */
  constructor(weights, recurrent) {
    this.embedding = Embedding.fromStateDict(weights, { prefix: "embedding." });
    this.recurrent = recurrent;
    this.linear = Linear.fromStateDict(weights, { prefix: "linear." });
  }

  /** @param {StateDict} weights */
  static lstm(weights) {
    return new Network(weights, LSTM.fromStateDict(weights, { prefix: "lstm." }));
  }

  /** @param {StateDict} weights */
  static rnn(weights) {
    return new Network(weights, RNN.fromStateDict(weights, { prefix: "rnn." }));
  }

  /**
   * What the network answers at the end of each text.
   * @param {readonly (readonly Word[])[]} texts N texts of any lengths
   * @returns {Tensor} logits (N, answers)
   */
  answer(texts) {
    const { indices, lengths } = toBatch(texts);
    const [, state] = this.recurrent.forward(this.embedding.forward(indices), undefined, { lengths });
    const hidden = state instanceof Tensor ? state : state[0]; // (1, N, hidden): the RNN's h, or the LSTM's of [h, c]
    const { data, shape } = this.linear.forward(hidden);
    return new Tensor(data, shape.slice(1));
  }

  /**
   * What the network would answer after each word, if the text ended there.
   * @param {readonly Word[]} text L words
   * @returns {Tensor} logits (L, answers)
   */
  answerAlong(text) {
    const [output] = this.recurrent.forward(this.embed(text));
    return this.linear.forward(output);
  }

  /**
   * @param {readonly Word[]} text L words
   * @returns {Tensor} (L, embedding)
   */
  embed(text) {
    return this.embedding.forward(text.map(({ id }) => id));
  }
}

/**
 * The gates of the LSTM's slowest units, those whose forget gates are the most open over the text: they hold what is
 * remembered over many words, the others follow the words.
 * @param {Network<LSTM>} network
 * @param {readonly Word[]} text L words
 * @param {number} [count] how many units
 * @returns {{ forget: number[], input: number[] }} their means, one per word
 */
export function slowestGates(network, text, count = 8) {
  const { f, i } = network.recurrent.trace(network.embed(text)).layers[0];
  const forget = rows(f);
  const openness = forget[0].map((_, unit) => mean(forget.map((units) => units[unit])));
  const slowest = [...openness.keys()].sort((a, b) => openness[b] - openness[a]).slice(0, count);
  const overSlowest = (/** @type {Tensor} */ gate) =>
    rows(gate).map((units) => mean(slowest.map((unit) => units[unit])));
  return { forget: overSlowest(f), input: overSlowest(i) };
}

/**
 * Logits to probabilities, row by row.
 * @param {Tensor} logits (N, answers)
 * @returns {number[][]} N rows that each sum to 1
 */
export function softmax(logits) {
  return rows(logits).map((row) => {
    const largest = Math.max(...row);
    const powers = row.map((logit) => Math.exp(logit - largest));
    const sum = powers.reduce((total, power) => total + power);
    return powers.map((power) => power / sum);
  });
}

/** @param {Tensor} tensor of two dimensions */
function rows(tensor) {
  return /** @type {number[][]} */ (tensor.toArray());
}

/** @param {readonly number[]} numbers */
function mean(numbers) {
  return numbers.reduce((sum, number) => sum + number) / numbers.length;
}
