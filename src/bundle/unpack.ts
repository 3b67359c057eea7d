/** The binaries of a text that src/build/pack.js has made: a small binary unpacks them (assembly/unpack.ts). */

import unpackText from "../../build/unpack.txt";
import { compile, refused } from "./compile.js";

interface Unpacker {
  readonly memory: WebAssembly.Memory;
  /** Gives the address of so many bytes. */
  unpack(count: number): number;
}

/** Where the unpacker has its text. */
const TEXT = 12_288;

/** One of a text's binaries, the first of which is 0. @throws Error where WebAssembly is refused, as `compile` does */
export function unpack(text: string, which: number): Uint8Array<ArrayBuffer> {
  const words = text.split(" ");
  const digits = words.pop()!;
  const end = Number(words[which]);
  const { memory, unpack } = unpacker();
  const bytes = new Uint8Array(memory.buffer);
  // AudioWorklet scopes have no TextEncoder. It takes 0.1 ms of a start, the loop 0.4 ms.
  if (typeof TextEncoder === "function") new TextEncoder().encodeInto(digits, bytes.subarray(TEXT));
  else for (let at = 0; at < digits.length; at++) bytes[TEXT + at] = digits.charCodeAt(at);
  const first = unpack(end);
  return bytes.slice(first + Number(words[which - 1] ?? 0), first + end);
}

/** An instance that has unpacked nothing yet. */
function unpacker(): Unpacker {
  const module = compile(fromDigits(unpackText()));
  try {
    return new WebAssembly.Instance(module).exports as unknown as Unpacker;
  } catch (cause) {
    throw refused(cause);
  }
}

/** Six bits a character; those that are no whole byte in the end are none. */
function fromDigits(text: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  let bits = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    bits = (bits << 6) + code - (code > 92 ? 62 : 61);
    if (at % 4 > 0) bytes.push(bits >> (6 - (at % 4) * 2));
  }
  return Uint8Array.from(bytes);
}
