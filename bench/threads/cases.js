/** What the benchmark of threads measures, and the floors that the project set itself for two cores. */
import { caseNamed } from "../cases.js";
import { CASES as MODELS } from "../models/cases.js";

/**
 * @typedef {object} ThreadCase
 * @property {string} name
 * @property {import("../cases.js").Case} [recurrent]
 * @property {"float32" | "int8"} [precision]  of `recurrent`
 * @property {typeof MODELS[number]} [model]   a whole model instead
 * @property {number} [share]  least share of the ceiling
 * @property {number} [web]    least times faster than onnxruntime-web with as many threads
 * @property {number} [alone]  of what threads do not share: least part of the speed without threads
 */

/** @type {readonly ThreadCase[]} */
export const THREAD_CASES = [
  recurrent("batch-128", { share: 0.92, web: 1.6 }),
  recurrent("batch-256", { share: 0.92, web: 1.6 }),
  recurrent("batch-512", { share: 0.92, web: 1.6 }),
  recurrent("bidirectional-128x256", { share: 0.93, web: 1.6 }),
  recurrent("sequence-128", { share: 0.82, web: 1.8 }),
  recurrent("sequence-256", { share: 0.93, web: 1.5 }),
  recurrent("sequence-512", { share: 1.1, web: 1.5 }),
  recurrent("sequence-1024", { share: 0.95, web: 1.3 }),
  recurrent("step-512", { share: 0.9, web: 1.5 }),
  recurrent("step-1024", { share: 0.9, web: 1.5 }),
  int8("sequence-512", { share: 0.9 }),
  int8("batch-256", { share: 0.9 }),
  model("PyanNet, 1 s", { share: 0.7 }),
  model("nnsplit, 500 bytes", { share: 0.7 }),
  recurrent("step-1x40", { alone: 0.98 }),
  recurrent("step-32", { alone: 0.98 }),
  recurrent("tiny-6x3", { alone: 0.98 }),
  model("Silero v5, a frame", { alone: 0.98 }),
];

/** A step of a stream by itself. */
export const LATENCY_CASE = "step-512";

/** More threads than free cores: `time` is the most that a call may take of the time of one thread. */
export const CROWDS = [
  { name: "one core, threads by default", cores: 1, time: { median: 1.05 } },
  { name: "seven threads", threads: 7, time: { median: 1 } },
  { name: "beside a process that fills a core", busy: true, time: { median: 1.1, mean: 1.5 } },
];
export const CROWD_CASES = ["sequence-128", "sequence-512"];

/** A case of the list, or any recurrent one. */
export function threadCase(name) {
  return THREAD_CASES.find((spec) => spec.name === name) ?? recurrent(name, {});
}

function recurrent(name, floors) {
  return { name, recurrent: caseNamed(name), precision: "float32", ...floors };
}

function int8(name, floors) {
  return { name: `int8-${name}`, recurrent: caseNamed(name), precision: "int8", ...floors };
}

function model(name, floors) {
  return { name, model: MODELS.find((one) => one.name === name), ...floors };
}
