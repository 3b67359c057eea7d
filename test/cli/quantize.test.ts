/** lstm-wasm quantize. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { quantizeStateDict, readSafetensors, writeSafetensors } from "../../src/formats/index.js";
import { Conv1d, Linear, LSTM, quantizeModule, RNN, Tensor } from "../../src/index.js";
import { command, FILES, folder, netFile, npy, write } from "../support/cli.js";
import * as onnx from "../support/onnx-writer.js";

describe("lstm-wasm quantize", () => {
  const target = join(folder, "int8.safetensors");
  const xFile = write("quantize.npy", npy(Tensor.randn([20, 4], 3)));

  it("writes int8 weights, and says the sizes and the errors", () => {
    const { code, out, error } = command("quantize", "--force", netFile, target);
    expect([code, error]).toEqual([0, ""]);
    const before = readFileSync(netFile);
    const after = new Uint8Array(readFileSync(target));
    expect(readSafetensors(after)).toEqual(
      readSafetensors(writeSafetensors(quantizeStateDict(readSafetensors(before)))),
    );
    expect(out).toContain(`${before.length} bytes`);
    expect(out).toContain(
      `${after.length} bytes, ${(before.length / after.length).toFixed(2)} times smaller`,
    );
    expect(out).toContain("random input (64 steps, 8 rows)");
    for (const layer of ["Linear head.", "LSTM lstm."]) {
      const [, largest, mean] = new RegExp(`${layer}: largest (\\S+), mean (\\S+),`).exec(out)!;
      expect(Number(largest)).toBeGreaterThan(Number(mean));
      expect(Number(mean)).toBeGreaterThan(0);
      expect(Number(largest)).toBeLessThan(0.05);
    }
    expect(command("inspect", target).out).toContain("LSTM 4 -> 9, 2 layers");
    const count = (file: string) => /\S+ parameters/.exec(command("inspect", file).out)![0];
    expect(count(target)).toBe(count(netFile));
  });

  it("keeps what the file says of its modules", () => {
    using rnn = new RNN({ inputSize: 4, hiddenSize: 64, nonlinearity: "relu", batchFirst: true });
    const file = write("rnn.safetensors", writeSafetensors(rnn.stateDict()));
    expect(command("quantize", "--force", file, target)).toMatchObject({ code: 0, error: "" });
    const dict = readSafetensors(readFileSync(target));
    expect(dict.metadata).toEqual(rnn.stateDict().metadata);
    using again = RNN.fromStateDict(dict);
    expect(again).toMatchObject({ nonlinearity: "relu", batchFirst: true, precision: "int8" });
    expect(quantizeStateDict(rnn.stateDict()).metadata).toEqual(dict.metadata);
    expect(command("quantize", "--force", file, target, "--nonlinearity", "tanh").error).toContain(
      'options.nonlinearity: expected "relu" as dict.metadata has it, got "tanh"',
    );
  });

  it("keeps the batch first of a program of torch.export, and measures an input so", () => {
    const input = write("batches.npy", npy(Tensor.randn([2, 50, 3], 3)));
    const file = join(FILES, "torch-2/exported.pt2");
    const args = ["--input", input, "--prefix", "lstm"];
    expect(command("quantize", "--force", file, target, ...args)).toMatchObject({ code: 0, error: "" });
    const dict = readSafetensors(readFileSync(target));
    expect(dict.metadata).toEqual({ "lstm.": { kind: "LSTM", options: { batchFirst: true } } });
    using lstm = LSTM.fromStateDict(dict, { prefix: "lstm." });
    expect(lstm).toMatchObject({ batchFirst: true, precision: "int8" });
  });

  it("measures a given input on a named layer", () => {
    const { code, out } = command(
      "quantize",
      "--force",
      netFile,
      target,
      "--input",
      xFile,
      "--prefix",
      "lstm",
    );
    expect(code).toBe(0);
    expect(out).toContain(`error against float32 on ${xFile}\n  LSTM lstm.: largest`);
    expect(out).not.toContain("Linear");
    const both = command("quantize", "--force", netFile, target, "--input", xFile);
    expect([both.code, both.error]).toEqual([2, 'lstm-wasm: --prefix: expected one of "head.", "lstm."\n']);
    expect(command("quantize", "--force", netFile, target, "--input", xFile, "--prefix", "head").code).toBe(
      5,
    );
  });

  it("rounds a named layer for a sample of its input, and measures on that", () => {
    const plain = command("quantize", "--force", netFile, target, "--input", xFile, "--prefix", "lstm");
    const unsampled = readSafetensors(new Uint8Array(readFileSync(target)));
    const { code, out } = command(
      "quantize",
      "--force",
      netFile,
      target,
      "--sample",
      xFile,
      "--prefix",
      "lstm",
    );
    expect([plain.code, code]).toEqual([0, 0]);
    expect(out).toContain(`error against float32 on ${xFile}, its sample\n  LSTM lstm.: largest`);
    const dict = readSafetensors(readFileSync(netFile));
    const lstm = LSTM.fromStateDict(dict, { prefix: "lstm." });
    const rounded = quantizeModule(lstm, Tensor.randn([20, 4], 3));
    const written = readSafetensors(new Uint8Array(readFileSync(target)));
    for (const [name, tensor] of written) {
      const expected = name.startsWith("lstm.") ? rounded.get(name.slice(5)) : unsampled.get(name);
      expect(tensor, name).toEqual(expected);
    }
    expect(written.size).toBe(unsampled.size);
  });

  it("refuses a sample for several layers, and one that does not fit", () => {
    const several = command("quantize", "--force", netFile, target, "--sample", xFile);
    expect([several.code, several.error]).toEqual([
      2,
      'lstm-wasm: --prefix: expected one of "head.", "lstm."\n',
    ]);
    const head = command("quantize", "--force", netFile, target, "--sample", xFile, "--prefix", "head");
    expect(head.code).toBe(5);
    expect(head.error).toContain("sample.shape[1]: expected inFeatures");
  });

  const guitarML = (skip: number) => {
    const lstm = new LSTM({ inputSize: 1, hiddenSize: 8 });
    const head = new Linear({ inFeatures: 8, outFeatures: 1 });
    const nested = (module: LSTM | Linear, prefix: string) =>
      [...module.stateDict()].map(([name, tensor]) => [`${prefix}${name}`, tensor.toArray()]);
    const about = {
      model: "SimpleRNN",
      input_size: 1,
      skip,
      output_size: 1,
      unit_type: "LSTM",
      num_layers: 1,
      hidden_size: 8,
      bias_fl: true,
    };
    const state_dict = Object.fromEntries([...nested(lstm, "rec."), ...nested(head, "lin.")]);
    return write(`guitar-${skip}.json`, JSON.stringify({ model_data: about, state_dict }));
  };
  const keras = { in_shape: [null, null, 1], layers: [] as object[] };
  const rows = (count: number, columns: number) => Tensor.randn([count, columns], 5).toArray();
  keras.layers.push(
    { type: "gru", activation: "", shape: [null, null, 2], weights: [rows(1, 6), rows(2, 6), rows(2, 6)] },
    { type: "dense", activation: "", shape: [null, null, 1], weights: [rows(2, 1), [0.5]] },
  );

  it.each([
    ["a PyTorch file", join(FILES, "torch/zip.pt"), "lstm."],
    ["an ONNX file", join(FILES, "onnx/gru-dropout.onnx"), "gru."],
    ["a GuitarML file", guitarML(0), "rec."],
    ["an RTNeural file", write("keras.json", JSON.stringify(keras)), "rec."],
  ])("takes %s", (_, file) => {
    const { code, out, error } = command("quantize", "--force", file, target);
    expect([code, error]).toEqual([0, ""]);
    expect(out).toContain(`${file}: ${readFileSync(file).length} bytes, `);
    expect(out).toMatch(/largest \S+, mean \S+, \S+ % of the output/);
    const dict = readSafetensors(readFileSync(target));
    const matrices = [...dict].filter(([, { data }]) => data instanceof Int8Array);
    expect(matrices.length).toBeGreaterThan(0);
    for (const [name] of matrices) expect(dict.has(`${name}_scale`)).toBe(true);
    expect(command("inspect", target).code).toBe(0);
  });

  it("keeps the weights of an ONNX layer once, in PyTorch's order, and rounds the Linear behind it", () => {
    const random = (name: string, ...dims: number[]) =>
      onnx.floats(name, dims, Array.from(Tensor.randn(dims, dims.length).data));
    const initializers = [
      random("w", 1, 64, 16),
      random("r", 1, 64, 16),
      random("onnx::MatMul_9", 16, 8),
      random("head.bias", 8),
      random("other", 8),
    ];
    const nodes = [
      onnx.node("LSTM", ["x", "w", "r"], ["y"], { name: "L" }),
      onnx.node("MatMul", ["y", "onnx::MatMul_9"], ["m"], { name: "/head/MatMul" }),
      onnx.node("Add", ["m", "head.bias"], ["z"]),
    ];
    const file = write("once.onnx", onnx.model({ inputs: ["x"], nodes, initializers }));
    const { code, out, error } = command("quantize", "--force", file, target);
    expect([code, error]).toEqual([0, ""]);
    expect(out).toContain("Linear head.: largest");
    expect([...readSafetensors(readFileSync(target)).keys()].sort()).toEqual([
      "L.weight_hh_l0",
      "L.weight_hh_l0_scale",
      "L.weight_ih_l0",
      "L.weight_ih_l0_scale",
      "head.bias",
      "head.weight",
      "head.weight_scale",
      "other",
    ]);
    expect(readFileSync(target).length).toBeLessThan(readFileSync(file).length / 2);
  });

  it("keeps a tied weight once under two names, which readers give back", () => {
    const weight = Tensor.randn([50, 8], 4);
    const shared = {
      "a.weight": weight,
      "b.weight": weight,
      "b.bias": Tensor.zeros([50]),
      "a.bias": Tensor.zeros([50]),
    };
    const embeddings = { "emb.weight": Tensor.randn([30, 8], 5), "lookup.weight": Tensor.randn([30, 8], 5) };
    const file = write("tied.safetensors", writeSafetensors({ ...shared, ...embeddings }));
    const { code, out, error } = command("quantize", "--force", file, target);
    expect([code, error]).toEqual([0, ""]);
    expect(out).toMatch(/\nkept once:\n(.*\n)*/);
    expect(out).toContain('  "b.weight" is "a.weight"\n');
    expect(out).toContain('  "lookup.weight" is "emb.weight"\n');
    expect(out).not.toContain('"b.bias"');
    const bytes = readFileSync(target);
    const dict = readSafetensors(bytes);
    expect(dict).toEqual(
      new Map(
        [...dict.keys()].map((name) => [
          name,
          quantizeStateDict(readSafetensors(readFileSync(file))).get(name),
        ]),
      ),
    );
    expect(dict.size).toBe(8);
    expect(dict.get("b.weight_scale")).toBe(dict.get("a.weight_scale"));
    // 400 int8 weights with 50 scales, two biases of 50, an embedding of 240 floats.
    expect(bytes.length - 8 - Number(bytes.readBigUInt64LE())).toBe(400 + 4 * (50 + 2 * 50 + 240));
  });

  it("says so where the file becomes larger, and writes it", () => {
    const small = new Linear({ inFeatures: 1, outFeatures: 3 }).stateDict();
    const file = write("small.safetensors", writeSafetensors(small));
    const { code, error } = command("quantize", "--force", file, target);
    const [before, after] = [file, target].map((path) => readFileSync(path).length);
    expect(after).toBeGreaterThan(before!);
    expect([code, error]).toEqual([
      0,
      `lstm-wasm: warning: ${target} has ${after} bytes, more than the ${before} of ${file}: what is not rounded is written as float32, and a scale for each row\n`,
    ]);
  });

  it("says what it could not read", () => {
    const { code, error } = command(
      "quantize",
      "--force",
      join(FILES, "torch-current/beside.safetensors"),
      target,
    );
    expect(code).toBe(0);
    expect(error).toContain(
      `lstm-wasm: warning: not in ${target}:\n  freqs: its dtype C64 is not supported; `,
    );
  });

  it("refuses what safetensors cannot hold", () => {
    const { code, out, error } = command("quantize", "--force", guitarML(1), target);
    expect([code, out]).toEqual([4, ""]);
    expect(error).toContain("has a skip connection, which safetensors cannot hold");
  });

  it.each([
    ["one file", [netFile], 2, "quantize: expected two files, got 1"],
    [
      "an unknown layer",
      [netFile, target, "--prefix", "tail"],
      2,
      '--prefix: expected one of "head.", "lstm."',
    ],
    ["an unknown nonlinearity", [netFile, target, "--nonlinearity", "gelu"], 2, "expected tanh or relu"],
    ["a folder that is not there", [netFile, join(folder, "no", "y")], 3, "no such file or folder"],
  ])("refuses %s", (_, args, code, message) => {
    const result = command("quantize", "--force", ...args);
    expect([result.code, result.out]).toEqual([code, ""]);
    expect(result.error).toContain(message);
  });

  it("refuses files without float weights of its layers", () => {
    const conv = write(
      "only-conv.safetensors",
      writeSafetensors(new Conv1d({ inChannels: 1, outChannels: 1, kernelSize: 2 }).stateDict()),
    );
    expect(command("quantize", "--force", conv, target)).toMatchObject({ code: 4, out: "" });
    const int8 = write(
      "done.safetensors",
      writeSafetensors(new Linear({ inFeatures: 2, outFeatures: 2, precision: "int8" }).stateDict()),
    );
    expect(command("quantize", "--force", int8, target).error).toContain("its weights are int8 already");
    const linear = new Linear({ inFeatures: 2, outFeatures: 2 }).stateDict();
    linear.get("weight")!.data[3] = Number.NaN;
    const spoilt = write("nan.safetensors", writeSafetensors(linear));
    expect(command("quantize", "--force", spoilt, target)).toMatchObject({ code: 4, out: "" });
  });
});
