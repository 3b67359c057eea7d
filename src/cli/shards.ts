/** Models that are cut into several files: the index that lists them is given, and they are read beside it. */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { CliError, readBytes } from "./error.js";
import { printablePath } from "./terminal.js";

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
  const files: [string, Uint8Array][] = [[basename(path), bytes]];
  for (const name of namesIn(bytes)) {
    const place = join(dirname(path), name);
    if (existsSync(place)) files.push([name, readBytes(place)]);
  }
  return Object.fromEntries(files);
}

/** The base names among what an index lists, each once. What is wrong with an index, the reader says. */
function namesIn(bytes: Uint8Array): string[] {
  let index: { weight_map?: unknown } | null;
  try {
    index = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return [];
  }
  const listed = Object.values(Object(index?.weight_map)).filter((name) => typeof name === "string");
  const isBase = (name: string) => !/[/\\\0]/.test(name) && name !== "" && name !== "." && name !== "..";
  return [...new Set(listed)].filter((name) => isBase(name) && !INDEX.test(name));
}
