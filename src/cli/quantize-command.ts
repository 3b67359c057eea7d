/**
 * `quantize`: writes a weight file as safetensors with int8 weights, and prints what that costs in accuracy.
 */
import { parseArgs } from "node:util";
import { Linear, type ModuleMetadata, quantizeModule, type StateDict, Tensor } from "lstm-wasm";
import { listModules, type ModuleInfo, quantizeStateDict, writeSafetensors } from "lstm-wasm/formats";
import {
  checkNonlinearity,
  FORCE_HELP,
  isNamed,
  LAYER_OPTIONS,
  NONLINEARITY_HELP,
  type Nonlinearity,
  PATH_HELP,
  readArray,
} from "./arguments.js";
import { blame, CliError } from "./error.js";
import type { Command } from "./help.js";
import type { Layer, Model } from "./model.js";
import { openModel } from "./open-model.js";
import { OutputFile } from "./output-file.js";
import { makeRecurrent, makeRunner } from "./runner.js";
import { partsBeside } from "./shards.js";
import { listed, print, printableMessage, printableName, printablePath } from "./terminal.js";
import { withoutCopies } from "./tied.js";

/** The random input of each layer: time steps, batch rows and seed. */
const STEPS = 64;
const BATCH = 8;
const SEED = 1;

export const quantize: Command = {
  usage:
    "quantize FILE OUT.safetensors [--force] [--path KEY]... [--prefix P] [--sample S.npy] [--input X.npy] [--nonlinearity relu]",
  purpose:
    "the file with int8 weights, a quarter of the size, and the error of each layer; --sample: round one layer for it",
  options: [
    FORCE_HELP,
    PATH_HELP,
    ["--prefix P", "the layer that --sample and --input are for, as inspect names it"],
    ["--sample S.npy", "round that layer's weights for this input of it, an array or a .csv table"],
    ["--input X.npy", "measure the error on this input instead of a random one"],
    NONLINEARITY_HELP,
  ],
  examples: [
    "lstm-wasm quantize model.pt small.safetensors",
    "lstm-wasm quantize model.pt small.safetensors --prefix lstm --sample x.npy",
  ],
  exitCodes: ["usage", "file cannot be read or written", "file not understood", "input does not fit"],
  async run(args: string[]): Promise<void> {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        input: { type: "string" },
        sample: { type: "string" },
        ...LAYER_OPTIONS,
      },
    });
    const [path, target, ...more] = positionals;
    const usage = `usage: lstm-wasm ${this.usage}`;
    if (path === undefined || target === undefined || more.length > 0) {
      throw new CliError("usage", `quantize: expected two files, got ${positionals.length}\n${usage}`);
    }
    const { prefix } = values;
    const nonlinearity = checkNonlinearity(values.nonlinearity);
    const inputs = [path, values.input, values.sample].filter((input) => input !== undefined);
    const output = new OutputFile(target, inputs, values.force);
    const model = openModel(path, values.path);
    output.alsoReads(partsBeside(path, model));
    const dict = stateDictOf(path, model);
    const infos = listModules(dict).filter(isQuantised);
    if (infos.length === 0) {
      throw new CliError("file not understood", `${printablePath(path)}: no LSTM, GRU, RNN or Linear layer`);
    }
    const measured = infos.filter((info) => prefix === undefined || isNamed(info.prefix, prefix));
    const isGiven = values.input !== undefined || values.sample !== undefined;
    if (measured.length === 0 || (isGiven && measured.length > 1)) {
      const names = listed(
        infos.map((info) => JSON.stringify(info.prefix)),
        ", ",
      );
      throw new CliError("usage", `--prefix: expected one of ${names.slice(2)}`);
    }
    const quantized = blame("file not understood", path, () => quantizeStateDict(dict));
    if (quantized.size === dict.size) {
      throw new CliError("file not understood", `${printablePath(path)}: its weights are int8 already`);
    }
    const sample = values.sample === undefined ? undefined : readArray(values.sample);
    if (sample !== undefined) {
      const info = measured[0]!;
      const module = blame("file not understood", path, () => makeModule(info, dict, nonlinearity));
      const rounded = blame("input does not fit", values.sample!, () => quantizeModule(module, sample));
      module.dispose();
      for (const [name, tensor] of rounded) quantized.set(`${info.prefix}${name}`, tensor);
    }
    const input = values.input === undefined ? sample : readArray(values.input);
    const inputPath = values.input ?? values.sample;
    const shown = inputPath && printablePath(inputPath);
    const measuredOn = values.input === undefined ? shown && `${shown}, its sample` : shown;
    const lines = blame("input does not fit", inputPath ?? path, () =>
      measured.map((info) => compare(info, dict, quantized, input, nonlinearity)),
    );
    const { kept, aliases } = withoutCopies(quantized);
    const file = writeSafetensors(kept, Object.keys(aliases).length === 0 ? {} : { metadata: aliases });
    await output.write(file);
    const before = writeSafetensors(withoutCopies(dict).kept).length;
    print(
      `${printablePath(path)}: ${model.bytes} bytes, ${before} as float32 safetensors\n` +
        `${printablePath(target)}: ${file.length} bytes, ${(before / file.length).toFixed(2)} times smaller\n` +
        `error against float32 on ${measuredOn ?? `random input (${STEPS} steps, ${BATCH} rows)`}\n` +
        `${[...lines, ...tied(aliases)].join("\n")}\n`,
    );
    for (const text of model.warnings) process.stderr.write(`lstm-wasm: note: ${printableMessage(text)}\n`);
    if (dict.skipped !== undefined && dict.skipped.length > 0) {
      const names = dict.skipped.map(({ name, reason }) => `${printableName(name)}: ${reason}`);
      process.stderr.write(`lstm-wasm: warning: not in ${printablePath(target)}:${listed(names, "\n  ")}\n`);
    }
    if (file.length > model.bytes) {
      const sizes = `${file.length} bytes, more than the ${model.bytes} of ${printablePath(path)}`;
      const reason = "what is not rounded is written as float32, and a scale for each row";
      process.stderr.write(`lstm-wasm: warning: ${printablePath(target)} has ${sizes}: ${reason}\n`);
    }
  },
};

function makeModule({ kind, prefix }: ModuleInfo, dict: StateDict, nonlinearity: Nonlinearity) {
  if (kind === "Linear") return Linear.fromStateDict(dict, { prefix });
  return makeRecurrent(kind as "LSTM" | "GRU" | "RNN", dict, prefix, { batchFirst: undefined, nonlinearity });
}

function isQuantised({ kind }: ModuleInfo): boolean {
  return kind === "LSTM" || kind === "GRU" || kind === "RNN" || kind === "Linear";
}

/** A line for each name that another one stands for. */
function tied(aliases: Readonly<Record<string, string>>): string[] {
  const lines = Object.entries(aliases).map(
    ([name, kept]) => `${JSON.stringify(name)} is ${JSON.stringify(kept)}`,
  );
  return lines.length === 0 ? [] : [`kept once:${listed(lines, "\n  ")}`];
}

/**
 * All tensors of a file by PyTorch's names. A file that says more than its weights is refused, since
 * safetensors cannot hold that.
 */
function stateDictOf(path: string, model: Model): StateDict {
  const { tensors, layers, replaced } = model;
  const dict: StateDict = new Map();
  const metadata: Record<string, ModuleMetadata> = { ...tensors.metadata };
  for (const { name, source } of layers) {
    if (source.kind === "module") {
      // Of an ONNX node; others are in the file's dict.
      if (source.dict !== tensors)
        for (const [part, tensor] of source.dict) dict.set(`${name}${part}`, tensor);
      continue;
    }
    if (source.kind === "keras" || source.kind === "cell") {
      const whose = source.kind === "keras" ? "Keras" : "TensorFlow";
      const way =
        "quantizeStateDict takes the stateDict that inspect's code has of each, and writeSafetensors writes it";
      throw new CliError(
        "file not understood",
        `${printablePath(path)}: quantize takes no layers of ${whose}; ${way}`,
      );
    }
    const lost = source.kind === "amp" ? lostOfAmp(source.model) : lostOfOnnx(source.layer);
    if (lost.length > 0) {
      throw new CliError(
        "file not understood",
        `${printablePath(path)}: layer ${JSON.stringify(name)} has ${lost.join(" and ")}, which safetensors cannot hold`,
      );
    }
    if (source.kind === "onnx") {
      const { stateDict, kind, options } = source.layer;
      for (const [part, tensor] of stateDict) dict.set(`${name}.${part}`, tensor);
      metadata[`${name}.`] = { kind, options: { ...options } };
    }
  }
  for (const [name, tensor] of tensors) if (replaced?.has(name) !== true) dict.set(name, tensor);
  return Object.assign(dict, {
    skipped: tensors.skipped,
    metadata: Object.keys(metadata).length === 0 ? undefined : metadata,
  });
}

type AmpModel = Extract<Layer["source"], { kind: "amp" }>["model"];
type OnnxLayer = Extract<Layer["source"], { kind: "onnx" }>["layer"];

function lostOfAmp({ skip, initialState, inputGain, outputGain }: AmpModel): string[] {
  return [
    ...(skip ? ["a skip connection"] : []),
    ...(initialState === undefined ? [] : ["an initial state"]),
    ...(inputGain !== 1 || outputGain !== 1 ? ["a gain"] : []),
  ];
}

function lostOfOnnx({ initialState, options }: OnnxLayer): string[] {
  return initialState === undefined || options.initialState ? [] : ["an initial state of each row"];
}

/**
 * A line with the error of one layer's output: the largest, the mean, and the mean in percent of the mean
 * magnitude of the output.
 */
function compare(
  info: ModuleInfo,
  dict: StateDict,
  quantized: StateDict,
  given: Tensor | undefined,
  nonlinearity: Nonlinearity,
): string {
  const width = "inputSize" in info ? info.inputSize : "inFeatures" in info ? info.inFeatures : 0;
  const input = given ?? Tensor.randn([STEPS, BATCH, width], SEED);
  const [expected, got] = [dict, quantized].map((weights) => {
    const source = { kind: "module", info, dict: weights, from: "weights" } as const;
    const layer = { name: info.prefix, summary: "", parameters: 0, source };
    // The random input has time first.
    const runner = makeRunner(layer, { batchFirst: given === undefined ? false : undefined, nonlinearity });
    try {
      return runner.run(input).data;
    } finally {
      runner.dispose();
    }
  }) as [Float32Array, Float32Array];
  let [largest, sum, size] = [0, 0, 0];
  expected.forEach((value, at) => {
    const error = Math.abs(got[at]! - value);
    largest = Math.max(largest, error);
    sum += error;
    size += Math.abs(value);
  });
  const mean = sum / expected.length;
  const name = `${info.kind} ${printableName(info.prefix) || "(whole file)"}`;
  const percent = ((100 * sum) / size).toFixed(3);
  return `  ${name}: largest ${largest.toExponential(2)}, mean ${mean.toExponential(2)}, ${percent} % of the output`;
}
