/** One recurrent layer or cell of Keras in one direction: its config and arrays as a state dict with options. */
import { show, showShape } from "../../tensor/checks.js";
import { Tensor } from "../../tensor/tensor.js";
import { FormatError, unsupported } from "../bytes.js";
import { type LayerActivation, type LayerKind, type LayerOptions, layerOptions } from "../layer-options.js";
import { activationOf } from "./activation.js";
import { bad, field, flag, type LayerConfig } from "./config.js";
import { gatesOf, type KerasArrays } from "./gates.js";
import { type KerasVersion, usualRecurrentActivation, usualResetAfter } from "./version.js";

/** An array of a layer: its path below the layer, as the file has it, and its numbers. */
export interface Entry {
  readonly path: string;
  readonly tensor: Tensor;
}

/** A cell of one direction. */
export interface Cell {
  readonly kind: LayerKind;
  /** `weight_ih` and so on. */
  readonly parts: ReadonlyMap<string, Tensor>;
  readonly options: LayerOptions;
}

const CLASS = /^(?:(?:CuDNN|Unified)?(LSTM|GRU)(?:V2|Cell)?|Simple(RNN)(?:Cell)?)$/;

/** The kind of a layer or cell; undefined for one that is not recurrent, or is code of its own. */
export function kindOfClass({ className, registeredName }: LayerConfig): LayerKind | undefined {
  const found = registeredName === undefined ? CLASS.exec(className) : null;
  return (found?.[1] ?? found?.[2]) as LayerKind | undefined;
}

/** How Keras 1 calls activations. */
const OLD_NAMES: Readonly<Record<string, string>> = { recurrent_activation: "inner_activation" };

/** How many arrays a cell has; Keras 1 has one for each gate, unless all are one for a GPU. */
export function arraysOf(layer: LayerConfig, version: KerasVersion): number {
  if (version.major === 1) return 3 * gateNames(layer).length;
  return hasBias(layer) ? 3 : 2;
}

function hasBias({ className, config, name }: LayerConfig): boolean {
  return className.startsWith("CuDNN") || flag(config, "use_bias", `layer ${show(name)}`, true);
}

/** @throws FormatError for what has no equal here, and for arrays that contradict the config */
export function cellOf(layer: LayerConfig, entries: readonly Entry[], version: KerasVersion): Cell {
  const { className, config } = layer;
  const place = `layer ${show(layer.name)}`;
  const kind = kindOfClass(layer)!;
  const isCudnn = className.startsWith("CuDNN");
  const refused = (problem: string) => unsupported(`keras: ${place}: ${problem}`);
  const activation = (key: string, usual: string | undefined): LayerActivation => {
    // A null is Keras' linear; only a field that is missing has the usual one.
    const names = [key, OLD_NAMES[key]].filter((name) => name !== undefined && Object.hasOwn(config, name));
    if (names.length === 0 && usual === undefined) throw refused(`its config does not state ${key}`);
    const given = activationOf(names.length === 0 ? usual : config[names[0]!], version);
    if ("problem" in given) throw refused(`${key}: ${given.problem}`);
    return given.activation;
  };
  const own = isCudnn ? "tanh" : activation("activation", "tanh");
  const recurrent = isCudnn
    ? "sigmoid"
    : kind === "RNN"
      ? undefined
      : activation("recurrent_activation", usualRecurrentActivation(version));
  const arrays =
    version.major === 1
      ? joinGates(entries, gateNames(layer), place)
      : arraysByName(entries, hasBias(layer), place);
  const gates = checked(place, () =>
    gatesOf(arrays, kind, { kernel: "kernel", recurrentKernel: "recurrent_kernel", bias: "bias" }),
  );
  if (isCudnn && !gates.isCudnn) {
    throw bad(
      place,
      `bias: expected one of two rows, as ${className} has it, got ${showShape(arrays.bias!.shape)}`,
    );
  }
  const units = field(config, "units") ?? field(config, "output_dim");
  if (units !== gates.hiddenSize) {
    throw bad(place, `units: expected ${gates.hiddenSize}, as recurrent_kernel has them, got ${show(units)}`);
  }
  return {
    kind,
    parts: gates.parts,
    options: layerOptions(kind, {
      inputSize: gates.inputSize,
      hiddenSize: gates.hiddenSize,
      bias: arrays.bias !== undefined,
      batchFirst: !flag(config, "time_major", place),
      goBackwards: flag(config, "go_backwards", place),
      ...(recurrent === undefined
        ? { nonlinearity: own }
        : { activation: own, recurrentActivation: recurrent }),
      ...(kind === "LSTM" ? { cellActivation: own } : {}),
      ...(kind === "GRU" ? { resetAfter: resetAfter(layer, gates.resetAfter, isCudnn, version) } : {}),
    }),
  };
}

/** Of a GRU: as the config says, which its bias must not contradict. */
function resetAfter(
  { config, name }: LayerConfig,
  told: boolean | undefined,
  isCudnn: boolean,
  version: KerasVersion,
): boolean {
  if (isCudnn) return true;
  const place = `layer ${show(name)}`;
  const stated = flag(config, "reset_after", place, told ?? usualResetAfter(version));
  if (told !== undefined && told !== stated) {
    throw bad(place, `reset_after: its bias is that of ${told}, the config says ${stated}`);
  }
  return stated;
}

/** Whatever `read` throws of a shape, as an error of the file that names the layer. */
function checked<Result>(place: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError && !(error instanceof FormatError)) throw bad(place, error.message);
    throw error;
  }
}

/** The last name of a path, without TensorFlow's `:0`. */
export function lastName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/:\d+$/, "");
}

/** Arrays by their names, or by their order where the file numbers them. */
function arraysByName(entries: readonly Entry[], hasBias: boolean, place: string): KerasArrays {
  const names = ["kernel", "recurrent_kernel", "bias"].slice(0, hasBias ? 3 : 2);
  if (entries.length !== names.length) {
    throw bad(place, `expected ${names.length} arrays (${names.join(", ")}), got ${entries.length}`);
  }
  const isNamed = entries.some(({ path }) => names.includes(lastName(path)));
  const [kernel, recurrentKernel, bias] = names.map((name, at) => {
    const found = isNamed ? entries.find(({ path }) => lastName(path) === name) : entries[at];
    if (found === undefined) throw bad(place, `${name} is missing`);
    return floats(found, place);
  });
  return { kernel: kernel!, recurrentKernel: recurrentKernel!, bias };
}

/** How the arrays of Keras 1 end, in Keras 2's order. */
function gateNames(layer: LayerConfig): readonly string[] {
  if (field(layer.config, "consume_less") === "gpu") return [""];
  return { LSTM: ["_i", "_f", "_c", "_o"], GRU: ["_z", "_r", "_h"], RNN: [""] }[kindOfClass(layer)!];
}

/** The arrays of Keras 1, `W_i`, side by side in Keras 2's order. */
function joinGates(entries: readonly Entry[], gates: readonly string[], place: string): KerasArrays {
  const byName = new Map<string, Tensor>();
  for (const entry of entries) {
    const found = /(?:^|_)([WUb](?:_[a-z])?)$/.exec(lastName(entry.path));
    if (found !== null) byName.set(found[1]!, floats(entry, place));
  }
  const [kernel, recurrentKernel, bias] = ["W", "U", "b"].map((letter) => {
    const blocks = gates.map((gate) => {
      const block = byName.get(`${letter}${gate}`);
      if (block === undefined) throw bad(place, `${letter}${gate} is missing`);
      return block;
    });
    return sideBySide(blocks, `${letter}${gates[0]}`, place);
  });
  return { kernel: kernel!, recurrentKernel: recurrentKernel!, bias };
}

/** Blocks of one shape, joined along the last axis. */
function sideBySide(blocks: readonly Tensor[], name: string, place: string): Tensor {
  const { shape } = blocks[0]!;
  if (shape.length === 0 || blocks.some((block) => block.shape.join() !== shape.join())) {
    throw bad(place, `${name}: its gates have different shapes`);
  }
  const width = shape.at(-1)!;
  const columns = width * blocks.length;
  const result = Tensor.zeros([...shape.slice(0, -1), columns]);
  for (const [at, { data }] of blocks.entries()) {
    for (let from = 0, to = at * width; from < data.length; from += width, to += columns) {
      result.data.set(data.subarray(from, from + width), to);
    }
  }
  return result;
}

function floats({ path, tensor }: Entry, place: string): Tensor {
  if (tensor.data instanceof Float32Array) return tensor;
  throw bad(place, `${lastName(path)}: expected floats, got ${tensor.dtype}`);
}
