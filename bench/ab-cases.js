/** The cases of `npm run bench:ab`: all of cases.js, and what only two revisions of the library can be compared on. */
import { CASES, caseNamed, work } from "./cases.js";

/**
 * @typedef {object} AbCase
 * @property {string} name
 * @property {"calls" | "start" | "linear" | "conv1d"} measures
 *   `calls` of a recurrent case, or the `start`: import, weights and first call of a new process
 * @property {import("./cases.js").Case} [spec]  of `calls` and `start`
 * @property {"float32" | "int8"} [precision]    of `calls`
 * @property {"Linear" | "Conv1d" | "int8"} [needs]  what older revisions may not have
 * @property {number} flops  of a call
 */

/** Rows of `linear`. */
export const LINEAR = { rows: 100, inFeatures: 256, outFeatures: 256 };
/** Channels to as many channels over `length` elements, padded to the same length. */
export const CONV1D = { channels: 64, kernelSize: 3, length: 256 };

function calls(spec, more = {}) {
  const flops = work(spec).reduce((sum, phase) => sum + phase.flops, 0);
  return { name: spec.name, measures: "calls", spec, precision: "float32", flops, ...more };
}

function eightBits(name) {
  return calls(caseNamed(name), { name: `int8-${name}`, precision: "int8", needs: "int8" });
}

/** @type {readonly AbCase[]} */
export const AB_CASES = [
  ...CASES.map((spec) => calls(spec)),
  ...["step-512", "sequence-256", "batch-128"].map(eightBits),
  {
    name: "linear",
    measures: "linear",
    needs: "Linear",
    flops: 2 * LINEAR.rows * LINEAR.inFeatures * LINEAR.outFeatures,
  },
  {
    name: "conv1d",
    measures: "conv1d",
    needs: "Conv1d",
    flops: 2 * CONV1D.length * CONV1D.kernelSize * CONV1D.channels ** 2,
  },
  { name: "start", measures: "start", spec: caseNamed("step-32"), flops: 0 },
];
