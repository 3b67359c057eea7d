/** Files of every version of Keras and of TF.js. Each recurrent layer gives what its own framework gives. */
import { readdirSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { type KerasModel, readKeras, readTfjs } from "../../src/formats/index.js";
import { init, Tensor } from "../../src/index.js";
import { LayerRunner } from "../support/keras-layer.js";

interface KerasFile {
  readonly file: string;
  readonly format: "h5" | "keras" | "weights" | "oldweights" | "tfjs";
  /** Beside a model.json. */
  readonly shards?: readonly string[];
}

interface KerasArray {
  readonly role: "input" | "mask" | "expected" | "weight";
  /** Of the layer. */
  readonly name: string;
  readonly shape: readonly number[];
  /** In the data, in floats. */
  readonly offset: number;
  /** Among the layer's outputs, or its weights. */
  readonly index?: number;
  readonly call?: number;
  readonly float32_error?: number;
}

interface KerasCase {
  readonly id: string;
  /** Its name and version. */
  readonly framework: string;
  readonly files: readonly KerasFile[];
  /** A pattern of what is said of a model that has no equal here. */
  readonly refuse?: string;
  /** The same, where the model may as well run. */
  readonly optional?: string;
  readonly data: string;
  readonly arrays: readonly KerasArray[];
  /** Names of recurrent layers. */
  readonly layers: readonly string[];
}

/** By make_keras.py, make_keras_old.py and make_tfjs.mjs. */
const FOLDER = new URL("../formats/files/keras/", import.meta.url);
const CASES: readonly KerasCase[] = JSON.parse(readFileSync(new URL("case.json", FOLDER), "utf8")).cases;

const bytes = (name: string): Uint8Array => readFileSync(new URL(name, FOLDER));

function read({ file, format, shards }: KerasFile): KerasModel {
  if (format !== "tfjs") return readKeras(bytes(file));
  const folder = file.slice(0, file.indexOf("/") + 1);
  const parts = Object.fromEntries(shards!.map((shard) => [shard, bytes(folder + shard)]));
  return readTfjs(JSON.parse(new TextDecoder().decode(bytes(file))), parts);
}

function arrayOf({ data }: KerasCase, { shape, offset }: KerasArray): Tensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const part = bytes(data).slice(4 * offset, 4 * (offset + size));
  return new Tensor(new Float32Array(part.buffer, part.byteOffset, size), shape);
}

/** The largest difference, where it is more than float32 explains. */
function excess(actual: Tensor, expected: Tensor, float32Error = 0): number {
  const largest = expected.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const difference = expected.data.reduce(
    (most, value, at) => Math.max(most, Math.abs(value - actual.data[at]!) || 0),
    actual.data.every((value) => Number.isFinite(value)) ? 0 : Number.POSITIVE_INFINITY,
  );
  return difference <= Math.max(2e-6, 2 * float32Error, 4e-7 * largest) ? 0 : difference;
}

function expectLayers(one: KerasCase, { layers }: KerasModel): void {
  for (const name of one.layers) {
    const mine = one.arrays.filter((array) => array.name === name);
    const [input, mask] = (["input", "mask"] as const).map((role) => {
      const found = mine.find((array) => array.role === role);
      return found && arrayOf(one, found);
    });
    const layer = layers.find((some) => some.name === name);
    if (layer === undefined) throw new Error(`no layer ${name} among ${layers.map((some) => some.name)}`);
    const runner = new LayerRunner(layer);
    const outputs = mine.filter(({ role }) => role === "expected");
    const calls = 1 + Math.max(...outputs.map(({ call }) => call!));
    for (let call = 0; call < calls; call++) {
      const expected = outputs.filter((array) => array.call === call);
      const actual = runner.run(input!, mask);
      expect([name, actual.map(({ shape }) => shape)]).toEqual([name, expected.map(({ shape }) => shape)]);
      const excesses = expected.map((array, at) =>
        excess(actual[at]!, arrayOf(one, array), array.float32_error),
      );
      expect([name, call, excesses]).toEqual([name, call, excesses.map(() => 0)]);
    }
  }
}

/** What a reader says of a model that it refuses, as a whole or in part. */
function refusal(file: KerasFile): string {
  try {
    const { skipped } = read(file);
    return skipped.map(({ name, reason }) => `${name}: ${reason}`).join("\n");
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return error.message;
  }
}

const isAlone = ({ format }: KerasFile) => format === "weights" || format === "oldweights";
const WHOLE = CASES.filter(({ layers }) => layers.length > 0).flatMap((one) =>
  one.files.filter((file) => !isAlone(file)).map((file) => [file.file, one, file] as const),
);
const ALONE = CASES.flatMap((one) =>
  one.files.filter(isAlone).map((file) => [file.file, one, file] as const),
);
const REFUSED = CASES.flatMap(({ refuse, files }) =>
  refuse === undefined ? [] : files.map((file) => [file.file, refuse, file] as const),
);

describe("files of Keras and TF.js", () => {
  beforeAll(() => init());

  it("are those of the cases", () => {
    const named = CASES.flatMap(({ files, data }) => [
      data,
      ...files.flatMap(({ file, shards = [] }) => [
        file,
        ...shards.map((shard) => `${file.split("/")[0]}/${shard}`),
      ]),
    ]);
    const found = readdirSync(FOLDER, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== "case.json")
      .map(({ parentPath, name }) =>
        `${parentPath}/${name}`.slice(`${FOLDER.pathname}`.length).replace(/^\//, ""),
      );
    expect(found.sort()).toEqual([...new Set(named)].sort());
  });

  it.each(WHOLE)("%s gives its framework's numbers", (_name, one, file) => {
    if (one.optional !== undefined && new RegExp(one.optional).test(refusal(file))) return;
    const model = read(file);
    if (one.refuse === undefined) expect(model.skipped).toEqual([]);
    expect(model.kerasVersion).toContain(one.framework.split(" ")[1]);
    expectLayers(one, model);
    for (const array of one.arrays.filter(({ role }) => role === "weight")) {
      const layer = model.layers.find(({ name }) => name === array.name)!;
      const weight = [...layer.weights.values()][array.index!] as Tensor;
      expect([array.name, weight.shape]).toEqual([array.name, array.shape]);
      expect(weight.data).toEqual(arrayOf(one, array).data);
    }
  });

  it.each(ALONE)("%s has the arrays of the whole model", (_name, one, file) => {
    const whole = read(one.files.find(({ format }) => format === "h5")!);
    const arrays = ({ layers }: KerasModel) =>
      layers
        .map(({ weights }) => [...weights.values()].map(({ shape, data }) => `${shape}: ${data}`).join("\n"))
        .filter((text) => text !== "")
        .sort();
    const alone = read(file);
    expect(arrays(alone)).toEqual(arrays(whole));
    expect(alone.layers.every(({ recurrent, parts }) => recurrent === undefined && parts === undefined)).toBe(
      true,
    );
  });

  const STACKS = WHOLE.filter(([name]) => /^stack-.*k[23]\b/.test(name));

  it.each(STACKS)(
    "%s lists its layers in the order of the config, with their arrays",
    (_name, _one, file) => {
      const found = read(file).layers.filter(({ className }) => className !== "InputLayer");
      const arrays = "kernel recurrent_kernel bias";
      expect(found.map((one) => [one.name, one.className, [...one.weights.keys()].join(" ")])).toEqual([
        ["lstm", "LSTM", arrays],
        ["gru", "GRU", arrays],
        ["simple_rnn", "SimpleRNN", arrays],
        ["dense", "Dense", "kernel bias"],
      ]);
    },
  );

  const GRAPHS = WHOLE.filter(([name]) => /^graph-k[23]/.test(name));

  it.each(GRAPHS)("%s names the layers of nested models after those", (_name, _one, file) => {
    const found = read(file).layers.filter(({ recurrent }) => recurrent !== undefined);
    expect(found.map(({ name, className, recurrent }) => [name, className, recurrent!.kind])).toEqual([
      ["shared", "LSTM", "LSTM"],
      ["outer/inner/lstm", "LSTM", "LSTM"],
      ["outer/lstm", "GRU", "GRU"],
      ["last", "GRU", "GRU"],
      ["frames", "TimeDistributed", "GRU"],
    ]);
  });

  it.each(["bi-own-k2.keras", "bi-own-k3.h5"])("%s has halves of their own as parts", (name) => {
    const { layers } = readKeras(bytes(name));
    const told = layers
      .slice(1)
      .map(({ recurrent, parts }) => [
        recurrent?.kind,
        parts?.map((part) => [part.name, part.recurrent.kind, part.recurrent.mergeMode]),
      ]);
    expect(told).toEqual([
      ["LSTM", undefined],
      [
        undefined,
        [
          ["forward_f2", "LSTM", "concat"],
          ["backward_b2", "GRU", "concat"],
        ],
      ],
      [
        undefined,
        [
          ["forward_f3", "GRU", "sum"],
          ["backward_b3", "GRU", "sum"],
        ],
      ],
    ]);
  });

  it("tells of a layer what Keras does with its output", () => {
    const told = (name: string) =>
      readKeras(bytes(name)).layers.flatMap(({ name, recurrent }) =>
        recurrent === undefined
          ? []
          : [
              [
                name,
                recurrent.returnSequences,
                recurrent.returnState,
                recurrent.stateful,
                recurrent.mergeMode,
              ],
            ],
      );
    expect(told("stateful-k3.h5")).toEqual([
      ["lstm", true, false, true, undefined],
      ["gru", false, true, true, undefined],
    ]);
    expect(told("bi-k3.keras")).toEqual([
      ["concat", true, false, false, "concat"],
      ["sum", false, false, false, "sum"],
      ["state", false, true, false, "concat"],
    ]);
    expect(told("bi-modes-k2.h5").map((one) => one.at(-1))).toEqual(["mul", "ave", null]);
  });

  it("reads the shards of a model.json as one buffer too", () => {
    const [, one, file] = WHOLE.find(([name]) => name.startsWith("stack-shards"))!;
    const folder = file.file.split("/")[0];
    const json = JSON.parse(new TextDecoder().decode(bytes(file.file)));
    const paths: string[] = json.weightsManifest.flatMap((group: { paths: string[] }) => group.paths);
    expectLayers(one, readTfjs(json, Buffer.concat(paths.map((path) => bytes(`${folder}/${path}`)))));
  });

  it("refuses a graph model by name", () => {
    const json = { format: "graph-model", modelTopology: { node: [] }, weightsManifest: [] };
    expect(() => readTfjs(json, {})).toThrow(/^tfjs: .*graph model/);
  });

  it.each(REFUSED)("%s is refused by name", (_name, pattern, file) => {
    expect(refusal(file)).toMatch(new RegExp(pattern));
  });
});
