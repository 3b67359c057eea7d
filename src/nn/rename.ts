/** Names of parameters in a file that names them otherwise. */
import { isArray, reading, show, wrongType, wrongValue } from "../tensor/checks.js";

/** From a parameter's name, such as `weight_ih_l0`, to the file's, below the prefix. */
export type Rename = Readonly<Record<string, string>> | ((name: string) => string);

const NAME = "options.rename";

/** The file's name for each of ours, asked for once. @throws TypeError for another value than a record or function */
export function renaming(rename: unknown): (name: string) => string {
  const known = new Map<string, string>();
  const taken = new Map<string, string>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const place = `${NAME} of ${show(name)}`;
    const key = reading(place, "a string", () => ask(rename, name));
    if (typeof key !== "string") throw wrongType(place, "a string", key);
    const other = taken.get(key);
    // One key for all layers would make layers without end.
    if (other !== undefined) throw wrongValue(place, `another key than of ${show(other)}`, show(key));
    taken.set(key, name);
    known.set(name, key);
    return key;
  };
}

function ask(rename: unknown, name: string): unknown {
  if (typeof rename === "function") return rename(name);
  if (typeof rename !== "object" || rename === null || isArray(rename)) {
    throw wrongType(NAME, "a record of strings or a function", rename);
  }
  const names = rename as Readonly<Record<string, unknown>>;
  if (Object.hasOwn(names, name)) return names[name];
  const weight = name.replace(/_scale$/, "");
  return weight !== name && Object.hasOwn(names, weight) ? `${names[weight]}_scale` : name;
}
