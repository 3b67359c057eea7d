/**
 * From before import() of one library to the first output of a model, in a process of its own. The file is in memory
 * before, and its reading's garbage is collected, so that the collection does not fall into the time. Needs --expose-gc.
 */
import { readFileSync } from "node:fs";
import { CASES } from "../models/cases.js";
import { madeInputs } from "../models/inputs.js";

export default async function modelStart({ caseName, path, side }) {
  const { inputs, states } = CASES.find(({ name }) => name === caseName);
  const bytes = readFileSync(path);
  const values = madeInputs(inputs, states);
  gc();
  const cpu = process.cpuUsage();
  const begin = performance.now();
  await (side === "ours" ? ours(bytes, values, states) : theirs(bytes, values));
  const us = (performance.now() - begin) * 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { us, cpuUs: user + system };
}

async function ours(bytes, values, states) {
  const { loadOnnx } = await import("../../dist/models/index.js");
  const given = Object.entries(values).filter(([name]) => !(name in states));
  return loadOnnx(bytes)
    .stream(states)
    .step(
      Object.fromEntries(given.map(([name, value]) => [name, value.shape.length ? value : value.data[0]])),
    );
}

async function theirs(bytes, values) {
  const ort = await import("onnxruntime-web");
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
  });
  const tensors = Object.entries(values).map(([name, { dtype, data, shape }]) => [
    name,
    new ort.Tensor(dtype, data, shape),
  ]);
  return session.run(Object.fromEntries(tensors));
}
