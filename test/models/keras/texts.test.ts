/** Models that take strings, beside what Keras computes. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../../src/formats/bytes.js";
import { loadKeras, loadTfjs } from "../../../src/models/index.js";
import { kerasZip } from "../../support/keras-writer.js";
import { expectClose } from "./cases.js";

interface Values<Item> {
  readonly shape: number[];
  readonly data: Item[];
}

interface TextCase {
  readonly name: string;
  readonly file: string;
  readonly inputs: readonly Values<string | number>[];
  readonly outputs: readonly Values<number>[];
}

const FOLDER = new URL("../../formats/files/keras-texts/", import.meta.url);
const cases = (mark: string): TextCase[] => JSON.parse(readFileSync(new URL(`${mark}.json`, FOLDER), "utf8"));

describe.each([
  ["Keras 3", "k3"],
  ["tf_keras 2", "k2"],
])("%s", (_, mark) => {
  it.each(cases(mark).map((one) => [one.name, one] as const))("%s", (_, { file, inputs, outputs }) => {
    using model = loadKeras(new Uint8Array(readFileSync(new URL(file, FOLDER))));
    expect(model.inputs[0]!.dtype).toBe("string");
    const given = Object.fromEntries(model.inputs.map(({ name }, at) => [name, inputs[at]!]));
    const results = model.run(given as never);
    for (const [at, { name }] of model.outputs.entries()) {
      expectClose(results[name]!, outputs[at]!, 2e-7, `output ${at}: ${name}`);
    }
  });
});

const input = (shape: readonly (number | null)[] = [null, 1], dtype = "string") => ({
  class_name: "InputLayer",
  config: { name: "x", batch_shape: shape, dtype },
});
const layer = (className: string, config: object) => ({
  class_name: className,
  config: { name: "t", ...config },
});
const sequential = (...layers: readonly unknown[]) => ({
  class_name: "Sequential",
  config: { name: "model", layers },
});
const load = (...layers: readonly unknown[]) => loadKeras(kerasZip(sequential(...layers), {}));
const words = { vocabulary: ["a", "b"] };

describe("strings", () => {
  it("are taken alone, and of any batch", () => {
    using model = load(input(), layer("TextVectorization", { ...words, split: "whitespace" }));
    expect(model.inputs).toEqual([{ name: "x", shape: ["batch", 1], dtype: "string" }]);
    expect(model.run({ x: "a c b" }).t!.data).toEqual(BigInt64Array.of(2n, 1n, 3n));
    const { shape } = model.run({ data: ["a", "b b b", ""], shape: [3, 1] }).t!;
    expect(shape).toEqual([3, 3]);
  });

  it.each([
    [
      "numbers",
      { data: Float32Array.of(1), shape: [1, 1] },
      TypeError,
      "inputs.x.data: expected an array of strings",
    ],
    [
      "a number among them",
      { data: ["a", 1], shape: [2, 1] },
      TypeError,
      "inputs.x.data[1]: expected a string",
    ],
    [
      "another shape",
      { data: ["a", "b"], shape: [1, 2] },
      RangeError,
      "inputs.x.shape: expected [batch, 1], got [1, 2]",
    ],
    ["too few", { data: ["a"], shape: [2, 1] }, RangeError, "inputs.x.data.length: expected 2"],
    ["nothing", {}, TypeError, "inputs.x: expected { data: string[], shape }"],
  ])("refuse %s", (_, given, kind, message) => {
    using model = load(input(), layer("TextVectorization", words));
    const run = () => model.run(given as never);
    expect(run).toThrow(kind);
    expect(run).toThrow(message);
  });

  it.each([
    ["one_hot", [null, 1], ["b", "c"], [2, 1], { shape: [2, 3], data: [0, 0, 1, 1, 0, 0] }],
    ["one_hot", [null, 2], ["b", ""], [1, 2], { shape: [1, 2, 3], data: [0, 0, 1, 0, 0, 0] }],
    ["one_hot", [null], ["a"], [1], { shape: [1, 3], data: [0, 1, 0] }],
    ["count", [null, 3], ["b", "", "c"], [1, 3], { shape: [1, 3], data: [1, 0, 1] }],
    ["multi_hot", [null, 3], ["", "a", ""], [1, 3], { shape: [1, 3], data: [0, 1, 0] }],
    // A word that is not known has the mean of all.
    ["tf_idf", [null, 3], ["", "b", "c"], [1, 3], { shape: [1, 3], data: [1, 0, 1.5] }],
  ])("are %s of %j, without the mask's word", (output_mode, batch_shape, data, shape, expected) => {
    const config = { ...words, output_mode, mask_token: "", idf_weights: [0.5, 1.5] };
    using model = load(input(batch_shape), layer("StringLookup", config));
    const t = model.run({ x: { data, shape } }).t!;
    expect({ shape: t.shape, data: Array.from(t.data as Float32Array) }).toEqual(expected);
  });

  it("have numbers for places without a word, too", () => {
    const more = {
      output_mode: "tf_idf",
      pad_to_max_tokens: true,
      max_tokens: 4,
      idf_weights: [1, 0.5, 1.5, 0],
    };
    using model = load(input([null, 2]), layer("StringLookup", { ...words, ...more }));
    expect(model.run({ x: { data: ["b", "c"], shape: [1, 2] } }).t!.data).toEqual(
      Float32Array.of(1, 0, 1.5, 0),
    );
  });

  it("are refused where a word is not known and no number stands for it", () => {
    using model = load(input(), layer("StringLookup", { ...words, num_oov_indices: 0 }));
    expect(model.run({ x: "b" }).t!.data).toEqual(BigInt64Array.of(1n));
    expect(() => model.run({ x: "c" })).toThrow(
      'keras: layer "t" (StringLookup): inputs: expected words of its vocabulary',
    );
  });

  it("of half a pair of surrogates are hashed as what stands for them in UTF-8", () => {
    using model = load(input(), layer("StringLookup", { ...words, num_oov_indices: 2 ** 19 }));
    const [half, replaced] = ["\ud800!", "\ufffd!"].map((x) => model.run({ x }).t!.data[0]);
    expect(half).toBe(replaced);
  });

  it("are not streamed", () => {
    using model = load(input(), layer("TextVectorization", words));
    expect(() => model.stream()).toThrow('layer "t" (TextVectorization): it takes strings');
  });

  it("go into models of TensorFlow.js", () => {
    const model_config = sequential(
      { class_name: "InputLayer", config: { name: "x", batch_input_shape: [null, 1], dtype: "string" } },
      layer("StringLookup", words),
    );
    using model = loadTfjs(
      { modelTopology: { keras_version: "2.15.0", model_config }, weightsManifest: [] },
      new Uint8Array(0),
    );
    expect(model.run({ x: "b" }).t!.data).toEqual(BigInt64Array.of(2n));
  });
});

describe("what is not supported of strings", () => {
  it.each([
    ["TextVectorization", { standardize: { class_name: "function", config: "own" } }, "standardize: "],
    ["TextVectorization", { split: "own" }, 'split: "own" is not supported'],
    ["TextVectorization", { split: null, ngrams: 2 }, "split: null with ngrams"],
    ["TextVectorization", { ragged: true }, "ragged is not supported"],
    ["TextVectorization", { encoding: "latin-1" }, 'encoding: "latin-1" is not supported'],
    ["TextVectorization", { ngrams: 1e9 }, "ngrams: 1000000000 is not supported"],
    ["TextVectorization", { output_mode: "one_hot" }, 'output_mode: "one_hot" is not supported'],
    ["TextVectorization", { output_mode: "tf_idf" }, "its idf_weights are not in the file"],
    ["TextVectorization", { vocabulary: null }, "its vocabulary is not in the file"],
    ["TextVectorization", { vocabulary: ["a", 1] }, "vocabulary: expected a list of strings, got 1"],
    ["TextVectorization", { vocabulary: ["a", "a"] }, "its vocabulary has a word twice"],
    ["TextVectorization", { output_sequence_length: 2 ** 40 }, "has more than 67108864 numbers"],
    [
      "TextVectorization",
      { output_mode: "count", pad_to_max_tokens: true, max_tokens: 2 ** 40 },
      "has more than",
    ],
    ["StringLookup", { invert: true }, "invert is not supported"],
    ["StringLookup", { num_oov_indices: 3, salt: 1 }, "salt is not supported"],
    [
      "StringLookup",
      { num_oov_indices: 2 ** 40 },
      "a vocabulary of more than 1048576 words is not supported",
    ],
    ["StringLookup", { oov_method: "own" }, 'oov_method: "own" is not supported'],
    ["StringLookup", { mask_token: 1 }, "mask_token: expected a string, got 1"],
    ["Flatten", {}, "strings are not supported"],
    ["TimeDistributed", { layer: layer("StringLookup", words) }, "strings are not supported"],
    ["IntegerLookup", { vocabulary: [1, 2] }, "strings are not supported"],
  ])("%s %j", (className, config, message) => {
    const make = () =>
      load(input(), layer(className, { ...(className === "Flatten" ? {} : words), ...config }));
    expect(make).toThrow(FormatError);
    expect(make).toThrow(`layer "t" (${className}): `);
    expect(make).toThrow(message);
  });

  it("a vocabulary of too many words", () => {
    const config = sequential(input(), layer("TextVectorization", {}));
    const file = (text: string) =>
      kerasZip(
        config,
        {},
        {
          level: 9,
          more: { "assets/layers/text_vectorization/vocabulary.txt": new TextEncoder().encode(text) },
        },
      );
    expect(() => loadKeras(file("\n".repeat(1.5e7)))).toThrow(
      'keras: layer "t" (TextVectorization): a vocabulary of more than 1048576 words is not supported',
    );
    expect(() => loadKeras(file("\n".repeat(2e7)))).toThrow(
      "vocabulary.txt: expected at most 16777216 bytes",
    );
    using model = loadKeras(file("\n[UNK]\nword"));
    expect(model.run({ x: "word other" }).t!.data).toEqual(BigInt64Array.of(2n, 1n));
  });

  it("strings as an output", () => {
    expect(() => load(input())).toThrow('keras: output "x": strings are not supported');
  });

  it("a TextVectorization of several columns", () => {
    expect(() => load(input([null, 2]), layer("TextVectorization", words))).toThrow(
      "an input of other shapes than (batch) and (batch, 1) is not supported",
    );
  });

  it("numbers in the place of strings", () => {
    expect(() => load(input([null, 1], "int32"), layer("StringLookup", words))).toThrow(
      "an input that is no strings is not supported",
    );
  });
});
