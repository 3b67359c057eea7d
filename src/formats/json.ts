/**
 * JSON from a file that may be hostile. JSON.parse keeps the last of two equal keys, and deep nesting may
 * exhaust its stack. One pass over the text refuses both before JSON.parse runs.
 */

import { show } from "../tensor/checks.js";
import { FormatError } from "./bytes.js";

/** No weight file nests deeper: a batch of nested weight matrices needs 8. */
const MOST_DEPTH = 64;

/** Of all objects together. A safetensors header has four keys for each tensor. */
const MOST_KEYS = 250_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * @param name what messages begin with
 * @throws FormatError for text that is not JSON, nests too deep, repeats a key or has too many keys
 */
export function parseJson(text: string, name: string): unknown {
  checkKeysAndDepth(text, name);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FormatError(`${name}: not valid JSON: ${(error as Error).message}`);
  }
}

/** Text that is not JSON may pass here. JSON.parse then says what is wrong with it. */
function checkKeysAndDepth(text: string, name: string): void {
  /** The keys of each open object; undefined for each open array. */
  const open: (Set<string> | undefined)[] = [];
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x7b || code === 0x5b) {
      if (open.push(code === 0x7b ? new Set() : undefined) > MOST_DEPTH) {
        throw new FormatError(`${name}: nests deeper than ${MOST_DEPTH}`);
      }
    } else if (code === 0x7d || code === 0x5d) {
      open.pop();
    } else if (code === QUOTE) {
      const start = at;
      for (at++; at < text.length && text.charCodeAt(at) !== QUOTE; at++) {
        if (text.charCodeAt(at) === BACKSLASH) at++;
      }
      // In valid JSON a colon follows a key, and nothing else.
      const keys = open[open.length - 1];
      if (keys !== undefined && followedByColon(text, at + 1)) {
        const key = unquote(text.slice(start, at + 1));
        if (keys.has(key)) throw new FormatError(`${name}: key ${show(key)} occurs twice`);
        keys.add(key);
        if (++count > MOST_KEYS) throw new FormatError(`${name}: more than ${MOST_KEYS} keys`);
      }
    }
  }
}

function followedByColon(text: string, at: number): boolean {
  let code = text.charCodeAt(at);
  while (code === 0x20 || (code >= 0x09 && code <= 0x0d)) code = text.charCodeAt(++at);
  return code === 0x3a;
}

/** The text of a quoted string, without its quotes and escapes. */
function unquote(quoted: string): string {
  if (!quoted.includes("\\")) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted;
  }
}

/** Whether a value is a JSON object: not null and not an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
