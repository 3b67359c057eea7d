/** Options and arguments that several commands take. */
import type { Tensor } from "lstm-wasm";
import { isCsv, readCsv } from "./csv.js";
import { blame, CliError, readBytes } from "./error.js";
import { isNpy, readNpy } from "./npy.js";

/** The keys that lead to the state dict in a PyTorch checkpoint: `keys` of openModel. */
export const PATH_OPTION = { type: "string", multiple: true } as const;

/** Rows of the help. */
export const PATH_HELP = [
  "--path KEY",
  "the key of a checkpoint that leads to its state dict; once per level",
] as const;
export const WEIGHTS_HELP = [
  "--weights W.h5",
  "where FILE is the architecture of a Keras model (JSON): its weights",
] as const;
export const FORCE_HELP = ["--force", "replace an output that exists"] as const;
export const NONLINEARITY_HELP = [
  "--nonlinearity tanh|relu",
  "of an RNN, where neither weights nor metadata tell it; tanh",
] as const;

/** What `run` and `quantize` share. */
export const LAYER_OPTIONS = {
  path: PATH_OPTION,
  prefix: { type: "string" },
  force: { type: "boolean", default: false },
  /** Checked by {@link checkNonlinearity}. */
  nonlinearity: { type: "string" },
} as const;

/** Undefined where it is not given: as the file's metadata says, or tanh. */
export type Nonlinearity = "tanh" | "relu" | undefined;

/** @throws CliError for anything but the nonlinearities of an RNN */
export function checkNonlinearity(value: string | undefined): Nonlinearity {
  if (value === undefined || value === "tanh" || value === "relu") return value;
  throw new CliError("usage", `--nonlinearity: expected tanh or relu, got ${JSON.stringify(value)}`);
}

/** The array in an .npy file, or the table in a .csv file. @throws CliError if it cannot be read or understood */
export function readArray(path: string): Tensor {
  return blame("file not understood", path, () => {
    const bytes = readBytes(path);
    return isCsv(path) && !isNpy(bytes) ? readCsv(bytes) : readNpy(bytes);
  });
}

/** Whether a layer's name is the prefix that the user gave. The dot at its end may be left out. */
export function isNamed(name: string, prefix: string): boolean {
  return name === prefix || name === `${prefix}.`;
}
