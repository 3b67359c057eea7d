/** Models of several files: the JSON that lists them is given, and they are read beside it. */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { CliError, readBytes } from "./error.js";
import { printableName, printablePath } from "./terminal.js";

const INDEX = /\.index\.json$/;
const SHARD = /-(\d{5})-of-(\d{5})(\.(?:safetensors|bin|pth?))$/;

/**
 * The files of an index by name, with the index itself. Those that are not there are left out: the reader says which.
 * Undefined for another file.
 * @throws CliError for one shard of several, and for a file that cannot be read
 */
export function readShardFiles(path: string, bytes: Uint8Array): Record<string, Uint8Array> | undefined {
  const [shard, number, count, extension] = SHARD.exec(path) ?? [];
  if (shard !== undefined && Number(count) > 1) {
    const index = basename(`${path.slice(0, -shard.length)}${extension}.index.json`);
    const what = `shard ${Number(number)} of ${Number(count)}; give ${index} beside it, which names all`;
    throw new CliError("file not understood", `${printablePath(path)}: ${what}`);
  }
  if (!INDEX.test(path)) return undefined;
  const listed = Object.values(Object(Object(parse(bytes)).weight_map));
  return filesBeside(
    path,
    bytes,
    listed.filter((name) => typeof name === "string" && !INDEX.test(name)),
  );
}

/**
 * The JSON at `path` that describes files of numbers, and those files, by name: a model.json of TensorFlow.js, or a
 * manifest. Undefined for another file.
 */
export function readDescribedFiles(path: string, bytes: Uint8Array): Record<string, Uint8Array> | undefined {
  if (!/\.json$/.test(path)) return undefined;
  const json = parse(bytes);
  const groups = Array.isArray(json) ? json : Object(json).weightsManifest;
  const files = Array.isArray(groups)
    ? groups.flatMap((group) => Object(group).paths)
    : Object.values(Object(json)).map((entry) => Object(entry).filename);
  if (files.length === 0 || !files.every((name) => typeof name === "string")) return undefined;
  return filesBeside(path, bytes, files);
}

/** The file at `path` and those beside it that `listed` names, as far as they are there. */
function filesBeside(
  path: string,
  bytes: Uint8Array,
  listed: readonly unknown[],
): Record<string, Uint8Array> {
  const files: [string, Uint8Array][] = [[basename(path), bytes]];
  for (const name of baseNames(listed)) {
    const place = join(dirname(path), name);
    if (existsSync(place) && name !== basename(path)) files.push([name, readBytes(place)]);
  }
  return Object.fromEntries(files);
}

/** The base names among what is listed, each once. What is wrong with a list, the reader says. */
function baseNames(listed: readonly unknown[]): string[] {
  const names = listed.filter((name) => typeof name === "string");
  return [...new Set(names)].filter(
    (name) => !/[/\\\0]/.test(name) && name !== "" && name !== "." && name !== "..",
  );
}

/** A file that holds weights of the model at `path`. Only one beside it is read, whatever the model states. */
export function readBeside(path: string, name: string): Uint8Array {
  const told = `${printablePath(path)}: its numbers are in another file, ${printableName(JSON.stringify(name))}`;
  if (name === "" || name === "." || name === ".." || /[/\\\0]/.test(name)) {
    throw new CliError("file not understood", `${told}; only files beside the model are read`);
  }
  const place = besideOf(path, name);
  if (!existsSync(place))
    throw new CliError("file not understood", `${told}; put that file beside the model`);
  return readBytes(place);
}

/** The path of a file in the same folder. */
export function besideOf(path: string, name: string): string {
  return path.slice(0, path.length - basename(path).length) + name;
}

/** The names of files beside a model that hold its numbers. */
interface Beside {
  readonly externalData?: readonly string[];
  readonly shards?: readonly string[] | undefined;
}

/** The paths of the files that a model consists of, but for its own. */
export function partsBeside(path: string, { externalData = [], shards = [] }: Beside): string[] {
  return [...externalData, ...shards].map((name) => besideOf(path, name));
}

/** NaN and Infinity as values, which Python writes into JSON. */
export const WORDS = /([:[,]\s?)-?(?:NaN|Infinity)\b/g;

/** JSON, and undefined where it is broken, which the reader says. Only names of files are taken from it. */
function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(textOf(bytes).replace(WORDS, "$1null"));
  } catch {
    return undefined;
  }
}

/** Whether JSON.parse takes a file only without these words. */
export function hasWords(bytes: Uint8Array): boolean {
  try {
    JSON.parse(textOf(bytes));
    return false;
  } catch {
    return true;
  }
}

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
