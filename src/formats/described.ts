/**
 * Models of which a JSON file says what lies where in files of numbers beside it: TensorFlow.js' model.json, and the
 * manifests of TensorFlow and ml5. They are given as an object of files by name, and the content tells which is the JSON.
 */
import { show } from "../tensor/checks.js";
import { FormatError, unsupported } from "./bytes.js";
import { isObject } from "./json.js";
import { parsePythonJson } from "./python-json.js";
import { knownJson } from "./recognise/json-kind.js";
import { type Manifest, readManifest } from "./tensorflow/manifest.js";
import { readTfjs } from "./tfjs/index.js";
import { decodeUtf8 } from "./utf8.js";

const JSON_FILE = /\.json$/;

/** @throws FormatError unless one of the files describes the others, and as its reader does */
export function readDescribed(files: ReadonlyMap<string, Uint8Array>) {
  const found: { name: string; value: unknown; reader: string | undefined }[] = [];
  const others: string[] = [];
  for (const [name, bytes] of files) {
    if (!JSON_FILE.test(name)) continue;
    const label = `weights: ${show(name)}`;
    // Keras' converter writes it with Python, whose JSON has NaN and Infinity.
    const value = parsePythonJson(decodeUtf8(bytes, label), label);
    const kind = knownJson(value);
    if (kind?.described !== undefined) found.push({ name, value, reader: kind.described });
    else others.push(`${show(name)} is ${kind?.name ?? "of no known kind"}`);
  }
  const expected = "expected one model.json of TensorFlow.js, weights_manifest.json or manifest.json of ml5";
  if (found.length > 1)
    throw new FormatError(
      `weights: ${expected}, got ${found
        .map(({ name }) => show(name))
        .slice(0, 4)
        .join(", ")}`,
    );
  const [description] = found;
  if (description === undefined) throw unsupported(`weights: ${expected}: ${others.slice(0, 4).join(", ")}`);
  const { name, value, reader } = description;
  const weights = Object.fromEntries([...files].filter(([other]) => other !== name));
  return reader === "readTfjs" && isObject(value)
    ? ({ format: "tfjs", value: readTfjs(value, weights) } as const)
    : ({ format: "manifest", value: readManifest(value as Manifest, weights) } as const);
}
