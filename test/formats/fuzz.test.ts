/**
 * Good files with bytes changed, inserted, left out and copied: every reader either refuses the result with a
 * FormatError or reads it, within a second.
 *
 * FUZZ_RUNS is the number of files for each reader (20,000 in CI). FUZZ_SEED repeats a run.
 */

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import {
  listModules,
  readOnnx,
  readSafetensors,
  readTfjs,
  writeSafetensors,
} from "../../src/formats/index.js";
import { type StateDict, Tensor } from "../../src/tensor/tensor.js";
import { runDeclared } from "../support/host-graph.js";
import { READERS as OF_FILES } from "../support/hostile/readers.js";
import { type Mutation, mutate, mutation } from "../support/mutations.js";
import * as onnx from "../support/onnx-writer.js";
import { processorTime } from "../support/processor-time.js";
import { randomRows } from "../support/reference.js";
import { ofModelJson, TFJS_FILES } from "../support/tfjs-files.js";

const READERS = {
  ...OF_FILES,
  readTfjs: (bytes: Uint8Array) => ofModelJson(bytes, readTfjs),
  runOnnxGraph: runDeclared,
  /** The same reader of many nodes with options, so that other files still come up. */
  readOnnxNodes: (bytes: Uint8Array) => readOnnx(bytes),
  readShardIndex: (bytes: Uint8Array) => readSafetensors({ ...SHARDS, [INDEX]: bytes }),
  readShard: (bytes: Uint8Array) => readSafetensors({ ...SHARDS, [SHARD]: bytes }),
};

const RUNS = Number(process.env.FUZZ_RUNS ?? 1000);
const SEED = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Milliseconds of processor time that a file may take. */
const LIMIT = 1000;
console.log(`fuzz: ${RUNS} files per reader, seed ${SEED}`);

const file = (name: string) => new Uint8Array(readFileSync(new URL(`files/${name}`, import.meta.url)));
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

const [INDEX, SHARD] = ["model.safetensors.index.json", "model-00001-of-00002.safetensors"];
const OTHER_SHARD = "model-00002-of-00002.safetensors";
const SHARDS = {
  [INDEX]: json({
    metadata: { total_size: 48 },
    weight_map: { "rnn.weight_ih_l0": SHARD, "rnn.weight_hh_l0": OTHER_SHARD },
  }),
  [SHARD]: writeSafetensors({ "rnn.weight_ih_l0": Tensor.randn([4, 2], 1) }),
  [OTHER_SHARD]: writeSafetensors({ "rnn.weight_hh_l0": Tensor.randn([4, 1], 2) }),
};
const ONNX_NODES: readonly { model: string }[] = JSON.parse(
  new TextDecoder().decode(file("onnx-nodes.json")),
);

const ONNX = ["lstm.onnx", "lstm-stack.onnx", "gru-both-ways.onnx", "rnn-relu.onnx", "branch.onnx"];
const DYNAMO = [
  "lstm-state-dynamic.onnx",
  "gru-unoptimised-dynamic.onnx",
  "rnn-unrolled.onnx",
  "lstm-int8.onnx",
];
const ONNX_FILES = [
  ...ONNX.map((name) => `onnx/${name}`),
  ...DYNAMO.map((name) => `onnx-dynamo/${name}`),
  "onnx-2.4/rnn-unrolled.onnx",
].map(file);
/** Whole models: a Loop, a function of the file, and a branch whose shape is folded. */
const GRAPHS = [
  onnx.model(
    {
      inputs: [{ name: "x", shape: ["n", 2] }],
      outputs: ["y"],
      initializers: [
        onnx.int64s("count", [3]),
        onnx.int64s("flat", [-1]),
        onnx.floats("w", [2, 2], [1, 2, 3, 4]),
      ],
      nodes: [
        onnx.node("Loop", ["count", "", "x"], ["a", "all"], {
          attributes: {
            body: {
              graph: onnx.graph({
                inputs: ["i", "go", "s"],
                outputs: ["go", "t", "t"],
                nodes: [onnx.node("MatMul", ["s", "w"], ["m"]), onnx.node("Tanh", ["m"], ["t"])],
              }),
            },
          },
        }),
        onnx.node("Half", ["all"], ["h"], { domain: "own" }),
        onnx.node("Shape", ["h"], ["shape"]),
        onnx.node("Size", ["shape"], ["rank"]),
        onnx.node("Greater", ["rank", "count"], ["deep"]),
        onnx.node("If", ["deep"], ["y"], {
          attributes: {
            then_branch: { graph: onnx.graph({ outputs: ["b"], nodes: [onnx.node("Relu", ["h"], ["b"])] }) },
            else_branch: {
              graph: onnx.graph({ outputs: ["c"], nodes: [onnx.node("Reshape", ["h", "flat"], ["c"])] }),
            },
          },
        }),
      ],
    },
    [
      onnx.func(
        "own",
        "Half",
        {
          inputs: ["p"],
          outputs: ["q"],
          nodes: [onnx.node("Split", ["p"], ["q", ""], { attributes: { axis: 2, num_outputs: 2 } })],
        },
        onnx.opsetImport(9, 20),
      ),
    ],
    20,
  ),
];
const TORCH = [
  "zip.pt",
  "deflated.pt",
  "legacy.pt",
  "zip-protocol-4.pt",
  "views.pt",
  "views-legacy.pt",
  "dtypes.pt",
];
const CHECKPOINTS = ["module.pt", "module-legacy.pt", "script.pt", "checkpoint-legacy.pt"];
const TORCH_2 = [
  "compiled.pt",
  "compiled-2.4.pt",
  "dtensor-replicated.pt",
  "dtensor-replicated-2.4.pt",
  "exported.pt2",
  "exported-2.4.pt2",
];
const CURRENT = [
  "axes.pt",
  "beside.pt",
  "quantised-pair-module.pt",
  "quantised-plain.pt",
  "weight-drop-above.pt",
];
const NUMPY = [
  "stored.npz",
  "deflated.npz",
  "others.npz",
  "array.npy",
  "protocol-2.pkl",
  "protocol-5.pkl",
  "single.pkl",
  "beside.pkl",
];
const LSTM = {
  type: "lstm",
  activation: "tanh",
  weights: [randomRows(1, 8, 1), randomRows(2, 8, 2), randomRows(1, 8, 3)[0]],
};

const KERAS = [
  "bi-own-k3.h5",
  "cells-k2.h5",
  "cudnn-keras2.h5",
  "graph-k2.keras",
  "masked-k3.keras",
  "split-k3.h5",
  "stack-k3.weights.h5",
  "stack-keras1.h5",
  "twice-k3.keras",
];
/** Good files of each reader. */
const OWN: Record<Exclude<keyof typeof READERS, "readWeights">, readonly Uint8Array[]> = {
  readKeras: KERAS.map((name) => file(`keras/${name}`)),
  readTfjs: TFJS_FILES,
  readSafetensors: [
    writeSafetensors({
      "rnn.weight_ih_l0": Tensor.randn([4, 2], 1),
      "rnn.weight_hh_l0": Tensor.randn([4, 1], 2),
    }),
    writeSafetensors(
      { a: new Tensor(BigInt64Array.of(1n), [1]), b: Tensor.zeros([0, 2]) },
      { metadata: { a: "b" } },
    ),
  ],
  readTorch: [
    ...[...TORCH, ...CHECKPOINTS].map((name) => file(`torch/${name}`)),
    ...TORCH_2.map((name) => file(`torch-2/${name}`)),
    ...CURRENT.map((name) => file(`torch-current/${name}`)),
  ],
  readOnnx: ONNX_FILES,
  listOnnxNodes: ONNX_FILES,
  readOnnxNodes: ONNX_NODES.map(({ model }) => new Uint8Array(Buffer.from(model, "base64"))),
  readShardIndex: [SHARDS[INDEX]!],
  readShard: [SHARDS[SHARD]!],
  runOnnxGraph: [...ONNX_FILES, ...GRAPHS],
  readNumpy: NUMPY.map((name) => file(`numpy/${name}`)),
  readNam: [
    json({
      version: "0.5.2",
      architecture: "LSTM",
      config: { input_size: 1, hidden_size: 1, num_layers: 1 },
      weights: [...Array(16).keys()],
      sample_rate: 48000,
    }),
  ],
  readGuitarML: [
    json({
      model_data: {
        model: "SimpleRNN",
        input_size: 1,
        skip: 1,
        output_size: 1,
        unit_type: "GRU",
        num_layers: 1,
        hidden_size: 1,
      },
      state_dict: {
        "rec.weight_ih_l0": [[1], [2], [3]],
        "rec.weight_hh_l0": [[1], [2], [3]],
        "rec.bias_ih_l0": [1, 2, 3],
        "rec.bias_hh_l0": [1, 2, 3],
        "lin.weight": [[1]],
        "lin.bias": [1],
      },
    }),
  ],
  readRTNeural: [
    json({
      in_shape: [null, null, 1],
      layers: [LSTM, { type: "dense", activation: "", weights: [[[1], [2]], [3]] }],
      in_skip: 1,
    }),
    json({
      "rec.weight_ih_l0": randomRows(3, 1, 1),
      "rec.weight_hh_l0": randomRows(3, 1, 2),
      "lin.weight": [[1]],
      samplerate: "48000",
    }),
  ],
};

const GOOD: Record<keyof typeof READERS, readonly Uint8Array[]> = {
  ...OWN,
  readWeights: Object.entries(OWN).flatMap(([reader, files]) =>
    ["readTfjs", "runOnnxGraph", "readShardIndex"].includes(reader) ? [] : files,
  ),
};

describe("fuzz", () => {
  it.each(["1", '"a"', "true", "null", "[]", "{}"])("readTfjs refuses %s in the place of a model", (text) => {
    expect(() => READERS.readTfjs(new TextEncoder().encode(`${text}\n`))).toThrow(FormatError);
  });

  it.each(Object.keys(GOOD) as (keyof typeof READERS)[])(
    "%s refuses or reads whatever it is given",
    (reader) => {
      const files = GOOD[reader];
      for (const good of files) READERS[reader](good);
      let read = 0;
      let slowest = 0;
      const check = (good: Uint8Array, mutations: readonly Mutation[]) => {
        const bytes = mutations.reduce(mutate, good);
        let result: unknown;
        let error: unknown;
        const time = processorTime(LIMIT, () => {
          try {
            result = READERS[reader](bytes);
          } catch (thrown) {
            error = thrown;
          }
        });
        expect(time, "milliseconds of processor time").toBeLessThan(LIMIT);
        slowest = Math.max(slowest, time);
        if (error !== undefined) {
          if (!(error instanceof FormatError)) throw error;
          expect(error.message).toMatch(
            /^(safetensors|torch|onnx|keras|tfjs|numpy|nam|guitarml|rtneural|weights|shards): ./,
          );
          return;
        }
        read++;
        if (result instanceof Map) {
          listModules(result as StateDict);
          expect(writeSafetensors(withoutReserved(result as StateDict)).length).toBeGreaterThan(8);
        }
      };
      fc.assert(
        fc.property(fc.constantFrom(...files), fc.array(mutation, { minLength: 1, maxLength: 4 }), check),
        { numRuns: RUNS, seed: SEED, endOnFailure: true },
      );
      console.log(`fuzz: ${reader}: ${read} of ${RUNS} were still read; the slowest took ${slowest} ms`);
    },
    1_800_000,
  );
});

/** A changed file may hold a tensor of the one name that safetensors reserves. */
function withoutReserved(dict: StateDict): StateDict {
  return new Map([...dict].filter(([name]) => name !== "__metadata__"));
}
