/**
 * Writes models of TF.js to test/formats/files/keras as it saves them, and their cases to case.json: what each
 * recurrent layer makes of an input, called alone.
 *
 * Run with @tensorflow/tfjs@4.22.0 installed: node test/formats/make_tfjs.mjs FOLDER, of which node_modules is a part
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const tf = createRequire(`${process.argv[2]}/package.json`)("@tensorflow/tfjs");
const FOLDER = new URL("files/keras/", import.meta.url);
const DATA = "tfjs.f32";
const { layers: L } = tf;
tf.setBackend("cpu");

let seed = 1;
/** Numbers from -1 to 1 that are always the same ones. */
function random(shape) {
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
    seed = (seed * 16807) % 2147483647;
    return (seed / 2147483647) * 2 - 1;
  });
  return tf.tensor(values, shape);
}

const cases = [];
const floats = [];
function place(tensor) {
  const offset = floats.length;
  floats.push(...tensor.dataSync());
  return { shape: tensor.shape, offset };
}

const RECURRENT = ["LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional"];
function recordAll(one, layers, prefix = "") {
  for (const layer of layers) {
    const name = prefix + layer.name;
    if (layer.layers !== undefined) recordAll(one, layer.layers, `${name}/`);
    if (!RECURRENT.includes(layer.getClassName())) continue;
    const x = random([2, 5, layer.getWeights()[0].shape[0]]);
    one.layers.push(name);
    one.arrays.push({ role: "input", name, ...place(x) });
    for (const [index, output] of [layer.apply(x)].flat().entries()) {
      one.arrays.push({ role: "expected", name, ...place(output), index, call: 0 });
    }
  }
}

async function write(id, model) {
  model.setWeights(model.getWeights().map(({ shape }) => random(shape)));
  const folder = `${id}-tfjs`;
  const file = `${folder}/model.json`;
  const framework = `tfjs ${tf.version.tfjs}`;
  const one = { id: folder, framework, files: [], data: DATA, arrays: [], layers: [] };
  recordAll(one, model.layers);
  mkdirSync(new URL(folder, FOLDER), { recursive: true });
  // As its own handler for files, which only Node's build of TF.js has, writes them.
  const handler = tf.io.withSaveHandler(
    ({ modelTopology, format, generatedBy, convertedBy, weightSpecs, weightData }) => {
      const weightsManifest = [{ paths: ["weights.bin"], weights: weightSpecs }];
      const json = { modelTopology, format, generatedBy, convertedBy, weightsManifest };
      writeFileSync(new URL(file, FOLDER), JSON.stringify(json));
      writeFileSync(new URL(`${folder}/weights.bin`, FOLDER), new Uint8Array(weightData));
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
    },
  );
  await model.save(handler);
  one.files.push({ file, format: "tfjs", shards: ["weights.bin"] });
  cases.push(one);
}

function many(id, layers) {
  const x = tf.input({ shape: [5, 2], name: "x" });
  return write(id, tf.model({ inputs: x, outputs: layers.flatMap((layer) => layer.apply(x)), name: "m" }));
}

const rows = { returnSequences: true };
await many("kinds", [
  L.lstm({ units: 2, name: "lstm" }),
  L.gru({ units: 2, name: "gru" }),
  L.simpleRNN({ units: 2, name: "rnn" }),
  L.lstm({
    units: 2,
    recurrentActivation: "sigmoid",
    useBias: false,
    goBackwards: true,
    ...rows,
    name: "back",
  }),
  L.gru({ units: 2, activation: "relu", recurrentActivation: "sigmoid", returnState: true, name: "state" }),
]);
await many(
  "acts",
  ["elu", "selu", "relu6", "linear", "softplus", "softsign", "gelu", "mish", "swish"].map((activation) =>
    L.simpleRNN({ units: 2, activation, name: activation }),
  ),
);
await many("wrapped", [
  L.bidirectional({ layer: L.lstm({ units: 2, ...rows }), mergeMode: "concat", name: "concat" }),
  L.bidirectional({ layer: L.gru({ units: 2 }), mergeMode: "sum", name: "sum" }),
  L.bidirectional({ layer: L.simpleRNN({ units: 2, ...rows }), mergeMode: "ave", name: "ave" }),
  L.rnn({ cell: L.lstmCell({ units: 2 }), name: "cell" }),
  L.rnn({ cell: [L.gruCell({ units: 2 }), L.gruCell({ units: 3 })], ...rows, name: "cells" }),
]);
const inner = tf.sequential({
  name: "inner",
  layers: [L.lstm({ units: 2, inputShape: [5, 2], ...rows, name: "lstm" })],
});
await write(
  "nested",
  tf.sequential({
    name: "m",
    layers: [
      inner,
      L.timeDistributed({ layer: L.dense({ units: 2 }), name: "each" }),
      L.gru({ units: 2, name: "gru" }),
    ],
  }),
);

// Every other line stays as it is.
const url = new URL("case.json", FOLDER);
const others = readFileSync(url, "utf8")
  .split("\n")
  .map((line) => line.replace(/,$/, ""))
  .filter((line) => line.startsWith('{"id"') && JSON.parse(line).data !== DATA);
const lines = [...others, ...cases.map((one) => JSON.stringify(one))];
const id = (line) => JSON.parse(line).id;
lines.sort((a, b) => (id(a) < id(b) ? -1 : 1));
writeFileSync(url, `{"cases": [\n${lines.join(",\n")}\n]}\n`);
writeFileSync(new URL(DATA, FOLDER), new Uint8Array(Float32Array.from(floats).buffer));
