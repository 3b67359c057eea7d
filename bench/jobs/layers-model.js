/** One layers model in one process, beside TF.js on tfjs-backend-wasm: outputs compared call by call, then both timed. */
import { setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { loadLayersModel } from "@tensorflow/tfjs-layers";
import { loadTfjs } from "../../dist/models/index.js";
import { measure } from "../measure.js";
import { wave } from "../models/inputs.js";
import { LAYERS_CASES } from "../models/layers-cases.js";
import { LAYERS_MODELS } from "../models/layers-models.js";

const COMPARED_CALLS = 10;

export default async function job({ caseName, ...timing }) {
  const { key, shape, ids, stateful } = LAYERS_CASES.find(({ name }) => name === caseName);
  const { modelJson, weights } = LAYERS_MODELS[key]();
  setThreadsCount(1);
  await tf.setBackend("wasm");
  await tf.ready();
  const { modelTopology, weightsManifest } = modelJson;
  const theirModel = await loadLayersModel({
    load: async () => ({
      modelTopology,
      weightSpecs: weightsManifest[0].weights,
      weightData: weights.buffer,
    }),
  });
  const ourModel = loadTfjs(modelJson, weights);

  const numbers = new Float32Array(shape.reduce((product, size) => product * size, 1));
  const input = { dtype: "float32", data: numbers, shape };
  const inputs = { [ourModel.inputs[0].name]: input };
  const stream = stateful ? ourModel.stream() : undefined;
  const callOurs = stream === undefined ? () => ourModel.run(inputs) : () => stream.step(inputs);
  const callTheirs = () => {
    const source = tf.tensor(numbers, shape);
    const made = [theirModel.predict(source)].flat();
    const results = made.map((tensor) => ({ data: tensor.dataSync(), shape: tensor.shape }));
    tf.dispose([source, ...made]);
    return results;
  };

  let worst = { difference: -1, where: "", largest: 0 };
  for (let call = 0; call < COMPARED_CALLS; call++) {
    fill(numbers, call, ids);
    const mine = callOurs();
    for (const [at, { data, shape: dims }] of callTheirs().entries()) {
      const where = ourModel.outputs[at].name;
      if (String(mine[where].shape) !== String(dims)) {
        throw new Error(`${caseName}: ${where} has shape [${mine[where].shape}], TF.js's [${dims}]`);
      }
      const difference = data.reduce(
        (most, value, n) => larger(most, Math.abs(value - mine[where].data[n])),
        0,
      );
      const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      if (difference > worst.difference) worst = { difference, where, largest };
    }
  }
  if (!(worst.difference <= 1e-4 * Math.max(1, worst.largest))) {
    throw new Error(`${caseName}: ${worst.where} is ${worst.difference} from TF.js's`);
  }
  const ours = await measure(callOurs, timing);
  const theirs = await measure(callTheirs, timing);
  return { ...worst, ours, theirs };
}

/** NaN counts as the largest. */
const larger = (a, b) => (Number.isNaN(b) ? Number.MAX_VALUE : Math.max(a, b));

/** Other numbers at each call; ids from 1. */
function fill(numbers, call, ids) {
  if (ids === undefined) return wave(numbers, call);
  for (const at of numbers.keys()) numbers[at] = 1 + ((at * 7919 + call * 104729) % (ids - 1));
}
