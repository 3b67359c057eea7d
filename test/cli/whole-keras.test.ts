/** lstm-wasm inspect and run, of whole Keras and TensorFlow.js models, beside the frameworks' own numbers. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/index.js";
import { apart, CLOSE, command, FILES, folder, npy, readNpy, write } from "../support/cli.js";
import { runModule } from "../support/cli-code.js";

interface Numbers {
  readonly shape: number[];
  readonly data: number[];
}
interface Case {
  readonly name: string;
  readonly files: readonly string[];
  /** By call. */
  readonly inputs: readonly Numbers[][];
  readonly outputs: readonly Numbers[][];
}
const models = (name: string) => join(FILES, "keras-models", name);
const keras = (name: string) => join(FILES, "keras", name);
const CASES: readonly Case[] = JSON.parse(readFileSync(models("k3.json"), "utf8"));
const tensor = ({ shape, data }: Numbers) => new Tensor(Float32Array.from(data), shape);

/** A case's first file, and its inputs and outputs: those of all calls one after the other in time. */
function caseOf(name: string) {
  const { files, inputs, outputs } = CASES.find((one) => one.name === name)!;
  return {
    file: models(files[0]!),
    inputs: inputs[0]!.map((_, at) => alongTime(inputs.map((call) => tensor(call[at]!)))),
    outputs: outputs.map((call) => call.map(tensor)),
  };
}

function alongTime(parts: readonly Tensor[]): Tensor {
  if (parts.length === 1) return parts[0]!;
  const [rows, steps, width] = parts[0]!.shape as [number, number, number];
  const whole = Tensor.zeros([rows, parts.length * steps, width]);
  for (const [at, { data }] of parts.entries()) {
    for (let row = 0; row < rows; row++) {
      const part = data.subarray(row * steps * width, (row + 1) * steps * width);
      whole.data.set(part, (row * parts.length + at) * steps * width);
    }
  }
  return whole;
}

const wholeOf = (...args: string[]) => {
  const { code, out, error } = command("inspect", ...args);
  expect([code, error]).toEqual([0, ""]);
  return out.slice(out.indexOf("whole model"));
};
const codeIn = (whole: string) => whole.slice(whole.indexOf("import"));
const y = join(folder, "layers-y.npy");

describe("inspect of a whole model of layers", () => {
  it("lists inputs, outputs, what a step takes, and Keras' table", () => {
    expect(wholeOf(models("stateful-k3.keras")).split("\n").slice(0, 10)).toEqual([
      "whole model",
      "  input   input_layer  float32  [2, 3, 2]",
      "  output  simple_rnn   float32  [2, 2]",
      "  stream  a step takes input_layer [2, 3, 2]",
      "",
      '  Model: "sequential"',
      "  _______________________________________________",
      "   Layer (type)            Output Shape  Param #",
      "  ===============================================",
      "   lstm (LSTM)             (2, 3, 3)     72",
    ]);
  });

  it("says which layer a stream cannot have", () => {
    expect(wholeOf(models("dense-k3.h5"))).toContain(
      '  stream  none: layer "flatten" (Flatten): it puts all steps of time side by side\n',
    );
  });

  it("names a layer that does not run", () => {
    expect(wholeOf(keras("lambda-k3.keras"))).toMatch(/^ {2}not run: keras: layer ".*" \(Lambda\): /m);
  });

  it.each([
    ["Keras", models("translation-k3.keras"), "dense: Tensor"],
    ["an input of texts", join(FILES, "keras-texts/classified-k2.keras"), ": Tensor"],
    ["TensorFlow.js in several files", keras("stack-shards-k2/model.json"), "dense: Tensor"],
  ])("prints lines that run: %s", (_, path, printed) => {
    expect(runModule(codeIn(wholeOf(path)))).toContain(printed);
  });
});

describe("run of a whole model of layers", () => {
  it("takes inputs by name and writes outputs by name", () => {
    const { file, inputs, outputs } = caseOf("translation");
    const names = ["source", "target"].flatMap((name, at) => [
      ...["--input", `${name}=${write(`layers-${name}.npy`, npy(inputs[at]!))}`],
    ]);
    const { code, error, out } = command("run", file, ...names, "--output", `both=${y}`, "--force");
    expect([code, error]).toEqual([0, ""]);
    expect(out).toContain("dense: float32 [2, 4, 2], least ");
    expect(apart(readNpy(y), outputs[0]!.at(-1)!)).toBeLessThan(CLOSE);
  });

  it("takes a model.json of TensorFlow.js with the files beside it", () => {
    const x = write("layers-x.npy", npy(Tensor.zeros([1, 5, 2])));
    const path = keras("stack-shards-k2/model.json");
    expect(command("run", path, "--input", `x=${x}`).out).toMatch(/^dense: float32 \[1, 1\], least /);
  });

  const textFile = (name: string) => join(FILES, "keras-texts", name);

  it("takes strings from a text file, one on each line", () => {
    interface TextCase {
      readonly name: string;
      readonly inputs: readonly { readonly data: readonly string[] }[];
      readonly outputs: readonly Numbers[];
    }
    const cases: readonly TextCase[] = JSON.parse(readFileSync(textFile("k3.json"), "utf8"));
    const { inputs, outputs } = cases.find(({ name }) => name === "classified")!;
    const lines = inputs[0]!.data.map((text) => text.replace(/\n/g, " "));
    const file = textFile("classified-k3.keras");
    for (const text of [`\ufeff${lines.join("\n")}`, `${lines.join("\r\n")}\r\n`]) {
      const given = `text=${write("texts.txt", text)}`;
      const args = [file, "--input", given, "--output", `dense=${y}`, "--force"];
      expect(command("run", ...args)).toMatchObject({ code: 0, error: "" });
      expect(apart(readNpy(y), tensor(outputs[0]!))).toBeLessThan(CLOSE);
    }
  });

  it("fills rows with the lines of a text file", () => {
    const ids = write("lookup.npy", npy(new Tensor(Float32Array.of(5, 7), [1, 2])));
    const run = (text: string) => {
      const words = `w=${write("words.txt", text)}`;
      return command("run", textFile("looked_up-k3.keras"), "--input", words, "--input", `i=${ids}`);
    };
    expect(run("cat\ndog\n")).toMatchObject({ code: 0, error: "" });
    expect(run("cat\ndog\nbird\n")).toMatchObject({
      code: 4,
      error: expect.stringContaining("words.txt: expected a multiple of 2 lines, a string on each, got 3"),
    });
  });

  it("goes along time with --stream, and joins the rows", () => {
    const { file, inputs, outputs } = caseOf("causal");
    const ids = write("layers-ids.npy", npy(inputs[0]!));
    const args = ["--input", `input_layer=${ids}`, "--stream", "--output", `dense=${y}`, "--force"];
    expect(command("run", file, ...args)).toMatchObject({ code: 0, error: "" });
    expect(apart(readNpy(y), outputs[0]![0]!)).toBeLessThan(CLOSE);
  });

  it("gives a stateful model what one call of Keras takes, step by step", () => {
    const { file, inputs, outputs } = caseOf("stateful");
    const x = write("layers-calls.npy", npy(inputs[0]!));
    const args = ["--stream", "--input", `input_layer=${x}`, "--output", `simple_rnn=${y}`, "--force"];
    expect(command("run", file, ...args)).toMatchObject({ code: 0, error: "" });
    expect(
      apart(readNpy(y), alongTime(outputs.map(([call]) => new Tensor(call!.data, [2, 1, 2])))),
    ).toBeLessThan(CLOSE);
  });

  it("gives a step all of an input that has no time", () => {
    const [left, right] = ["left", "right"].map((name) => {
      const { inputs } = caseOf("named");
      return write(`layers-${name}.npy`, npy(inputs[name === "left" ? 0 : 1]!));
    });
    const args = ["--input", `left=${left}`, "--input", `right=${right}`, "--stream"];
    expect(command("run", caseOf("named").file, ...args).out).toContain("z: float32 [2, 4, 2], least ");
  });

  const { file, inputs } = caseOf("dense");
  const x = `input_layer=${write("layers-dense.npy", npy(inputs[0]!))}`;
  const { file: stateful } = caseOf("stateful");
  const short = `input_layer=${write("layers-short.npy", npy(Tensor.zeros([2, 4, 2])))}`;

  it.each([
    ["a layer that is not streamed", [file, "--input", x, "--stream"], 5, 'layer "flatten" (Flatten)'],
    ["states by name", [stateful, "--input", short, "--stream", "input_layer=simple_rnn"], 5, "states"],
    [
      "a part of a call",
      [stateful, "--input", short, "--stream"],
      5,
      "expected a multiple of 3 steps on axis 1",
    ],
    [
      "a name that it has not",
      [file, "--input", `z=${short.slice(12)}`],
      2,
      'no "z"; there are "input_layer"',
    ],
    ["weights that it has itself", [file, "--input", x, "--weights", file], 2, "is no architecture"],
    [
      "a text in the place of numbers",
      [file, "--input", `input_layer=${write("numbers.txt", "1\n2\n")}`],
      4,
      'numbers.txt: input "input_layer" is of numbers: expected an .npy file',
    ],
    [
      "numbers in the place of texts",
      [textFile("classified-k3.keras"), "--input", `text=${x.slice(12)}`],
      4,
      "an .npy file; strings are read from a text file, one on each line",
    ],
    [
      "a text that is no UTF-8",
      [textFile("classified-k3.keras"), "--input", `text=${write("latin.txt", Uint8Array.of(0xe9, 10))}`],
      4,
      "latin.txt: text: byte 0 is not valid UTF-8",
    ],
    ["a Lambda", [keras("lambda-k3.keras"), "--input", x], 4, "(Lambda)"],
  ])("is refused with %s", (_, args, exitCode, message) => {
    const { code, error } = command("run", ...args);
    expect([code, error]).toEqual([exitCode, expect.stringContaining(message)]);
  });
});

it("lists a model that has no weights, and the code runs", () => {
  const file = models("activations-k3.keras");
  const { out } = command("inspect", file);
  expect(out).toMatch(/activations-k3\.keras: Keras, [\d.]+ kB\n\nwhole model\n/);
  expect(runModule(codeIn(wholeOf(file)))).toContain("Tensor");
  expect(runModule(command("inspect", file, "--code").out)).toContain("Tensor");
  const broken = write("weightless.keras", readFileSync(file).subarray(0, 200));
  expect(command("inspect", broken)).toMatchObject({ code: 4, out: "" });
});

describe("an architecture's JSON", () => {
  const { inputs, outputs } = caseOf("dense");
  const parts = unzipSync(new Uint8Array(readFileSync(models("dense-k3.keras"))));
  const json = write("architecture.json", parts["config.json"]!);
  const weights = write("architecture.weights.h5", parts["model.weights.h5"]!);
  const x = `input_layer=${write("architecture-x.npy", npy(inputs[0]!))}`;

  it("runs with the file of its weights", () => {
    const args = [json, "--weights", weights, "--input", x, "--output", `dense_2=${y}`, "--force"];
    expect(command("run", ...args)).toMatchObject({ code: 0, error: "" });
    expect(apart(readNpy(y), outputs[0]![0]!)).toBeLessThan(CLOSE);
  });

  it("is listed with it, and the code runs", () => {
    expect(command("inspect", json, "--weights", weights).out).toMatch(
      /^.*architecture\.json with .*: Keras, /,
    );
    expect(runModule(codeIn(wholeOf(json, "--weights", weights)))).toContain("dense_2: Tensor");
    const { out } = command("inspect", json, "--weights", weights, "--code");
    expect(runModule(out)).toContain("dense_2: Tensor");
  });

  it("needs it", () => {
    const { code, error } = command("run", json, "--input", x);
    expect([code, error]).toEqual([4, expect.stringContaining("name their file with --weights")]);
  });
});
