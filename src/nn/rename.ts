/** Names of parameters in a file that names them otherwise. */
import { isArray, reading, show, wrongType, wrongValue } from "../tensor/checks.js";
import { coded } from "../tensor/errors.js";

/** From a parameter's name, such as `weight_ih_l0`, to the file's, below the prefix. */
export type Rename = Readonly<Record<string, string>> | ((name: string) => string);

const NAME = "options.rename";

/** The file's name for each of ours, asked for once. @throws TypeError for another value than a record or function */
export function renaming(rename: unknown): (name: string) => string {
  const known = new Map<string, string>();
  const taken = new Map<string, string>();
  const ask = typeof rename === "function" ? guarded(rename as (name: string) => unknown) : asker(rename);
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const key = ask(name);
    if (typeof key !== "string") throw wrongType(`${NAME} of ${show(name)}`, "a string", key);
    const other = taken.get(key);
    // One key for all layers would make layers without end.
    if (other !== undefined) {
      throw wrongValue(`${NAME} of ${show(name)}`, `another key than of ${show(other)}`, show(key));
    }
    taken.set(key, name);
    known.set(name, key);
    return key;
  };
}

function asker(record: unknown): (name: string) => unknown {
  const expected = "a record of strings or a function";
  if (typeof record !== "object" || record === null || isArray(record)) {
    throw wrongType(NAME, expected, record);
  }
  const names = new Map<string, unknown>(reading(NAME, expected, () => Object.entries(record)));
  return (name) => {
    if (names.has(name)) return names.get(name);
    const weight = names.get(name.replace(/_scale$/, ""));
    return typeof weight === "string" ? `${weight}_scale` : name;
  };
}

/** What the function returns. @throws TypeError that has what it throws as its cause */
function guarded(rename: (name: string) => unknown): (name: string) => unknown {
  return (name) => {
    try {
      return rename(name);
    } catch (cause) {
      const message = `${NAME} of ${show(name)}: expected a string, but the function threw`;
      throw coded("TYPE", new TypeError(message, { cause }));
    }
  };
}
