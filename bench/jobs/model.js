/** One model in one process: both outputs compared step by step, then both timed, with states fed back. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-web";
import { loadOnnx } from "../../dist/models/index.js";
import { measure } from "../measure.js";
import { CASES } from "../models/cases.js";
import { made, wave } from "../models/inputs.js";
import { SMALL } from "../models/small.js";

const COMPARED_STEPS = 30;

export default async function job({ caseName, path, ...timing }) {
  const spec = CASES.find(({ name }) => name === caseName);
  const bytes = spec.from === "small" ? SMALL[spec.file]() : readFileSync(path);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (spec.sha256 !== undefined && spec.sha256 !== sha256) {
    throw new Error(`${path}: expected sha256 ${spec.sha256}, got ${sha256}`);
  }
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
  });
  const model = loadOnnx(bytes);
  const pairs =
    spec.states === true
      ? Object.fromEntries(model.summary().states.map(({ input, output }) => [input, output]))
      : (spec.states ?? {});
  if (spec.states === true && Object.keys(pairs).length === 0)
    throw new Error(`${caseName}: no states were found`);

  const stream = spec.states !== undefined ? model.stream(pairs) : undefined;
  const ours = {};
  const feeds = {};
  for (const { name, shape } of model.inputs) {
    const value = made(spec.inputs[name] ?? shape, name in pairs);
    feeds[name] = new ort.Tensor(value.dtype, value.data, value.shape);
    if (!(name in pairs)) ours[name] = value.shape.length === 0 ? value.data[0] : value;
  }
  const callOurs = stream === undefined ? () => model.run(ours) : () => stream.step(ours);
  const callTheirs = async () => {
    const outputs = await session.run(feeds);
    for (const [input, output] of Object.entries(pairs)) feeds[input] = outputs[output];
    return outputs;
  };

  let difference = 0;
  let where = "";
  let largest = 0;
  for (let step = 0; step < COMPARED_STEPS; step++) {
    const mine = callOurs();
    const other = await callTheirs();
    for (const [name, { data, dims }] of Object.entries(other)) {
      if (String(mine[name]?.shape) !== String(dims)) {
        throw new Error(`${caseName}: ${name} has shape [${mine[name]?.shape}], onnxruntime's [${dims}]`);
      }
      for (let at = 0; at < data.length; at++) {
        const apart = Math.abs(Number(mine[name].data[at]) - Number(data[at]));
        if (apart <= difference) continue; // not of NaN
        difference = Number.isNaN(apart) ? Number.MAX_VALUE : apart;
        where = name;
        largest = data.reduce((most, value) => Math.max(most, Math.abs(Number(value))), 0);
      }
    }
    // Other numbers at each step, in the arrays that both read.
    for (const value of Object.values(ours)) {
      if (value.data instanceof Float32Array) wave(value.data, step + 1);
    }
  }
  const oursTime = await measure(callOurs, timing);
  const theirsTime = await measure(callTheirs, timing);
  process.send({ sha256, difference, where, largest, ours: oursTime, theirs: theirsTime });
}
