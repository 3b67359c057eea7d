/** Keras' files whose configs, arrays and entries are made to cost much. What contradicts itself is in keras-refusals. */
import { type Arrays, kerasH5, kerasZip } from "../keras-writer.js";
import type { HostileFile } from "./readers.js";

const lstm = (name: string) => ({
  class_name: "LSTM",
  config: { name, units: 1, recurrent_activation: "sigmoid" },
});
const model = (layers: unknown[]) => ({ class_name: "Sequential", config: { name: "model", layers } });
const many = <Item>(count: number, item: (at: number) => Item) =>
  Array.from({ length: count }, (_, at) => item(at));
const inner = model([lstm("lstm")]);
const SHARED: Arrays = {
  "layers/sequential/layers/lstm/cell/vars/0": { shape: [100_000, 4] },
  "layers/sequential/layers/lstm/cell/vars/1": { shape: [1, 4] },
  "layers/sequential/layers/lstm/cell/vars/2": { shape: [4] },
};
const zipped = (config: string) => kerasZip(config, {}, { level: 9 });

export const KERAS: readonly Omit<HostileFile, "reader">[] = [
  {
    name: "a model that is used 1,000 times",
    make: () => kerasZip(model(Array(1000).fill(inner)), SHARED),
    message: "more than the file may become",
  },
  {
    name: "10,000 layers without arrays",
    make: () => kerasH5({ config: model(many(10_000, (at) => lstm(`l${at}`))), layers: {} }),
    message: "keras: the file has no weights",
  },
  {
    name: "3,000 nested models and as many arrays of none",
    make: () =>
      kerasH5({
        config: model(
          many(3000, (at) => ({ ...inner, config: { name: `m${at}`, layers: [lstm(`l${at}`)] } })),
        ),
        layers: { other: Object.fromEntries(many(3000, (at) => [`x${at}/kernel`, { shape: [1, 1] }])) },
      }),
    message: "keras: the file has no weights",
  },
  {
    name: "a name of 20,000 parts",
    make: () =>
      kerasH5({
        config: model([lstm("a/".repeat(20_000))]),
        layers: { x: { "a/kernel": { shape: [1, 4] } } },
      }),
    message: "the file has no weights",
  },
  {
    name: "a bomb in place of the weights",
    make: () => kerasZip(model([]), {}, { level: 9, more: { "model.weights.h5": new Uint8Array(70e6) } }),
    message: "keras: zip: entries inflate to more than 67108864 bytes",
  },
  {
    name: "a config of 17 million spaces",
    make: () => zipped(`${" ".repeat(1.7e7)}{}`),
    message: "keras: config.json: expected at most 16777216 bytes, got 17000002",
  },
  {
    name: "a config of 8 million spaces",
    make: () => zipped(`${" ".repeat(8e6)}{}`),
    message: "class_name: expected a string",
  },
  {
    name: "a config of a million brackets",
    make: () => zipped("[".repeat(1e6)),
    message: "nests deeper than 64",
  },
  {
    name: "a config of a million NaNs",
    make: () => zipped(`[${"NaN,".repeat(1e6)}1]`),
    message: "keras: config.json: expected an object",
  },
  {
    name: "a config of a string of a million quotes",
    make: () => zipped(`NaN${'"\\'.repeat(1e6)}`),
    message: "keras: config.json: not valid JSON",
  },
];
