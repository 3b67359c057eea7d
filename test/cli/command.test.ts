/** Help, arguments and files that every command refuses. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { command, commandProcess, FILES, folder, netFile, write } from "../support/cli.js";

describe("lstm-wasm", () => {
  it.each([["--help"], ["-h"], ["help"]])("explains itself: %s", (...args) => {
    const { code, out, error } = commandProcess(...args);
    expect([code, error]).toEqual([0, ""]);
    expect(out).toContain("lstm-wasm inspect FILE");
    expect(out).toContain("lstm-wasm run FILE --input X.npy");
    expect(out).toContain("lstm-wasm quantize FILE OUT.safetensors");
    expect(out).toContain(
      "0 done, 1 an error that nobody foresaw, 2 usage, 3 file cannot be read or written",
    );
  });

  it.each(["inspect", "run", "quantize"])("explains %s: its options, an example, its exit codes", (name) => {
    const [first, ...same] = [
      ["help", name],
      [name, "--help"],
      [name, "file", "-h"],
    ].map((args) => commandProcess(...args));
    expect(same).toEqual([first, first]);
    const { code, out, error } = first!;
    expect([code, error]).toEqual([0, ""]);
    expect(out).toMatch(new RegExp(`^lstm-wasm ${name} FILE`));
    expect(out).toMatch(new RegExp(`\\nexamples\\n  lstm-wasm ${name} model`));
    expect(out).toContain("\nExit codes: 0 done, 1 ");
    expect(out.includes("5 input does not fit")).toBe(name !== "inspect");
    expect(
      Math.max(
        ...out
          .split("\n")
          .slice(1)
          .map((line) => line.length),
      ),
    ).toBeLessThan(140);
    // Each option of the usage is explained, and each that is explained is known.
    const usage = out.split("\n")[0]!;
    for (const [option] of usage.matchAll(/--[a-z-]+/g)) expect(out).toMatch(new RegExp(`\\n  ${option} `));
    for (const [, option, value] of out.matchAll(/\n {2}(--[a-z-]+)( [A-Z])?/g)) {
      const { error } = command(name, option!, ...(value === undefined ? [] : ["x"]));
      expect(error).not.toContain("Unknown option");
    }
  });

  it.each(["--version", "-v"])("says its version: %s", (option) => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect(commandProcess(option)).toEqual({ code: 0, out: `${version}\n`, error: "" });
  });

  it("takes a file named --help after --", () => {
    expect(commandProcess("inspect", "--", "--help").error).toContain("--help: no such file");
  });

  it.each([
    [[], "no command given; known are inspect, run, quantize"],
    [["quantise"], 'unknown command "quantise", did you mean quantize?; known are inspect, run, quantize'],
    [["inpsect", "x"], 'unknown command "inpsect", did you mean inspect?'],
    [["quant"], 'unknown command "quant", did you mean quantize?'],
    [["version"], 'unknown command "version", did you mean --version?'],
    [["train"], 'unknown command "train"; known are'],
    [["help", "inspct"], 'unknown command "inspct", did you mean inspect?'],
    [["help", "run", "inspect"], "help: expected one command, got 2"],
    [["inspect"], "inspect: expected one file, got 0"],
    [["inspect", "a", "b"], "inspect: expected one file, got 2"],
    [["inspect", "--deep", "a"], "Unknown option '--deep'"],
    [["run", netFile, "--inptu", "x.npy"], "Unknown option '--inptu', did you mean --input?"],
    [["run", netFile], "run: --input is missing"],
    [["run", netFile, "--input"], "--input"],
    [
      ["run", netFile, "--input", "x.npy", "--nonlinearity", "gelu"],
      '--nonlinearity: expected tanh or relu, got "gelu"',
    ],
  ])("refuses the arguments %j", (args, message) => {
    const { code, out, error } = commandProcess(...args);
    expect([code, out]).toEqual([2, ""]);
    expect(error).toContain(message);
    expect(error).not.toContain("    at ");
  });

  it.each([
    ["no file", "nowhere.pt", 3, "no such file"],
    ["a folder", "", 3, "is a folder"],
    ["nothing", write("empty.pt", ""), 4, "weights: got an empty file"],
    ["text", write("text.pt", "weights, as I recall"), 4, 'got text that begins with "weights, as I recall"'],
    ["JSON of something else", write("other.nam", '{"weights": 1}'), 4, 'JSON with the keys "weights"'],
    ["broken JSON", write("broken.json", '{"architecture": "LSTM", '), 4, "got broken JSON"],
    [
      "a cut Keras file",
      write("model.h5", readFileSync(join(FILES, "keras/stack-k3.h5")).subarray(0, 900)),
      4,
      "model.h5: keras: ",
    ],
    [
      "a model.json without its weights",
      write("model.json", readFileSync(join(FILES, "keras/stack-k2-from-h5/model.json"))),
      4,
      'model.json: tfjs: missing of 1 files: "group1-shard1of1.bin"',
    ],
    ["a cut safetensors", write("cut.safetensors", readFileSync(netFile).subarray(0, 300)), 4, "safetensors"],
    [
      "a cut checkpoint",
      write("cut.pt", readFileSync(join(FILES, "torch/zip.pt")).subarray(0, 900)),
      4,
      "got a zip that is empty or cut off",
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
