/** `run` of a whole ONNX model: its inputs by name from .npy files or as numbers, its outputs by name into .npy files. */
import { existsSync } from "node:fs";
import { Tensor, type TensorData } from "lstm-wasm";
import { listOnnxFiles } from "lstm-wasm/formats";
import { loadOnnx, type Model } from "lstm-wasm/models";
import { readArray } from "./arguments.js";
import { isCsv } from "./csv.js";
import { blame, CliError, readBytes } from "./error.js";
import { isNpy, readNpyNumbers, writeNpy } from "./npy.js";
import { readBeside } from "./open-model.js";
import { OutputFile } from "./output-file.js";
import { Progress } from "./progress.js";
import { print, printableName } from "./terminal.js";

type AnyTensor = Tensor<TensorData>;
type Input = AnyTensor | number;

export interface ModelRun {
  readonly path: string;
  /** `NAME=x.npy`, `NAME=16000`. */
  readonly inputs: readonly string[];
  /** `NAME=y.npy`. */
  readonly outputs: readonly string[];
  /** `INPUT=OUTPUT`. */
  readonly states: readonly string[];
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

/** A number as it is written; else the array of a file. */
function readInput(value: string): Input {
  const number = Number(value);
  if (!Number.isNaN(number) && value.trim() !== "" && !existsSync(value)) return number;
  return blame("file not understood", value, () => {
    const bytes = readBytes(value);
    return isCsv(value) && !isNpy(bytes) ? readArray(value) : readNpyNumbers(bytes);
  });
}

export async function runModel({ path, inputs, outputs, states, force }: ModelRun): Promise<void> {
  const inputPaths = pairsOf("--input", inputs);
  const outputPaths = pairsOf("--output", outputs);
  const statePairs = pairsOf("--stream", states);
  const reads = [path, ...inputPaths.values()];
  const targets = new Map(
    Array.from(outputPaths, ([name, file]) => [name, new OutputFile(file, reads, force)]),
  );
  const bytes = readBytes(path);
  const model = blame("file not understood", path, () => {
    const names = listOnnxFiles(bytes);
    const externalData = Object.fromEntries(names.map((name) => [name, readBeside(path, name)]));
    return loadOnnx(bytes, names.length === 0 ? {} : { externalData });
  });
  try {
    checkNames("--input", inputPaths.keys(), model.inputs);
    checkNames("--output", outputPaths.keys(), model.outputs);
    checkNames("--stream", statePairs.keys(), model.inputs);
    checkNames("--stream", statePairs.values(), model.outputs);
    for (const warning of model.warnings)
      process.stderr.write(`lstm-wasm: note: ${printableName(warning)}\n`);
    const given = new Map(Array.from(inputPaths, ([name, value]) => [name, readInput(value)]));
    const results = blame("input does not fit", path, () =>
      statePairs.size === 0 ? model.run(Object.fromEntries(given)) : runFrames(model, given, statePairs),
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

/** Input arrays frame by frame along their first axis, with outputs fed back; outputs joined along it. */
function runFrames(
  model: Model,
  given: ReadonlyMap<string, Input>,
  states: ReadonlyMap<string, string>,
): Record<string, AnyTensor> {
  const arrays = Array.from(given).filter(([name, value]) => typeof value !== "number" && !states.has(name));
  const counts = new Set(arrays.map(([, value]) => (value as AnyTensor).shape[0] ?? 0));
  const [count = 0] = counts;
  if (counts.size !== 1 || count === 0) {
    throw new RangeError("--stream: inputs need a first axis of frames, of one size for all");
  }
  const stream = model.stream(Object.fromEntries(states));
  try {
    const start = new Map(Array.from(given).filter(([name]) => states.has(name)));
    if (start.size > 0) stream.state = { ...stream.state, ...Object.fromEntries(start) } as never;
    const step = Object.fromEntries(Array.from(given).filter(([name]) => !states.has(name)));
    const progress = new Progress(count);
    const collected = new Map<string, AnyTensor>();
    for (let frame = 0; frame < count; frame++) {
      for (const [name, array] of arrays) step[name] = frameOf(model, name, array as AnyTensor, frame);
      for (const [name, result] of Object.entries(stream.step(step))) {
        collect(collected, name, result, { frame, count, isLast: new Set(states.values()).has(name) });
      }
      progress.update(frame + 1);
    }
    progress.end();
    return Object.fromEntries(collected);
  } finally {
    stream.dispose();
  }
}

/** One frame: with an axis of size 1 in the place of the first one where the model has as many axes as the array. */
function frameOf(model: Model, name: string, { data, shape }: AnyTensor, frame: number): AnyTensor {
  const width = data.length / shape[0]!;
  const rank = model.inputs.find((input) => input.name === name)?.shape?.length;
  const rest = shape.slice(1);
  const part = data.subarray(frame * width, (frame + 1) * width) as TensorData;
  return new Tensor(part, rank === shape.length ? [1, ...rest] : rest);
}

/** Puts what a step gives into the whole; of a state that is fed back the last one is kept. */
function collect(
  collected: Map<string, AnyTensor>,
  name: string,
  { data, shape, dtype }: AnyTensor,
  { frame, count, isLast }: { frame: number; count: number; isLast: boolean },
): void {
  if (isLast) {
    if (frame === count - 1)
      collected.set(name, new Tensor(data.slice() as TensorData, shape, { dtype } as never));
    return;
  }
  let whole = collected.get(name);
  if (whole === undefined) {
    const sizes = shape[0] === 1 ? [count, ...shape.slice(1)] : [count, ...shape];
    const Kind = data.constructor as new (length: number) => TensorData;
    whole = new Tensor(new Kind(data.length * count), sizes, { dtype } as never);
    collected.set(name, whole);
  }
  if (whole.data.length !== data.length * count) {
    throw new RangeError(`--stream: output ${JSON.stringify(name)} is of another size at frame ${frame}`);
  }
  (whole.data as Float32Array).set(data as Float32Array, frame * data.length);
}
