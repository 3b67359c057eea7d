/** Strings that users give as inputs. */

import type { Declared } from "../graph/ir.js";
import type { Texts } from "../graph/keras/tensor.js";
import { isArray, wrongType } from "../tensor/checks.js";
import { asShaped } from "../tensor/like.js";
import { checkDeclared } from "./values.js";

/** @throws TypeError for anything but strings, RangeError for another shape than the declared one */
export function readTexts(name: string, declared: Declared["shape"], value: unknown): Texts {
  if (typeof value === "string") {
    const shape = (declared ?? []).map(() => 1);
    checkDeclared(name, declared, shape);
    return { data: [value], shape };
  }
  if (typeof value !== "object" || value === null) throw wrongType(name, "{ data: string[], shape }", value);
  const { data, shape } = asShaped(value, name, strings);
  checkDeclared(name, declared, shape);
  return { data, shape };
}

function strings(data: unknown, name: string): readonly string[] {
  if (!isArray(data)) throw wrongType(`${name}.data`, "an array of strings", data);
  const copy = Array.from(data);
  for (const [at, text] of copy.entries()) {
    if (typeof text !== "string") throw wrongType(`${name}.data[${at}]`, "a string", text);
  }
  return copy as string[];
}
