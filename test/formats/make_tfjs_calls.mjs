/**
 * Writes whole models of TensorFlow.js, with what it computes of them, to files/keras-models/tfjs.json: masks, models
 * within models, and states of several cells, in which it is not as Keras.
 *
 * Run after npm ci in bench/: node test/formats/make_tfjs_calls.mjs
 */
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const own = createRequire(new URL("../../bench/package.json", import.meta.url));
const tf = own("@tensorflow/tfjs-core");
const { input, layers: L, model, sequential } = own("@tensorflow/tfjs-layers");
own("@tensorflow/tfjs-backend-cpu");
await tf.setBackend("cpu");

let seed = 1;
const random = () => {
  seed = (seed * 16807) % 2147483647;
  return (seed / 2147483647) * 2 - 1;
};
/** Core's build for Node lacks what the usual initializer calls. */
const units = (count, more) => ({
  units: count,
  recurrentInitializer: "glorotUniform",
  resetAfter: false,
  ...more,
});
const rows = { returnSequences: true };
const states = { returnState: true };

/** Rows of which some are 0, as a Masking leaves them out; all of the last one. */
function given(shape) {
  const [batch, steps, size] = shape;
  const isOut = (at, step) => at === batch - 1 || (at + step) % 3 === 0;
  return Array.from({ length: batch * steps * size }, (_, place) => {
    const row = Math.floor(place / size);
    return isOut(Math.floor(row / steps), row % steps) ? 0 : Number(random().toFixed(2));
  });
}

const cases = [];
async function write(name, outputs, shapes = [[2, 6, 2]]) {
  const inputs = shapes.map(([, ...shape], at) => input({ shape, name: `x${at}` }));
  const made = model({ inputs, outputs: outputs(...inputs), name: "m" });
  const numbers = made.weights.map(({ shape, originalName }) => {
    const least = originalName.endsWith("variance") ? 0 : -1;
    const data = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () =>
      Math.max(least, Number(random().toFixed(2))),
    );
    return tf.tensor(data, shape);
  });
  made.setWeights(numbers);
  const xs = shapes.map((shape) => ({ shape, data: given(shape) }));
  const results = [made.predict(xs.map(({ data, shape }) => tf.tensor(data, shape)))].flat();
  const one = {
    name,
    inputs: xs,
    outputs: results.map((y) => ({ shape: y.shape, data: Array.from(y.dataSync()) })),
  };
  await made.save(
    tf.io.withSaveHandler(async ({ modelTopology, generatedBy, weightSpecs, weightData }) => {
      const json = { modelTopology, generatedBy, weightsManifest: [{ paths: ["w"], weights: weightSpecs }] };
      cases.push({ ...one, json, weights: Buffer.from(weightData).toString("base64") });
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
}

const masked = (x) => L.masking({ name: "masking" }).apply(x);
for (const [kind, mergeMode] of [
  ["lstm", "concat"],
  ["gru", "sum"],
  ["simpleRNN", "mul"],
]) {
  for (const more of [rows, {}]) {
    const both = () => L.bidirectional({ layer: L[kind](units(2, more)), mergeMode, name: "both" });
    await write(`a mask in a Bidirectional of ${kind}, ${more === rows ? "all rows" : "the last"}`, (x) =>
      both().apply(masked(x)),
    );
  }
}
await write("a mask before a mean", (x) => L.globalAveragePooling1d({ name: "mean" }).apply(masked(x)));
await write("a mask behind layers that have none", (x) => {
  const shorter = L.maxPooling1d({ poolSize: 2, name: "pool" }).apply(masked(x));
  return [
    L.gru(units(2, { ...rows, name: "forward" })).apply(shorter),
    L.gru(units(2, { goBackwards: true, name: "backward" })).apply(shorter),
  ];
});
await write("a mask within a model", (x) => {
  const inner = sequential({ name: "inner", layers: [L.masking({ inputShape: [6, 2], name: "masking" })] });
  const row = L.dense({ units: 2, name: "dense" }).apply(inner.apply(x));
  return L.lstm(units(2, { name: "last" })).apply(row);
});
await write("a mask and a model", (x) => {
  const inner = sequential({
    name: "inner",
    layers: [L.dense({ units: 2, inputShape: [6, 2], name: "dense" })],
  });
  inner.add(L.lstm(units(2, { ...rows, name: "lstm" })));
  return L.gru(units(2, { name: "last" })).apply(inner.apply(masked(x)));
});
await write(
  "the mask of another input",
  (x, y) => {
    const row = L.concatenate({ axis: 2, name: "joined" }).apply([y, masked(x)]);
    return L.simpleRNN(units(2, { ...rows, name: "last" })).apply(row);
  },
  [
    [2, 6, 2],
    [2, 6, 1],
  ],
);
await write("initial states beside a mask", (x) => {
  const [, h, c] = L.lstm(units(2, { ...states, name: "first" })).apply(x);
  return L.lstm(units(2, { ...rows, name: "second" })).apply([masked(x), h, c]);
});
const cells = () => [L.gruCell(units(3, { name: "c0" })), L.lstmCell(units(2, { name: "c1" }))];
await write("states of several cells", (x) => {
  const [y, ...last] = L.rnn({ cell: cells(), ...states, name: "first" }).apply(x);
  const second = L.rnn({ cell: cells(), ...rows, name: "second" }).apply([x, ...last]);
  return [y, ...last, second];
});
await write("a model that is called twice, once for an output", (x) => {
  const inner = sequential({
    name: "inner",
    layers: [L.dense({ units: 2, inputShape: [6, 2], name: "dense" })],
  });
  const once = inner.apply(x);
  return [
    inner.apply(L.activation({ activation: "tanh", name: "tanh" }).apply(x)),
    L.add({ name: "sum" }).apply([x, once]),
  ];
});
await write("models within a TimeDistributed", (x) => {
  const inner = (name) =>
    sequential({
      name,
      layers: [
        L.dense({ units: 2, inputShape: [2], name: `${name}_dense` }),
        L.reLU({ name: `${name}_relu` }),
      ],
    });
  const once = L.timeDistributed({ layer: inner("a"), name: "td_a" }).apply(x);
  // Its moving statistics stand behind all others, so that the order of the weights does not tell.
  const norm = L.batchNormalization({ name: "norm" }).apply(once);
  return L.timeDistributed({ layer: inner("b"), name: "td_b" }).apply(norm);
});

writeFileSync(new URL("files/keras-models/tfjs.json", import.meta.url), JSON.stringify(cases));
