/** `run`: one layer of a weight file over an array. A long array is cut into pieces of time steps. */
import { parseArgs } from "node:util";
import { Tensor } from "lstm-wasm";
import {
  checkNonlinearity,
  FORCE_HELP,
  isNamed,
  LAYER_OPTIONS,
  NONLINEARITY_HELP,
  PATH_HELP,
  readArray,
  WEIGHTS_HELP,
} from "./arguments.js";
import { doubt } from "./batch-first.js";
import { checkTable, isCsv, writeCsv } from "./csv.js";
import { blame, CliError } from "./error.js";
import type { Command } from "./help.js";
import { kerasNotes } from "./keras-code.js";
import type { Layer, Model } from "./model.js";
import { writeNpy } from "./npy.js";
import { openModel } from "./open-model.js";
import { OutputFile } from "./output-file.js";
import { Progress } from "./progress.js";
import { isNamedInput, runModel } from "./run-model.js";
import { makeRunner, type Runner } from "./runner.js";
import { partsBeside } from "./shards.js";
import { listed, print, printable, printableMessage, printablePath } from "./terminal.js";

/**
 * How many pieces a long input is cut into, so that the progress bar moves, and the steps that each has at
 * least, so that no call is small.
 */
const PIECES = 200;
const LEAST_STEPS = 64;

export const run: Command = {
  usage:
    "run FILE --input X.npy [--output Y.npy [--force]] [--path KEY]... [--prefix P] [--batch-first] [--nonlinearity relu]",
  purpose: "the output of a layer, or of a whole model, for arrays; without --output its shape and range",
  options: [
    ["--input X.npy", "an array: (time, input), or (time, batch, input)"],
    [
      "--input X.csv",
      "a table with a row per time step; separated by commas, semicolons or tabs, a header may be first",
    ],
    ["--output Y.npy", "the output as float32; or as a table, Y.csv"],
    FORCE_HELP,
    PATH_HELP,
    ["--prefix P", "the layer, as inspect names it, where the file has several"],
    ["--batch-first", "the input is (batch, time, input), as after batch_first=True"],
    NONLINEARITY_HELP,
    [
      "--input NAME=X.npy",
      "of a whole model (ONNX, Keras, TensorFlow.js): an input, as often as it has inputs; NAME=16000 is a number",
    ],
    ["--input NAME=X.txt", "of a whole model that takes strings: a text file (UTF-8), one string a line"],
    ["--output NAME=Y.npy", "of a whole model: an output"],
    [
      "--stream INPUT=OUTPUT",
      "of ONNX: frame by frame along the first axis, with this output fed back as this input",
    ],
    ["--stream", "the same with the states that are obvious; of Keras: step by step along the axis of time"],
    WEIGHTS_HELP,
  ],
  examples: [
    "lstm-wasm run model.pt --input x.csv --output y.csv",
    "lstm-wasm run model.onnx --input x.npy --prefix encoder --batch-first",
    "lstm-wasm run vad.onnx --input input=x.npy --input sr=16000 --output output=y.npy --stream state=stateN",
    "lstm-wasm run model.keras --input input_layer=x.npy --output dense=y.npy",
    "lstm-wasm run reviews.keras --input text=reviews.txt --output dense=y.npy",
  ],
  exitCodes: ["usage", "file cannot be read or written", "file not understood", "input does not fit"],
  async run(args: string[]): Promise<void> {
    const { values, positionals } = parseArgs({
      args: args.map(withValue),
      allowPositionals: true,
      options: {
        input: { type: "string", multiple: true },
        output: { type: "string", multiple: true },
        stream: { type: "string", multiple: true },
        weights: { type: "string" },
        "batch-first": { type: "boolean", default: false },
        ...LAYER_OPTIONS,
      },
    });
    const [path, ...more] = positionals;
    const usage = `usage: lstm-wasm ${this.usage}`;
    if (path === undefined || more.length > 0) {
      throw new CliError("usage", `run: expected one file, got ${positionals.length}\n${usage}`);
    }
    if (values.input === undefined) throw new CliError("usage", `run: --input is missing\n${usage}`);
    const {
      "batch-first": batchFirst,
      input: inputs,
      output: outputs = [],
      stream: states,
      weights,
    } = values;
    if (states !== undefined || weights !== undefined || inputs.some(isNamedInput)) {
      if (
        batchFirst ||
        values.prefix !== undefined ||
        values.path !== undefined ||
        values.nonlinearity !== undefined
      ) {
        throw new CliError(
          "usage",
          "run: an input with a name is of a whole model, whose layers are not chosen",
        );
      }
      return runModel({ path, inputs, outputs, weights, states, force: values.force });
    }
    for (const [option, list] of Object.entries({ "--input": inputs, "--output": outputs })) {
      if (list.length > 1) throw new CliError("usage", `run: ${option} is given ${list.length} times`);
    }
    const nonlinearity = checkNonlinearity(values.nonlinearity);
    const inputPath = inputs[0]!;
    const [outputPath] = outputs;
    const { force } = values;
    const target =
      outputPath === undefined ? undefined : new OutputFile(outputPath, [path, inputPath], force);
    const model = openModel(path, values.path);
    target?.alsoReads(partsBeside(path, model));
    const layer = chooseLayer(path, model, values.prefix);
    const input = readArray(inputPath);
    if (outputPath !== undefined && isCsv(outputPath)) {
      blame("input does not fit", inputPath, () => checkTable(input.shape, "input"));
    }
    const output = blame("input does not fit", inputPath, () => {
      const runner = makeRunner(layer, { batchFirst: batchFirst || undefined, nonlinearity });
      try {
        return runInPieces(runner, input);
      } finally {
        runner.dispose();
      }
    });
    const note =
      isRecurrent(layer) &&
      !isBatchFirst(layer) &&
      doubt(input.shape, batchFirst, saysBatchFirst(layer, model));
    const notes = [
      ...(note ? [note] : []),
      ...(layer.source.kind === "keras" ? kerasNotes(layer.source) : model.warnings.map(printableMessage)),
    ];
    for (const text of notes) process.stderr.write(`lstm-wasm: note: ${text}\n`);
    await target?.write(encode(layer, output, outputPath!));
    report(layer, input, output, target);
  },
};

/** `--stream` before anything but a pair of names has an empty value, since an option has none or always one. */
function withValue(argument: string, at: number, args: readonly string[]): string {
  if (argument !== "--stream") return argument;
  return /^[^-].*=/.test(args[at + 1] ?? "") ? argument : "--stream=";
}

/** The output as a file of the kind that its name says. A vector is one row, unless it is sound over time. */
function encode({ source }: Layer, output: Tensor, path: string): Uint8Array {
  if (!isCsv(path)) return writeNpy(output);
  const { data, shape } = output;
  const rows = shape.length === 1 && source.kind === "amp" ? new Tensor(data, [data.length, 1]) : output;
  return writeCsv(rows, /tsv$/i.test(path) ? "\t" : ",");
}

function isRecurrent({ summary }: Layer): boolean {
  return /^(LSTM|GRU|RNN)/.test(summary);
}

/** Whether the file says that the layer's input begins with the batch. */
function isBatchFirst({ source }: Layer): boolean {
  if (source.kind === "module") return source.told?.options.batchFirst === true;
  return source.kind === "onnx" ? source.layer.batchFirst : source.kind !== "amp";
}

/** What the file says of the layer, or of any of its modules. */
function saysBatchFirst({ source }: Layer, model: Model): boolean | undefined {
  const said = source.kind === "module" ? source.told?.options.batchFirst : undefined;
  return typeof said === "boolean" ? said : model.batchFirst;
}

/** The layer that `prefix` names. Without a prefix, the only recurrent layer, or the only layer of all. */
function chooseLayer(path: string, { layers }: Model, prefix: string | undefined): Layer {
  const list = listed(
    layers.map(({ name, summary }) => `${JSON.stringify(name)}  ${summary}`),
    "\n  ",
  );
  if (layers.length === 0)
    throw new CliError("file not understood", `${printablePath(path)}: no layers that lstm-wasm has`);
  if (prefix !== undefined) {
    const found = layers.filter(({ name }) => isNamed(name, prefix));
    if (found.length === 1) return found[0]!;
    throw new CliError(
      "usage",
      `--prefix: no layer ${JSON.stringify(prefix)} in ${printablePath(path)}; there are${list}`,
    );
  }
  const recurrent = layers.filter(isRecurrent);
  if (recurrent.length === 1) return recurrent[0]!;
  if (layers.length === 1) return layers[0]!;
  throw new CliError("usage", `${printablePath(path)}: name a layer with --prefix; there are${list}`);
}

function runInPieces(runner: Runner, input: Tensor): Tensor {
  const timeAxis = runner.timeAxis(input.shape.length);
  const steps = input.shape[timeAxis ?? -1];
  // An input with another number of dimensions is refused by the checks of the runner.
  if (timeAxis === undefined || steps === undefined || steps <= LEAST_STEPS) return runner.run(input);
  const size = Math.max(LEAST_STEPS, Math.ceil(steps / PIECES));
  const progress = new Progress(steps);
  const pieces: Tensor[] = [];
  for (let from = 0; from < steps; from += size) {
    pieces.push(runner.run(slice(input, timeAxis, from, Math.min(steps, from + size))));
    progress.update(Math.min(steps, from + size));
  }
  progress.end();
  return join(pieces, timeAxis);
}

/** Elements `from` to `to` along an axis. */
function slice({ data, shape }: Tensor, axis: number, from: number, to: number): Tensor {
  const inner = product(shape.slice(axis + 1));
  const outer = product(shape.slice(0, axis));
  const piece = Tensor.zeros(shape.map((length, at) => (at === axis ? to - from : length)));
  const width = (to - from) * inner;
  for (let row = 0; row < outer; row++) {
    const start = (row * shape[axis]! + from) * inner;
    piece.data.set(data.subarray(start, start + width), row * width);
  }
  return piece;
}

/** Joins pieces along an axis. */
function join(pieces: readonly Tensor[], axis: number): Tensor {
  const shape = [...pieces[0]!.shape];
  shape[axis] = pieces.reduce((sum, piece) => sum + piece.shape[axis]!, 0);
  const joined = Tensor.zeros(shape);
  const inner = product(shape.slice(axis + 1));
  const outer = product(shape.slice(0, axis));
  let done = 0;
  for (const { data, shape: sizes } of pieces) {
    const width = sizes[axis]! * inner;
    for (let row = 0; row < outer; row++) {
      const start = (row * shape[axis]! + done) * inner;
      joined.data.set(data.subarray(row * width, (row + 1) * width), start);
    }
    done += sizes[axis]!;
  }
  return joined;
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((result, size) => result * size, 1);
}

function report(layer: Layer, input: Tensor, output: Tensor, target: OutputFile | undefined): void {
  const summary = `${layer.summary}: [${input.shape.join(", ")}] -> [${output.shape.join(", ")}]\n`;
  if (target?.isStandardOutput) process.stderr.write(printable(summary));
  else print(summary);
  if (target !== undefined || output.data.length === 0) return;
  let [smallest, largest, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const value of output.data) {
    smallest = Math.min(smallest, value);
    largest = Math.max(largest, value);
    sum += value;
  }
  print(`least ${smallest}, mean ${sum / output.data.length}, most ${largest}\n`);
}
