/** Help, arguments and files that every command refuses. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/index.js";
import { command, FILES, folder, netFile, npy, write } from "../support/cli.js";

describe("lstm-wasm", () => {
  it.each([["--help"], ["run", "--help"], ["inspect", "-h"]])("explains itself: %s %s", (...args) => {
    const { code, out } = command(...args);
    expect(code).toBe(0);
    expect(out).toContain("lstm-wasm inspect FILE");
    expect(out).toContain("lstm-wasm run FILE --input X.npy");
  });

  it.each([
    [[], "no command given; known are inspect, run, quantize"],
    [["quantise"], 'unknown command "quantise"; known are inspect, run, quantize'],
    [["inspect"], "inspect: expected one file, got 0"],
    [["inspect", "a", "b"], "inspect: expected one file, got 2"],
    [["inspect", "--deep", "a"], "Unknown option '--deep'"],
    [["run", netFile], "run: --input is missing"],
    [["run", netFile, "--input"], "--input"],
    [
      ["run", netFile, "--input", "x.npy", "--nonlinearity", "gelu"],
      '--nonlinearity: expected tanh or relu, got "gelu"',
    ],
  ])("refuses the arguments %j", (args, message) => {
    const { code, out, error } = command(...args);
    expect([code, out]).toEqual([2, ""]);
    expect(error).toContain(message);
    expect(error).not.toContain("    at ");
  });

  it.each([
    ["no file", "nowhere.pt", 3, "no such file"],
    ["a folder", "", 3, "is a folder"],
    ["nothing", write("empty.pt", ""), 4, "the file is empty"],
    [
      "text",
      write("text.pt", "weights, as I recall"),
      4,
      "unknown format; known are PyTorch, safetensors, ONNX",
    ],
    ["JSON of something else", write("other.nam", '{"weights": 1}'), 4, "unknown format"],
    ["broken JSON", write("broken.json", '{"architecture": "LSTM", '), 4, "unknown format"],
    ["an array", write("array.npy", npy(Tensor.zeros([2]))), 4, "a NumPy array, not a weight file"],
    [
      "a Keras file",
      write("model.h5", Buffer.from("\x89HDF\r\n".padEnd(64), "latin1")),
      4,
      "a Keras file (HDF5), which is not read",
    ],
    ["a cut safetensors", write("cut.safetensors", readFileSync(netFile).subarray(0, 300)), 4, "safetensors"],
    [
      "a cut checkpoint",
      write("cut.pt", readFileSync(join(FILES, "torch/zip.pt")).subarray(0, 900)),
      4,
      "torch: zip",
    ],
    [
      "a cut ONNX",
      write("cut.onnx", readFileSync(join(FILES, "onnx/lstm.onnx")).subarray(0, 400)),
      4,
      "onnx",
    ],
  ])("says what is wrong with %s", (_, path, code, message) => {
    const target = path === "" ? folder : path;
    for (const args of [
      ["inspect", target],
      ["run", target, "--input", "x.npy"],
    ]) {
      const result = command(...args);
      expect([result.code, result.out]).toEqual([code, ""]);
      expect(result.error).toContain(`${target}: `);
      expect(result.error).toContain(message);
      expect(result.error).not.toContain("    at ");
    }
  });
});
