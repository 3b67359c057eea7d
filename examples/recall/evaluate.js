/** A network's answers to the committed test texts, beside what PyTorch answered. */

import { softmax } from "./model.js";

/**
 * @typedef {object} TestText
 * @property {string} text without its last word
 * @property {number} distance the words between the first and the missing last
 * @property {string} answer the missing last word
 */

/**
 * The share of right answers at each distance.
 * @param {import("lstm-wasm").Tensor} logits (tests, answers)
 * @param {readonly TestText[]} tests
 * @param {readonly string[]} answers
 * @returns {Map<number, number>} distance to share, in the order of the tests
 */
export function accuracyByDistance(logits, tests, answers) {
  /** @type {Map<number, { right: number, all: number }>} */
  const counts = new Map();
  softmax(logits).forEach((row, at) => {
    const { distance, answer } = tests[at];
    const count = counts.get(distance) ?? { right: 0, all: 0 };
    if (answers[row.indexOf(Math.max(...row))] === answer) count.right++;
    count.all++;
    counts.set(distance, count);
  });
  return new Map([...counts].map(([distance, { right, all }]) => [distance, right / all]));
}

/**
 * The largest difference between two tensors; NaN if either holds one.
 * @param {import("lstm-wasm").Tensor} a
 * @param {import("lstm-wasm").Tensor} b of the same shape
 */
export function largestDifference(a, b) {
  if (String(a.shape) !== String(b.shape)) {
    throw new RangeError(`b.shape: expected [${a.shape}], got [${b.shape}]`);
  }
  return a.data.reduce((largest, value, at) => Math.max(largest, Math.abs(value - b.data[at])), 0);
}
