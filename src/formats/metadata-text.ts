/** The metadata of state dicts as text, for files that keep text beside tensors. */
import { reading, show, wrongValue } from "../tensor/checks.js";
import { metadataIn, moduleIn, type StateDictMetadata } from "../tensor/metadata.js";
import { FormatError } from "./bytes.js";
import { isObject, parseJson } from "./json.js";

/** The key of a safetensors file's `__metadata__`. */
export const METADATA_KEY = "lstm-wasm";

/** A module takes some hundred characters. */
const MOST_CHARACTERS = 2 ** 22;

/** JSON of the metadata of a dict, if it has any. @throws TypeError or RangeError for what is not metadata */
export function metadataText(dict: unknown): string | undefined {
  const metadata = metadataIn(dict);
  if (metadata === undefined) return undefined;
  const expected = "an object of { kind, options } that is plain JSON data";
  const text = reading("dict.metadata", expected, () => JSON.stringify(metadata) ?? "null");
  if (text.length > MOST_CHARACTERS) {
    throw wrongValue("dict.metadata", `at most ${MOST_CHARACTERS} characters of JSON`, text.length);
  }
  // What was written is checked, not what getters give now.
  const plain: unknown = JSON.parse(text);
  moduleIn(plain, "");
  for (const prefix of Object.keys(plain as object)) moduleIn(plain, prefix);
  return text;
}

/** Metadata out of the text of a file. @throws FormatError for other text */
export function readMetadataText(text: string, name: string): StateDictMetadata {
  if (text.length > MOST_CHARACTERS) {
    throw new FormatError(`${name}: expected at most ${MOST_CHARACTERS} characters, got ${text.length}`);
  }
  const metadata = parseJson(text, name);
  if (!isObject(metadata)) throw new FormatError(`${name}: expected an object, got ${show(metadata)}`);
  for (const [prefix, entry] of Object.entries(metadata)) {
    if (!isObject(entry) || typeof entry.kind !== "string" || !isObject(entry.options)) {
      throw new FormatError(`${name}[${show(prefix)}]: expected { kind, options }, got ${show(entry)}`);
    }
  }
  return metadata as unknown as StateDictMetadata;
}
