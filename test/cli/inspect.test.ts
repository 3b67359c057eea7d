/** lstm-wasm inspect, and the keys and files beside a model that every command reads. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/index.js";
import { command, FILES, folder, netFile, npy, write } from "../support/cli.js";
import * as onnx from "../support/onnx-writer.js";

describe("inspect", () => {
  it("lists tensors, layers, sizes and the code that loads them", () => {
    const { code, out } = command("inspect", netFile);
    expect(code).toBe(0);
    expect(out).toMatch(/^.*net\.safetensors: safetensors, \d\.\d kB\n/);
    expect(out).toMatch(/\n {2}lstm\.weight_hh_l1 +float32 +\[36, 9\]\n/);
    expect(out).toMatch(/\n {2}embedding\. +Embedding 5 x 4 +20\n/);
    expect(out).toMatch(/\n {2}lstm\. +LSTM 4 -> 9, 2 layers +1,260\n/);
    expect(out).toMatch(/\n {2}head\. +Linear 9 -> 2 +20\n/);
    expect(out).toContain("\n1,300 parameters, 5.2 kB as float32\n");
    expect(out).toContain(`
  import { Embedding, Linear, LSTM, Tensor } from "lstm-wasm";
  import { readSafetensors } from "lstm-wasm/formats";

  const bytes = await readFile(${JSON.stringify(netFile)});
  // In a browser: const bytes = await (await fetch("net.safetensors")).arrayBuffer();
  const weights = readSafetensors(bytes);

  const embedding = Embedding.fromStateDict(weights, { prefix: "embedding." });
  const embeddingOutput = embedding.forward([0]); // indices below 5

  const head = Linear.fromStateDict(weights, { prefix: "head." });
  const headOutput = head.forward(Tensor.zeros([1, 9])); // (..., 9)

  const lstm = LSTM.fromStateDict(weights, { prefix: "lstm." });
  const [lstmOutput, lstmState] = lstm.forward(Tensor.zeros([1, 1, 4])); // (steps, batch, 4)
`);
  });

  it("tells the types that the file holds, not those they are read as", () => {
    const { out } = command("inspect", write("dtypes.pt", readFileSync(join(FILES, "torch/dtypes.pt"))));
    expect(out).toMatch(/ float16 /);
    expect(out).toMatch(/ bfloat16 /);
  });

  it.each([
    ["torch/zip.pt", "PyTorch", "LSTM 2 -> 3, 2 layers", "readTorch(bytes)"],
    ["torch/legacy.pt", "PyTorch", "LSTM", "readTorch(bytes)"],
    ["onnx/lstm.onnx", "ONNX", "LSTM", "fromStateDict(layers[0].stateDict)"],
    ["onnx/gru-both-ways.onnx", "ONNX", "bidirectional", "fromStateDict(layers[0].stateDict)"],
    ["onnx/rnn-relu.onnx", "ONNX", "RNN", 'nonlinearity: "relu"'],
  ])("knows %s by its content", (file, format, layer, code) => {
    const path = write("nameless", readFileSync(join(FILES, file)));
    const { out } = command("inspect", path);
    expect(out).toContain(`nameless: ${format}, `);
    expect(out).toContain(layer);
    expect(out).toContain(code);
  });
});

it("takes the keys that lead to a state dict in a checkpoint", () => {
  const file = join(FILES, "torch/two.pt");
  const without = command("inspect", file);
  expect(without.code).toBe(4);
  expect(without.error).toContain('name one with { path }; its keys are "nets", "step"');
  const args = ["--path", "nets", "--path", "other"];
  const { code, out } = command("inspect", file, ...args);
  expect(code).toBe(0);
  expect(out).toContain('const weights = readTorch(bytes, { path: ["nets","other"] });');
  const input = write("two.npy", npy(Tensor.zeros([3, 2])));
  expect(command("run", file, "--input", input, ...args).out).toContain("[3, 2] -> [3, 4]");
  expect(command("quantize", file, join(folder, "two.safetensors"), ...args).code).toBe(0);
  expect(command("inspect", file, "--path", "nets", "--path", "third").error).toContain(
    'path "nets", "third": no such key; its keys are "tagger", "other"',
  );
  const other = command("inspect", netFile, "--path", "nets");
  expect(other.code).toBe(2);
  expect(other.error).toContain("--path: ");
});

it("reads the weights that an ONNX model keeps in a file beside it", () => {
  const place = ["location", "outside.onnx.data"].flatMap((text, at) => onnx.lengthDelimited(at + 1, text));
  const r = onnx.tensor("r", { dims: [1, 4, 1], more: onnx.lengthDelimited(13, place) });
  const lstm = onnx.node("LSTM", ["x", "w", "r"], ["y"], { name: "L" });
  const weights = [onnx.floats("w", [1, 4, 1], [1, 2, 3, 4]), r];
  const path = write("outside.onnx", onnx.model({ inputs: ["x"], nodes: [lstm], initializers: weights }));
  const alone = command("inspect", path);
  expect(alone.code).toBe(4);
  expect(alone.error).toContain('its numbers are in another file, "outside.onnx.data"');
  write("outside.onnx.data", new Uint8Array(Float32Array.of(5, 6, 7, 8).buffer));
  const { code, out } = command("inspect", path);
  expect(code).toBe(0);
  expect(out).toContain("LSTM 1 -> 1");
  expect(out).toContain(
    'const { layers } = readOnnx(bytes, { externalData: { "outside.onnx.data": data } });',
  );
});
