/** Runs layers of a file over a sequence, piece by piece. The state is kept from piece to piece. */
import {
  GRU,
  Linear,
  LSTM,
  type ModuleMetadata,
  RNN,
  type StateDict,
  type StateDictLike,
  Tensor,
} from "lstm-wasm";
import type { AmpModel, ModuleInfo, OnnxLayer } from "lstm-wasm/formats";
import type { Nonlinearity } from "./arguments.js";
import { CliError } from "./error.js";
import { recurrentOf } from "./keras-code.js";
import type { Layer } from "./model.js";

export interface Runner {
  /** The axis along which an input of so many dimensions may be cut. Undefined if it may not be cut. */
  timeAxis(dimensions: number): number | undefined;
  /** The output for the next piece. @throws TypeError or RangeError for an input of the wrong shape */
  run(input: Tensor): Tensor;
  dispose(): void;
}

interface Options {
  /** Undefined where it is not given: as the dict's metadata says, or false. */
  readonly batchFirst: boolean | undefined;
  readonly nonlinearity: Nonlinearity;
}

type Recurrent = (input: Tensor) => Tensor;

/** @throws CliError for a layer that its weights alone do not determine */
export function makeRunner({ source, name }: Layer, options: Options): Runner {
  if (source.kind === "amp") return ampRunner(source.model);
  if (source.kind === "onnx") return onnxRunner(source.layer, options);
  if (source.kind === "keras" || source.kind === "cell") {
    const layer = source.kind === "cell" ? source.layer : recurrentOf(source);
    if (layer === undefined)
      throw refused(name, "layer of a file without config; give its arrays to fromKeras");
    const { kind, stateDict: dict, options: own } = layer;
    const needsWhole = own.bidirectional || own.goBackwards || own.reverse;
    return recurrentRunner({ kind, dict, needsWhole, batchFirst: true, nonlinearity: undefined });
  }
  const { info, dict, told } = source;
  switch (info.kind) {
    case "Linear": {
      const linear = Linear.fromStateDict(dict, { prefix: info.prefix });
      return {
        timeAxis: () => undefined,
        run: (input) => linear.forward(input),
        dispose: () => linear.dispose(),
      };
    }
    case "Conv1d":
      throw refused(name, "Conv1d: weights do not tell its stride, padding, dilation and groups");
    case "Embedding":
      throw refused(name, "Embedding: it takes indices, not an array of floats");
    case "LSTMCell":
    case "GRUCell":
    case "RNNCell":
      return recurrentRunner({ kind: kindOf(info), dict: layerOfCell(info, dict, told), ...options });
    default: {
      const { kind, prefix, bidirectional } = info;
      const { reverse = false, goBackwards = false } = told?.options ?? {};
      const needsWhole = bidirectional || reverse !== false || goBackwards !== false;
      return recurrentRunner({ kind, dict, prefix, needsWhole, ...options });
    }
  }
}

function refused(name: string, reason: string): CliError {
  return new CliError("usage", `layer ${JSON.stringify(name)}: run does not run a ${reason}`);
}

function kindOf({ kind }: ModuleInfo): "LSTM" | "GRU" | "RNN" {
  return kind.replace("Cell", "") as "LSTM" | "GRU" | "RNN";
}

const CELL_PARTS = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_ci", "weight_cf", "weight_co"];

/** The weights of a cell as those of a module with one layer and its options, which does the same over a sequence. */
function layerOfCell(
  { prefix }: ModuleInfo,
  dict: StateDict,
  told: ModuleMetadata | undefined,
): StateDictLike {
  const layer: StateDict = new Map();
  for (const part of CELL_PARTS) {
    const tensor = dict.get(`${prefix}${part}`);
    if (tensor !== undefined) layer.set(`${part}_l0`, tensor);
  }
  const metadata = told && { "": { kind: told.kind.replace(/Cell$/, ""), options: told.options } };
  return Object.assign(layer, { metadata });
}

/** A recurrent layer of a file, and how it is to run. */
interface RecurrentLayer extends Options {
  readonly kind: "LSTM" | "GRU" | "RNN";
  readonly dict: StateDictLike;
  readonly prefix?: string;
  /** Whether a direction begins at the end. */
  readonly needsWhole?: boolean;
  /** Zeros if it is missing. */
  readonly initialState?: { readonly h0: Tensor; readonly c0: Tensor | undefined } | undefined;
}

function recurrentRunner(layer: RecurrentLayer): Runner {
  const { needsWhole = false } = layer;
  const { batchFirst, run, dispose } = recurrent(layer);
  return {
    timeAxis(dimensions) {
      if (needsWhole) return undefined;
      return batchFirst && dimensions === 3 ? 1 : 0; // Without a batch, time is always first.
    },
    run,
    dispose,
  };
}

function recurrent(layer: RecurrentLayer) {
  const { kind, dict, prefix = "", initialState } = layer;
  const module = makeRecurrent(kind, dict, prefix, layer);
  const { batchFirst } = module;
  const dispose = () => module.dispose();
  if (module instanceof LSTM) {
    let state: readonly [Tensor, Tensor] | undefined = initialState && [initialState.h0, initialState.c0!];
    const run: Recurrent = (input) => {
      const [output, next] = module.forward(input, state);
      state = next;
      return output;
    };
    return { batchFirst, run, dispose };
  }
  let state: Tensor | undefined = initialState?.h0;
  const run: Recurrent = (input) => {
    const [output, next] = module.forward(input, state);
    state = next;
    return output;
  };
  return { batchFirst, run, dispose };
}

export function makeRecurrent(
  kind: "LSTM" | "GRU" | "RNN",
  dict: StateDictLike,
  prefix: string,
  { batchFirst, nonlinearity }: Options,
): LSTM | GRU | RNN {
  const options = { prefix, batchFirst };
  if (kind === "LSTM") return LSTM.fromStateDict(dict, options);
  if (kind === "GRU") return GRU.fromStateDict(dict, options);
  return RNN.fromStateDict(dict, { ...options, nonlinearity });
}

function onnxRunner(layer: OnnxLayer, options: Options): Runner {
  const { kind, direction, stateDict, batchFirst, initialState } = layer;
  return recurrentRunner({
    kind,
    dict: stateDict,
    batchFirst: batchFirst || (options.batchFirst ?? false),
    nonlinearity: undefined, // as the dict's metadata has it
    needsWhole: direction !== "forward",
    initialState: layer.options.initialState ? undefined : initialState,
  });
}

/**
 * Takes (samples, inputSize) and gives (samples, outputSize). If inputSize is 1, it also takes (samples), and
 * then gives (samples) if outputSize is 1.
 */
function ampRunner(model: AmpModel): Runner {
  const { kind, inputSize, outputSize, inputGain, outputGain, skip } = model;
  const [h0, c0] = model.initialState ?? [];
  const layer = recurrent({
    kind,
    dict: model.recurrent,
    batchFirst: false,
    nonlinearity: "tanh",
    initialState: h0 && { h0, c0 },
  });
  const head = Linear.fromStateDict(model.head);
  return {
    timeAxis: () => 0,
    run(input) {
      const isFlat = input.shape.length === 1 && inputSize === 1;
      if (!isFlat && (input.shape.length !== 2 || input.shape[1] !== inputSize)) {
        const expected = `(samples, ${inputSize})${inputSize === 1 ? " or (samples)" : ""}`;
        throw new RangeError(`input.shape: expected ${expected}, got [${input.shape.join(", ")}]`);
      }
      const samples = input.shape[0]!;
      const x = new Tensor(
        input.data.map((value) => value * inputGain),
        [samples, 1, inputSize],
      );
      const { data } = head.forward(layer.run(x));
      for (let at = 0; at < data.length; at++) {
        const dry = skip ? x.data[Math.floor(at / outputSize) * inputSize]! : 0;
        data[at] = outputGain * (data[at]! + dry);
      }
      return new Tensor(data, isFlat && outputSize === 1 ? [samples] : [samples, outputSize]);
    },
    dispose() {
      layer.dispose();
      head.dispose();
    },
  };
}
