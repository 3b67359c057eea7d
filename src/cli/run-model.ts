/** `run` of a whole model: its inputs by name from files or as numbers, its outputs by name into .npy files. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Tensor, TensorData } from "lstm-wasm";
import type { ModelValue } from "lstm-wasm/models";
import { readArray } from "./arguments.js";
import { isCsv } from "./csv.js";
import { blame, CliError, readBytes } from "./error.js";
import { isNpy, readNpyNumbers, writeNpy } from "./npy.js";
import { OutputFile } from "./output-file.js";
import { type Input, runFrames } from "./run-frames.js";
import { print, printableMessage, printableName } from "./terminal.js";
import { readTexts } from "./texts.js";
import { loadWhole } from "./whole-file.js";

type AnyTensor = Tensor<TensorData>;

export interface ModelRun {
  readonly path: string;
  /** `NAME=x.npy`, `NAME=16000`. */
  readonly inputs: readonly string[];
  /** `NAME=y.npy`. */
  readonly outputs: readonly string[];
  /** The file of an architecture's weights. */
  readonly weights: string | undefined;
  /** `INPUT=OUTPUT`, or an empty text; undefined where the model does not run step by step. */
  readonly states: readonly string[] | undefined;
  readonly force: boolean;
}

/** Whether an input is named, as those of whole models are. */
export function isNamedInput(text: string): boolean {
  return text.includes("=") && !existsSync(text);
}

/** Splits `NAME=VALUE`. @throws CliError for anything else, and for a name that is there twice */
function pairsOf(option: string, texts: readonly string[]): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at < 1 || at === text.length - 1) {
      throw new CliError("usage", `${option}: expected NAME=VALUE, got ${JSON.stringify(text)}`);
    }
    const name = text.slice(0, at);
    if (pairs.has(name)) throw new CliError("usage", `${option}: ${JSON.stringify(name)} is given twice`);
    pairs.set(name, text.slice(at + 1));
  }
  return pairs;
}

/** @throws CliError for a name that the model has not */
function checkNames(option: string, names: Iterable<string>, known: readonly { name: string }[]): void {
  for (const name of names) {
    if (known.some((value) => value.name === name)) continue;
    const list = known.map((value) => JSON.stringify(value.name)).join(", ");
    throw new CliError("usage", `${option}: the model has no ${JSON.stringify(name)}; there are ${list}`);
  }
}

/** A number as it is written; else the array of a file, or its strings where the model takes these. */
function readInput({ name, dtype, shape }: ModelValue, value: string): Input {
  if (dtype === "string")
    return blame("file not understood", value, () => readTexts(readBytes(value), shape));
  const number = Number(value);
  if (!Number.isNaN(number) && value.trim() !== "" && !existsSync(value)) return number;
  return blame("file not understood", value, () => {
    const bytes = readBytes(value);
    if (isNpy(bytes)) return readNpyNumbers(bytes);
    if (isCsv(value)) return readArray(value);
    throw new RangeError(
      `input ${JSON.stringify(name)} is of numbers: expected an .npy file, or a table in a file whose name ends with .csv`,
    );
  });
}

export async function runModel({ path, inputs, outputs, weights, states, force }: ModelRun): Promise<void> {
  const inputPaths = pairsOf("--input", inputs);
  const outputPaths = pairsOf("--output", outputs);
  const statePairs = pairsOf(
    "--stream",
    (states ?? []).filter((text) => text !== ""),
  );
  const files = new Set(Array.from(outputPaths.values(), (file) => resolve(file)));
  if (files.size < outputPaths.size) throw new CliError("usage", "--output: two outputs in one file");
  const reads = [path, ...(weights === undefined ? [] : [weights]), ...inputPaths.values()];
  const targets = new Map(
    Array.from(outputPaths, ([name, file]) => [name, new OutputFile(file, reads, force)]),
  );
  const bytes = readBytes(path);
  const weightsFile = weights === undefined ? undefined : { path: weights, bytes: readBytes(weights) };
  const whole = blame("file not understood", path, () => loadWhole(path, bytes, weightsFile));
  const { model } = whole;
  try {
    for (const target of targets.values()) target.alsoReads(whole.beside);
    checkNames("--input", inputPaths.keys(), model.inputs);
    checkNames("--output", outputPaths.keys(), model.outputs);
    checkNames("--stream", statePairs.keys(), model.inputs);
    checkNames("--stream", statePairs.values(), model.outputs);
    for (const warning of model.warnings)
      process.stderr.write(`lstm-wasm: note: ${printableMessage(warning)}\n`);
    const given = new Map(
      model.inputs
        .filter(({ name }) => inputPaths.has(name))
        .map((port) => [port.name, readInput(port, inputPaths.get(port.name)!)]),
    );
    const results = blame("input does not fit", path, () =>
      states === undefined ? model.run(Object.fromEntries(given)) : runFrames(whole, given, statePairs),
    );
    for (const [name, target] of targets) await target.write(writeNpy(results[name]!));
    const isQuiet = Array.from(targets.values()).some(({ isStandardOutput }) => isStandardOutput);
    for (const line of Object.entries(results).map(([name, tensor]) => describe(name, tensor))) {
      if (isQuiet) process.stderr.write(line);
      else print(line);
    }
  } finally {
    model.dispose();
  }
}

/** What one output is: its shape and its range. */
function describe(name: string, { data, shape, dtype }: AnyTensor): string {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of data) {
    least = Math.min(least, Number(value));
    most = Math.max(most, Number(value));
  }
  const range = data.length === 0 ? "" : `, least ${least}, most ${most}`;
  return `${printableName(name)}: ${dtype} [${shape.join(", ")}]${range}\n`;
}
