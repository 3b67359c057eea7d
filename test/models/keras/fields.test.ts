/**
 * Every field of the configs of the fixtures, with other values in its place: a FormatError that names the layer, or a
 * model that runs or refuses to. Each field of a class is tried in the first file that has it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { unzipSync } from "fflate";
import { expect, it } from "vitest";
import { FormatError } from "../../../src/formats/bytes.js";
import { openHdf5 } from "../../../src/formats/hdf5/index.js";
import { isObject } from "../../../src/formats/json.js";
import { loadKeras } from "../../../src/models/index.js";
import { processorTime } from "../../support/processor-time.js";
import { runOnOnes } from "../../support/run-layers.js";

const ROOT = new URL("../../formats/files/", import.meta.url);
const HIDDEN = "the field is left out";
/** As they stand in JSON. */
const VALUES = [
  HIDDEN,
  "null",
  "true",
  '"other"',
  '""',
  "-1",
  "0",
  "1",
  "7",
  "1.5",
  "2147483648",
  "9007199254740991",
  "1e300",
  "NaN",
  "-Infinity",
  "[]",
  "[null]",
  "[1000000000, 1000000000]",
  "[-1, 0]",
  '[["other", 0, 0]]',
  "{}",
  '{"class_name": "Lambda", "config": {}}',
  '{"class_name": "__keras_tensor__", "config": {"keras_history": ["other", 0, 0]}}',
];
const LIMIT = 1000;

interface Architecture {
  readonly name: string;
  readonly config: unknown;
  readonly weights: Uint8Array;
}

function architecture(folder: string, name: string): Architecture | undefined {
  const bytes = new Uint8Array(readFileSync(new URL(`${folder}/${name}`, ROOT)));
  if (name.endsWith(".keras")) {
    const entries = unzipSync(bytes);
    const text = (entry: string) => JSON.parse(new TextDecoder().decode(entries[entry]));
    const { keras_version } = text("metadata.json");
    return { name, config: { ...text("config.json"), keras_version }, weights: entries["model.weights.h5"]! };
  }
  const config = openHdf5(bytes, "keras").attribute("model_config");
  if (typeof config !== "string") return undefined;
  return { name, config: JSON.parse(config), weights: bytes };
}

const FILES = ["keras-options", "keras-models", "keras-texts", "keras-layers"].flatMap((folder) =>
  readdirSync(new URL(folder, ROOT))
    // Chains, and channels that stand first, have the fields of other files.
    .filter((name) => /^(?!chain|channels).*\.(h5|keras)$/.test(name))
    .map((name) => architecture(folder, name))
    .filter((one) => one !== undefined),
);

/** A place in a config. */
interface Place {
  readonly path: readonly (string | number)[];
  /** The class with the field. */
  readonly what: string;
  readonly values: readonly string[];
}

/** All values where FUZZ_RUNS is set; otherwise so many, others for each field. */
const SOME = process.env.FUZZ_RUNS === undefined ? 2 : VALUES.length;

function valuesFor(what: string, at: number): readonly string[] {
  const count = /^\w+\.config\.\w+$/.test(what) ? SOME : Math.ceil(SOME / 3);
  return Array.from({ length: count }, (_, index) => VALUES[(at * 5 + index * 7) % VALUES.length]!);
}

/** All places in a config: of those that have one name within a class, the first. */
function placesOf(config: unknown, seen: Set<string>): Place[] {
  const places: Place[] = [];
  const walk = (value: unknown, path: readonly (string | number)[], what: string): void => {
    if (path.length > 0 && !seen.has(what)) {
      seen.add(what);
      places.push({ path, what, values: valuesFor(what, seen.size) });
    }
    if (Array.isArray(value)) {
      for (const [at, one] of value.entries()) walk(one, [...path, at], `${what}[${Math.min(at, 1)}]`);
    } else if (isObject(value)) {
      const own = typeof value.class_name === "string" ? value.class_name : undefined;
      for (const [key, one] of Object.entries(value)) walk(one, [...path, key], `${own ?? what}.${key}`);
    }
  };
  walk(config, [], "");
  return places;
}

/** The JSON of a config with another value at a place. */
function replaced(config: unknown, path: readonly (string | number)[], value: string): string {
  const mark = "the value of this test";
  const write = (at: unknown, depth: number): unknown => {
    if (depth === path.length) return mark;
    const key = path[depth]!;
    const isLast = depth === path.length - 1;
    if (Array.isArray(at)) {
      return at.flatMap((one, index) =>
        index !== key ? [one] : isLast && value === HIDDEN ? [] : [write(one, depth + 1)],
      );
    }
    return Object.fromEntries(
      Object.entries(at as object).flatMap(([name, one]) =>
        name !== key ? [[name, one]] : isLast && value === HIDDEN ? [] : [[name, write(one, depth + 1)]],
      ),
    );
  };
  return JSON.stringify(write(config, 0)).replace(JSON.stringify(mark), value);
}

/** What is wrong in how a model is refused. */
function problemOf(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  if (!(error instanceof FormatError))
    return String((error as Error).stack)
      .split("\n", 4)
      .join(" | ");
  return /^keras: .*(layer|model|input|output|architecture|version)\b/.test(error.message)
    ? undefined
    : error.message;
}

const seen = new Set<string>();

it.each(FILES.map((file) => [file.name, file] as const))(
  "fields are refused or read, whatever they are: %s",
  (_, { config, weights }) => {
    const problems: string[] = [];
    for (const { path, what, values } of placesOf(config, seen)) {
      for (const value of values) {
        const text = replaced(config, path, value);
        let error: unknown;
        const time = processorTime(LIMIT, () => {
          error = undefined;
          try {
            using model = loadKeras(text, { weights });
            runOnOnes(model);
          } catch (thrown) {
            error = thrown;
          }
        });
        const problem = time > LIMIT ? `${time} ms` : problemOf(error);
        if (problem !== undefined) problems.push(`${what} = ${value}: ${problem}`);
      }
    }
    expect(problems).toEqual([]);
  },
  600_000,
);
