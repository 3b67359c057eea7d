/** lstm-wasm inspect and run, of whole ONNX models. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/index.js";
import { command, folder, npy, readNpy, write } from "../support/cli.js";
import { runModule } from "../support/cli-code.js";
import * as onnx from "../support/onnx-writer.js";

/** A running sum of `x` times two, whose state is fed back. */
const model = onnx.model(
  {
    inputs: [
      { name: "x", shape: ["batch", 2] },
      { name: "state", shape: ["batch", 2] },
      { name: "sr", type: 7, shape: [] },
    ],
    outputs: [
      { name: "y", shape: ["batch", 2] },
      { name: "stateN", shape: ["batch", 2] },
      { name: "rate", type: 7, shape: [] },
    ],
    nodes: [
      onnx.node("Add", ["x", "state"], ["stateN"]),
      onnx.node("Mul", ["stateN", "two"], ["y"]),
      onnx.node("Identity", ["sr"], ["rate"]),
    ],
    initializers: [onnx.floats("two", [1], [2])],
  },
  [],
  17,
);
const file = write("sums.onnx", model);
const x = new Tensor(Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2]);
const xFile = write("sums-x.npy", npy(x));
const zeros = write("sums-zeros.npy", npy(Tensor.zeros([3, 2])));
const y = join(folder, "sums-y.npy");

describe("inspect of a whole model", () => {
  const { code, out } = command("inspect", file);
  const whole = out.slice(out.indexOf("whole model"));

  it("lists inputs, outputs and operators with opset and count", () => {
    expect(code).toBe(0);
    const rows = whole.split("\n").map((line) => line.trim().split(/\s{2,}/));
    expect(rows).toContainEqual(["input", "x", "float32", "[batch, 2]"]);
    expect(rows).toContainEqual(["output", "rate", "int64", "[]"]);
    expect(rows).toContainEqual(["Add", "opset 17", "1x"]);
  });

  it("prints lines that run", () => {
    const lines = whole.slice(whole.indexOf("import"));
    expect(lines).toContain('import { Add, Identity, Mul, loadOnnxWith } from "lstm-wasm/models";');
    expect(runModule(lines)).toContain("stateN");
  });

  it.each<[string, { name: string; shape: (string | number)[] }[]]>([
    ["a length beside the batch", [{ name: "x", shape: ["batch", 1, "length"] }]],
    ["the one open size", [{ name: "x", shape: [1, 1, "length"] }]],
    [
      "a length, beside a whole input",
      [
        { name: "x", shape: ["b", 1, "t"] },
        { name: "s", shape: [1, 5] },
      ],
    ],
  ])("prints lines that run where a convolution needs %s", (_, inputs) => {
    const nodes = [
      onnx.node("Conv", ["x", "w"], ["c"]),
      onnx.node("Relu", ["c"], ["y"]),
      ...inputs
        .slice(1)
        .map(({ name }) => onnx.node("Gemm", ["five", name], ["g"], { attributes: { transB: 1 } })),
    ];
    const initializers = [
      onnx.floats("w", [1, 1, 5], [1, 2, 3, 4, 5]),
      onnx.floats("five", [1, 5], [1, 2, 3, 4, 5]),
    ];
    const outputs = ["y", ...inputs.slice(1).map(() => "g")];
    const long = write("long.onnx", onnx.model({ inputs, outputs, nodes, initializers }, [], 17));
    const listed = command("inspect", long).out;
    expect(runModule(listed.slice(listed.lastIndexOf("import { readFileSync")))).toContain("shape");
  });

  it("prints lines that run where weights are in a file beside it, from any folder", () => {
    const place = ["location", "two.data"].flatMap((text, at) => onnx.lengthDelimited(at + 1, text));
    const beside = onnx.tensor("two", { dims: [1], more: onnx.lengthDelimited(13, place) });
    write("two.data", new Uint8Array(Float32Array.of(2).buffer));
    const nodes = [onnx.node("Mul", ["x", "two"], ["y"])];
    const path = write(
      "beside.onnx",
      onnx.model(
        { inputs: [{ name: "x", shape: [2] }], outputs: ["y"], nodes, initializers: [beside] },
        [],
        17,
      ),
    );
    const listed = command("inspect", path).out;
    expect(runModule(listed.slice(listed.lastIndexOf("import { readFileSync")))).toContain("shape");
  });

  it("names the operators that are missing, those of branches among them", () => {
    const branch = (operator: string) => ({
      graph: onnx.graph({ outputs: ["b"], nodes: [onnx.node(operator, ["x"], ["b"], { domain: "own" })] }),
    });
    const attributes = { then_branch: branch("Foo"), else_branch: branch("Bar") };
    const nodes = [onnx.node("If", ["c"], ["y"], { attributes })];
    const other = write(
      "missing.onnx",
      onnx.model({ inputs: ["x", { name: "c", type: 9, shape: [] }], outputs: ["y"], nodes }, [], 17),
    );
    expect(command("inspect", other).out).toContain(
      "not run, for operators that are missing: own.Bar (opset 1), own.Foo (opset 1)",
    );
  });
});

describe("run of a whole model", () => {
  const inputs = ["--input", `x=${xFile}`, "--input", "sr=16000"];

  it("takes inputs by name, and numbers, and writes outputs by name", () => {
    const { code, out, error } = command(
      ...["run", file, ...inputs, "--input", `state=${zeros}`, "--output", `y=${y}`, "--force"],
    );
    expect([code, error]).toEqual([0, ""]);
    expect(out).toBe(
      "y: float32 [3, 2], least 2, most 12\n" +
        "stateN: float32 [3, 2], least 1, most 6\n" +
        "rate: int64 [], least 16000, most 16000\n",
    );
    expect([...readNpy(y).data]).toEqual([2, 4, 6, 8, 10, 12]);
  });

  it("goes frame by frame with --stream, and joins the outputs", () => {
    const args = ["--stream", "state=stateN", "--output", `y=${y}`, "--force"];
    const { code, out, error } = command("run", file, ...inputs, ...args);
    expect([code, error]).toEqual([0, ""]);
    expect(readNpy(y)).toEqual({ shape: [3, 2], data: Float32Array.of(2, 4, 8, 12, 18, 24) });
    expect(out).toContain("stateN: float32 [1, 2], least 9, most 12\n");
    expect(out).toContain("rate: int64 [3], least 16000, most 16000\n");
  });

  it("goes frame by frame with a number that is in a file", () => {
    const rate = write("rate.npy", npy(Tensor.zeros([])));
    const { code, out, error } = command(
      ...["run", file, "--input", `x=${xFile}`, "--input", `sr=${rate}`, "--stream"],
    );
    expect([code, error]).toEqual([0, ""]);
    expect(out).toContain("y: float32 [3, 2], least 2, most 24");
  });

  it("finds states that are obvious by itself", () => {
    const { code, out, error } = command("run", file, ...inputs, "--stream");
    expect([code, error]).toEqual([0, ""]);
    expect(out).toContain("stateN: float32 [1, 2], least 9, most 12\n");
  });

  it("begins with a state that is given", () => {
    const state = write("sums-state.npy", npy(new Tensor(Float32Array.of(10, 20), [1, 2])));
    const args = ["--stream", "state=stateN", "--input", `state=${state}`, "--output", `y=${y}`, "--force"];
    expect(command("run", file, ...inputs, ...args).code).toBe(0);
    expect([...readNpy(y).data]).toEqual([22, 44, 28, 52, 38, 64]);
  });

  it.each([
    [
      "a name that the model has not",
      [...inputs, "--input", "z=1"],
      2,
      'no "z"; there are "x", "state", "sr"',
    ],
    ["an output that it has not", [...inputs, "--output", `z=${y}`], 2, 'no "z"; there are "y", "stateN"'],
    [
      "two outputs in one file",
      [...inputs, "--output", `y=${y}`, "--output", `stateN=${y}`],
      2,
      "--output: two outputs in one file",
    ],
    ["a state that it has not", [...inputs, "--stream", "state=z"], 2, 'no "z"; there are "y", "stateN"'],
    ["a name twice", [...inputs, "--input", "sr=1"], 2, '"sr" is given twice'],
    ["an input without a name", [...inputs, "--input", xFile], 2, "expected NAME=VALUE"],
    ["a layer", [...inputs, "--prefix", "a"], 2, "whose layers are not chosen"],
    ["an input that is missing", inputs, 5, "inputs.state"],
    ["a file that is none", ["--input", "x=none.npy"], 3, "none.npy: no such file"],
    ["no frames", ["--input", "sr=1", "--stream", "state=stateN"], 5, "a first axis of frames"],
  ])("is refused with %s", (_, args, exitCode, message) => {
    const { code, error } = command("run", file, "--force", ...args);
    expect([code, error]).toEqual([exitCode, expect.stringContaining(message)]);
  });

  it("says what an operator is that is missing", () => {
    const nodes = [onnx.node("Foo", ["x"], ["y"], { domain: "own" })];
    const other = write("foo.onnx", onnx.model({ inputs: ["x"], outputs: ["y"], nodes }, [], 17));
    const { code, error } = command("run", other, "--input", `x=${xFile}`);
    expect([code, error]).toEqual([4, expect.stringContaining("own.Foo")]);
  });
});
