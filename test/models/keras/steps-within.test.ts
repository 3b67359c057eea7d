/** Masks of the steps within each step: what each version of Keras makes of them, and which layers take none. */
import { describe, expect, it } from "vitest";
import { FormatError } from "../../../src/formats/bytes.js";
import { loadTfjs } from "../../../src/models/index.js";
import {
  type Call,
  counted,
  innerOf,
  layerOf,
  loadCall,
  of,
  runCall,
  tensorOf,
  X,
} from "../../support/keras-calls.js";

/** Two steps of two: the second one of the first step, and both of the second step, do not count where they are masked. */
const WITHIN = of([2, 0, 0, 0], counted([null, 2, 2, 1], [1, 2, 2, 1]));
const EACH = layerOf("TimeDistributed", "each", X, { layer: innerOf("Masking") });
const WHOLE = layerOf("Masking", "each", X);
const MEAN = { layer: innerOf("GlobalAveragePooling1D") };

/** The means of the steps within each step, after a mask of them. */
const means = (mask: object, version: string): Call => ({
  x: WITHIN,
  version,
  before: [mask],
  args: [tensorOf("each")],
  config: MEAN,
});
const [MASKED, PLAIN] = [
  [2, Number.NaN],
  [1, 0],
];

describe("the mask of a TimeDistributed's steps", () => {
  it.each([
    ["goes to the next layer in tf_keras 2", EACH, "2.15.0", MASKED],
    ["goes to the next layer in Keras 2.2", EACH, "2.2.4", MASKED],
    ["is lost in Keras 2.1", EACH, "2.1.6", PLAIN],
    ["is lost in Keras 3", EACH, "3.8.0", PLAIN],
    ["is taken from a layer before it in Keras 3", WHOLE, "3.8.0", MASKED],
    ["is taken from a layer before it in Keras 2.2", WHOLE, "2.2.4", MASKED],
    ["is not taken from a layer before it in Keras 2.1", WHOLE, "2.1.6", PLAIN],
  ])("%s", (_, mask, version, expected) => {
    const call = means(mask, version);
    using model = loadCall("TimeDistributed", call);
    expect(runCall(model, call)).toEqual({ shape: [1, 2, 1], data: expected });
  });

  it.each([
    ["keras", MASKED],
    ["tfjs", PLAIN],
  ] as const)("in TensorFlow.js is as in %s", (masks, expected) => {
    const layers = [
      { class_name: "InputLayer", config: { name: "x", batch_input_shape: [null, 2, 2, 1] } },
      { class_name: "TimeDistributed", config: { name: "each", layer: innerOf("Masking") } },
      { class_name: "TimeDistributed", config: { name: "mean", ...MEAN } },
    ];
    const json = {
      modelTopology: {
        keras_version: "tfjs-layers 4.22.0",
        model_config: { class_name: "Sequential", config: { name: "m", layers } },
      },
      weightsManifest: [],
    };
    using model = loadTfjs(json, new Uint8Array(0), { masks });
    const { mean } = model.run({ data: [2, 0, 0, 0], shape: [1, 2, 2, 1] });
    expect(Array.from(mean!.data as Float32Array)).toEqual(expected);
  });

  it("stays one of steps after a layer that takes it, where one of them counts", () => {
    const call: Call = {
      x: WITHIN,
      version: "2.15.0",
      before: [
        EACH,
        layerOf("TimeDistributed", "most", tensorOf("each"), { layer: innerOf("GlobalMaxPooling1D") }),
      ],
      args: [tensorOf("most")],
    };
    using model = loadCall("GlobalAveragePooling1D", call);
    expect(runCall(model, call)).toEqual({ shape: [1, 1], data: [2] });
  });

  it.each([
    ["Add", [[tensorOf("rows"), tensorOf("rows")]], {}],
    ["Attention", [[tensorOf("rows"), tensorOf("rows")]], {}],
    ["GlobalAveragePooling1D", [tensorOf("rows")], {}],
  ])("that Keras 3 leaves as it was is refused by %s", (name, args, config) => {
    const rows = layerOf("TimeDistributed", "rows", tensorOf("each"), {
      layer: innerOf("GlobalMaxPooling1D"),
    });
    const run = () => loadCall(name, { x: WITHIN, before: [WHOLE, rows], args, config });
    expect(run).toThrow(FormatError);
    expect(run).toThrow(`keras: layer "made" (${name}): a mask of 3 axes is not supported`);
  });
});
