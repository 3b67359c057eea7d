/** What is timed: a module or a whole model of ours, in the runtime that new ones are made in. */
import { readFileSync } from "node:fs";
import { loadOnnx } from "../../dist/models/index.js";
import { made } from "../models/inputs.js";
import { create } from "../peers/ours.js";
import { threadCase } from "./cases.js";

/** A sample is at least this long, as in ../measure.js. */
const SAMPLE_MS = 1;

/** @param {string} [path]  of a whole model's file */
export async function createSubject(caseName, path) {
  const { recurrent, precision, model } = threadCase(caseName);
  return model === undefined ? create(recurrent, undefined, precision) : wholeModel(model, path);
}

function wholeModel({ inputs, states }, path) {
  const model = loadOnnx(readFileSync(path));
  const pairs = states ?? {};
  const given = {};
  for (const { name, shape } of model.inputs) {
    if (name in pairs) continue;
    const value = made(inputs[name] ?? shape, false);
    given[name] = value.shape.length === 0 ? value.data[0] : value;
  }
  const stream = states === undefined ? undefined : model.stream(pairs);
  let outputs;
  return {
    call() {
      outputs = stream === undefined ? model.run(given) : stream.step(given);
    },
    results: () => Object.values(outputs).map(({ data }) => data),
  };
}

/** Calls of both that follow one another give the same bits. @throws Error where they do not */
export function expectSame(one, many) {
  for (let call = 0; call < 3; call++) {
    one.call();
    many.call();
    const expected = one.results();
    many.results().forEach((data, which) => {
      const at = data.findIndex((number, index) => !Object.is(number, expected[which][index]));
      if (at >= 0)
        throw new Error(`call ${call}, result ${which}: ${data[at]}, ${expected[which][at]} by one thread`);
    });
  }
}

/** How many calls make a sample. */
export function callsOf(call) {
  call();
  for (let calls = 1; ; ) {
    const took = repeat(call, calls);
    if (took >= SAMPLE_MS) return calls;
    calls = Math.ceil(calls * Math.min(10, Math.max(1.2, SAMPLE_MS / took)));
  }
}

/** Ms of so many calls. */
export function repeat(call, calls) {
  const begin = performance.now();
  for (let at = 0; at < calls; at++) call();
  return performance.now() - begin;
}

/** Ms that this thread is busy with nothing. Workers look for a job for 100 us after a call, then they sleep. */
export function rest(ms = 0.3) {
  for (const end = performance.now() + ms; performance.now() < end; );
}
