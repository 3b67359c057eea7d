/**
 * Good files of Keras and TensorFlow.js with bytes changed: a FormatError, or a model that runs or refuses to, within a
 * second.
 *
 * FUZZ_RUNS is the number of files for each loader. FUZZ_SEED repeats a run.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { FormatError } from "../../../src/formats/bytes.js";
import { loadKeras, loadTfjs, type Model } from "../../../src/models/index.js";
import { type Mutation, mutate, mutation } from "../../support/mutations.js";
import { processorTime } from "../../support/processor-time.js";
import { runOnOnes } from "../../support/run-layers.js";
import { ofModelJson, TFJS_FILES } from "../../support/tfjs-files.js";

const RUNS = Number(process.env.FUZZ_RUNS ?? 500);
const SEED = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Milliseconds of processor time that a file may take. */
const LIMIT = 1000;
console.log(`fuzz: ${RUNS} files per loader, seed ${SEED}`);

const file = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../formats/files/${name}`, import.meta.url)));

const KERAS_H5 = "keras-models/shared-k3.h5";
/** Of several families of layers, and of strings. */
const KERAS = [
  "keras-models/causal-k3.keras",
  "keras-models/dense-k2.keras",
  "keras-models/embedded-k3.keras",
  "keras-models/named-k3.keras",
  KERAS_H5,
  "keras-layers/attention-k2.h5",
  "keras-layers/conv1d-k2.h5",
  "keras-layers/normalise-k2.h5",
  "keras-texts/classified-k3.keras",
].map(file);

function runAndDispose(model: Model<string>): void {
  try {
    runOnOnes(model);
  } finally {
    model.dispose();
  }
}

/** Bytes that begin as an architecture's JSON are not refused before weights are beside them. */
const weightsBeside = (bytes: Uint8Array) =>
  bytes[0] === "{".charCodeAt(0) ? { weights: file(KERAS_H5) } : {};

const LOADERS = {
  loadKeras: {
    files: KERAS,
    load: (bytes: Uint8Array) => runAndDispose(loadKeras(bytes, weightsBeside(bytes))),
  },
  loadTfjs: {
    files: TFJS_FILES,
    load: (bytes: Uint8Array) =>
      ofModelJson(bytes, (json, weights) => runAndDispose(loadTfjs(json, weights))),
  },
};

it.each(Object.entries(LOADERS))(
  "%s refuses or runs whatever it is given",
  (name, { files, load }) => {
    for (const good of files) load(good);
    let ran = 0;
    const check = (good: Uint8Array, mutations: readonly Mutation[]) => {
      const bytes = mutations.reduce(mutate, good);
      let error: unknown;
      const time = processorTime(LIMIT, () => {
        error = undefined;
        try {
          load(bytes);
        } catch (thrown) {
          error = thrown;
        }
      });
      expect(time, "milliseconds of processor time").toBeLessThan(LIMIT);
      if (error === undefined) ran++;
      else if (!(error instanceof FormatError)) throw error;
      else expect(error.message).toMatch(/^(keras|tfjs): ./);
    };
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.array(mutation, { minLength: 1, maxLength: 4 }), check),
      { numRuns: RUNS, seed: SEED, endOnFailure: true },
    );
    console.log(`fuzz: ${name}: ${ran} of ${RUNS} still ran`);
  },
  1_800_000,
);
