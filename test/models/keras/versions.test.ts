/**
 * Models of every version of Keras whose recurrent layers hang on their one input. What the framework's own layers make of
 * it is in test/formats/files/keras/case.json.
 */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { loadKeras } from "../../../src/models/index.js";
import { tensorOf } from "../../support/keras-calls.js";
import { kerasZip } from "../../support/keras-writer.js";
import { expectClose } from "./cases.js";

const FOLDER = new URL("../../formats/files/keras/", import.meta.url);
const read = (name: string) => readFileSync(new URL(name, FOLDER));

interface Entry {
  readonly role: string;
  readonly name: string;
  readonly shape: number[];
  readonly offset: number;
  readonly index?: number;
  readonly call?: number;
  readonly float32_error: number;
}

interface Case {
  readonly files: readonly { readonly file: string }[];
  readonly data: string;
  readonly arrays: readonly Entry[];
  readonly layers: readonly string[];
}

const { cases } = JSON.parse(read("case.json").toString()) as { cases: readonly Case[] };

/** Files, with how many of their outputs are compared in all calls. */
const FILES: readonly (readonly [file: string, count: number])[] = [
  ["act-layer-k3.h5", 1],
  ["acts-1-k3.keras", 8],
  ["acts-2-k2.h5", 4],
  ["acts-keras1.h5", 7],
  ["acts-keras2.h5", 10],
  ["bi-keras1.h5", 3],
  ["bi-keras2.h5", 3],
  ["bi-more-k2.h5", 6],
  ["bi-own-k2.keras", 3],
  ["bi-own-k3.h5", 3],
  ["bi-tf1.h5", 3],
  ["bias-k2.h5", 8],
  ["cells-k2.h5", 7],
  ["cells-keras2.h5", 2],
  ["cells-tf1.h5", 2],
  ["cudnn-keras2.h5", 7],
  ["cudnn-tf1.h5", 7],
  ["gpu-keras1.h5", 2],
  ["infinity-k3.h5", 1],
  ["rnn-acts-k2.h5", 3],
  ["stateful-k2.h5", 9],
  ["stateful-k3.h5", 9],
  ["stateful-keras1.h5", 3],
  ["stateful-keras2.h5", 3],
  ["time-keras1.h5", 4],
  ["time-keras2.h5", 7],
  ["time-keras20.h5", 6],
  ["time-major-k2.h5", 1],
  ["time-tf1.h5", 7],
];

it.each(FILES)("runs %s", (file, count) => {
  const found = cases.find(({ files }) => files.some((one) => one.file === file))!;
  const bytes = read(found.data);
  const entries = (role: string) => found.arrays.filter((entry) => entry.role === role);
  const numbers = ({ shape, offset }: Entry) => {
    const length = shape.reduce((a, b) => a * b, 1);
    return { shape, data: Array.from({ length }, (_, at) => bytes.readFloatLE(4 * (offset + at))) };
  };
  using model = loadKeras(read(file));
  const input = numbers(entries("input")[0]!);
  const calls = 1 + Math.max(...entries("expected").map(({ call = 0 }) => call));
  const stream = calls > 1 ? model.stream() : undefined;
  let compared = 0;
  for (let call = 0; call < calls; call++) {
    const results = stream === undefined ? model.run(input) : stream.step(input);
    for (const name of Object.keys(results)) {
      const [, layer, index] = found.layers.includes(name)
        ? [name, name, 0]
        : (/^(.*)_(\d+)$/.exec(name) ?? [name, name, 0]);
      const expected = entries("expected").find(
        (entry) => entry.name === layer && entry.index === Number(index) && (entry.call ?? 0) === call,
      );
      if (expected === undefined) continue;
      compared++;
      expectClose(results[name]!, numbers(expected), expected.float32_error, `${file}: ${name}`);
    }
  }
  expect(compared).toBe(count);
});

it("tells operations of Keras 3 from layers in an .h5 file, which has no modules", () => {
  using model = loadKeras(read("mask-graph-k3.h5"));
  using other = loadKeras(read("mask-graph-k3.keras"));
  const [, steps, size] = model.inputs[0]!.shape as [string, number, number];
  // The last steps are zeros, which do not count.
  const data = Array.from({ length: steps * size }, (_, at) => (at < 2 * size ? Math.sin(at + 1) : 0));
  const [got, expected] = [model, other].map(
    (one) => Object.values(one.run({ shape: [1, steps, size], data }))[0]!,
  );
  expect(got!.data).toEqual(expected!.data);
  expect(got!.data.some((x) => x !== 0)).toBe(true);
});

it("tells a Cast by its name, which states a dtype as layers do", () => {
  const named = (class_name: string, name: string, config: object, from: readonly object[]) => ({
    class_name,
    config: { name, ...config },
    name,
    inbound_nodes: from.length === 0 ? [] : [{ args: from, kwargs: {} }],
  });
  const layers = [
    named("InputLayer", "x", { batch_shape: [null, 3], dtype: "float32" }, []),
    named("Cast", "cast", { dtype: "int32" }, [tensorOf("x")]),
  ];
  const config = { name: "m", layers, input_layers: [["x", 0, 0]], output_layers: [["cast", 0, 0]] };
  using model = loadKeras(kerasZip({ class_name: "Functional", config }, {}, { version: "3.15.0" }));
  expect(Array.from(model.run(Float32Array.of(1.5, -2.5, 3)).cast!.data, Number)).toEqual([1, -2, 3]);
});
