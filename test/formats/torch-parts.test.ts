/** What pickles and programs of PyTorch 2 may have in unexpected places: DTensors, quantised tensors, lists of weights. */
import { describe, expect, it } from "vitest";
import { readTorch } from "../../src/formats/index.js";
import { Global, PyObject } from "../../src/formats/torch/pickle/globals.js";
import { QUANTISED_CALLS } from "../../src/formats/torch/quantised.js";
import { quantised, Storage } from "../../src/formats/torch/rebuild-tensor.js";
import { wholeOf } from "../../src/formats/torch/wrappers.js";
import { zip } from "../support/torch-writer.js";

describe("a DTensor", () => {
  const placed = (kind: string) =>
    new PyObject(new Global(`torch.distributed.tensor.placement_types.${kind}`), []);
  const spec = (placements: unknown) => {
    const object = new PyObject(new Global("torch.distributed.tensor._dtensor_spec.DTensorSpec"), []);
    object.state = new Map([["placements", placements]]);
    return object;
  };
  const state = (local: unknown, placements: unknown) =>
    new Map<string, unknown>([
      ["_local_tensor", local],
      ["_spec", spec(placements)],
    ]);
  const local = { size: [2, 3] };
  const args = [0, 0, [2, 3]];

  it("is its local tensor where that is the whole", () => {
    expect(wholeOf(args, [null, state(local, [placed("Replicate")])])).toBe(local);
    expect(wholeOf(args, state(local, [placed("Shard")]))).toBe(local);
  });

  it.each<[string, unknown, unknown]>([
    ["no arguments", undefined, state(local, [placed("Replicate")])],
    ["no attributes", args, [null, 1]],
    ["no placements", args, state(local, undefined)],
    ["no specification", args, new Map([["_local_tensor", local]])],
    ["a placement that is none", args, state(local, [1])],
    ["a sum that is still to be made", args, state(local, [placed("Partial")])],
    ["no size of the whole", [0, 0, 1], state(local, [placed("Replicate")])],
    ["no local tensor", args, state(undefined, [placed("Replicate")])],
    ["a part", args, state({ size: [1, 3] }, [placed("Shard")])],
  ])("is not read with %s", (_, given, attributes) => {
    expect(wholeOf(given, attributes)).toBeUndefined();
  });
});

describe("a quantised tensor", () => {
  const rebuild = QUANTISED_CALLS.get("torch._utils._rebuild_qtensor")!;
  const storage = new Storage("0", "I8", 4, 4, "QInt8Storage");
  const scheme = (name: string) => new Global(`torch.${name}`);

  it.each<[string, unknown]>([
    ["no quantiser", undefined],
    ["a scheme that is none", ["per_tensor_affine", 1, 0]],
    ["another scheme", [scheme("per_tensor_symmetric"), 1, 0]],
    ["a scale that is no number", [scheme("per_tensor_affine"), "1", 0]],
    ["a zero point that is no number", [scheme("per_tensor_affine"), 1, Number.NaN]],
    ["scales that are numbers", [scheme("per_channel_affine"), 1, 0, 0]],
    ["an axis that is none", [scheme("per_tensor_affine"), 1, 0, -1]],
  ])("is not read with %s", (_, quantiser) => {
    expect(rebuild([storage, 0, [4], [1], quantiser], "torch")).toEqual(quantised());
  });

  it("is of a storage of integers", () => {
    expect(() => rebuild([1, 0, [4], [1], undefined], "torch")).toThrow("of something that is no storage");
    const floats = new Storage("0", "F32", 4, 16, "FloatStorage");
    expect(rebuild([floats, 0, [4], [1], [scheme("per_tensor_affine"), 1, 0]], "torch")).toEqual(quantised());
  });
});

describe("a program of torch.export", () => {
  const utf8 = (text: string) => new TextEncoder().encode(text);
  const weight = { dtype: 7, layout: 7, sizes: [2], strides: [1], storage_offset: 0 };
  const config = (key: string) =>
    utf8(JSON.stringify({ config: { [key]: { path_name: "weight_0", tensor_meta: weight } } }));
  const program = (...more: { name: string; content: Uint8Array }[]) =>
    zip([
      { name: "m/archive_format", content: utf8("pt2") },
      { name: "m/byteorder", content: utf8("little") },
      { name: "m/data/weights/weight_0", content: new Uint8Array(Float32Array.of(1, 2).buffer) },
      ...more,
    ]);

  it("may state sizes as numbers, and lie beside other folders", () => {
    const bytes = program(
      { name: "other/data/weights/model_weights_config.json", content: config("b") },
      { name: "m/data/weights/model_weights_config.json", content: config("a") },
    );
    expect([...readTorch(bytes)].map(([name, { data }]) => [name, [...data]])).toEqual([["a", [1, 2]]]);
  });

  it("is chosen by its name where a file has several", () => {
    const bytes = program(
      { name: "m/data/weights/one_weights_config.json", content: config("a") },
      { name: "m/data/weights/two_weights_config.json", content: config("b") },
    );
    expect([...readTorch(bytes, { path: "two" }).keys()]).toEqual(["b"]);
    expect(() => readTorch(bytes)).toThrow("one");
  });

  const graph = (name: string, nodes: readonly object[], key = "cell.weight_ih") => ({
    name: `m/models/${name}.json`,
    content: utf8(
      JSON.stringify({
        graph_module: {
          graph: { nodes },
          signature: { input_specs: [{ parameter: { arg: { name: "p" }, parameter_name: key } }] },
        },
      }),
    ),
  });
  const cell = (nonlinearity: string) => ({
    target: `torch.ops.aten.rnn_${nonlinearity}_cell.default`,
    inputs: [{ name: "w_ih", arg: { as_tensor: { name: "p" } } }],
  });
  const layer = (batchFirst: unknown) => ({
    target: "torch.ops.aten.gru.input",
    inputs: [
      { name: "params", arg: { as_tensors: [{ name: "p" }] } },
      { name: "batch_first", arg: { as_bool: batchFirst } },
    ],
  });
  const weights = { name: "m/data/weights/model_weights_config.json", content: config("a") };

  it("tells the nonlinearity of a cell that is called at each step", () => {
    const bytes = program(weights, graph("model", [cell("relu"), cell("relu")]));
    const { metadata } = readTorch(bytes);
    expect(metadata).toEqual({ "cell.": { kind: "RNNCell", options: { nonlinearity: "relu" } } });
  });

  it.each([
    ["calls a layer in two ways", graph("model", [layer(true), layer(false)], "gru.weight_ih_l0")],
    ["has no batch_first", graph("model", [layer(undefined)], "gru.weight_ih_l0")],
    ["names a weight of another kind", graph("model", [layer(true)], "gru.weight_hh_l0")],
    ["has nodes that are none", graph("model", [[], layer(true), { target: {} }] as object[], "gru")],
    ["is no JSON", { name: "m/models/model.json", content: utf8('"torch.ops.aten.gru.input"}') }],
    ["is no text", { name: "m/models/model.json", content: new Uint8Array(9).fill(255) }],
    ["is of another program", graph("other", [layer(true)], "gru.weight_ih_l0")],
  ])("tells nothing where its graph %s", (_, entry) => {
    const dict = readTorch(program(weights, entry));
    expect([dict.size, dict.metadata]).toEqual([1, undefined]);
  });

  it("tells the options of the program that is chosen", () => {
    const bytes = program(
      { name: "m/data/weights/one_weights_config.json", content: config("a") },
      { name: "m/data/weights/two_weights_config.json", content: config("b") },
      graph("one", [layer(false)], "gru.weight_ih_l0"),
      graph("two", [layer(true)], "gru.weight_ih_l0"),
    );
    const { metadata } = readTorch(bytes, { path: "two" });
    expect(metadata).toEqual({ "gru.": { kind: "GRU", options: { batchFirst: true } } });
  });

  it("is refused where its list of weights is no object", () => {
    const bytes = program({ name: "m/data/weights/model_weights_config.json", content: utf8("[1]") });
    expect(() => readTorch(bytes)).toThrow("config: expected an object");
  });
});
