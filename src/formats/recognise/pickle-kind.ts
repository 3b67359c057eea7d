/** What a pickle is: of torch.save, or of something else, and then the classes that it wants. Nothing of it is run. */
import { viewOf } from "../bytes.js";
import { CONVERT, type FileKind, latin1 } from "./file-kind.js";

const MOST_STEPS = 100_000;
const MOST_CLASSES = 8;
const MOST_NAME = 80;

/** What a pickle of NumPy's arrays wants, and what may be beside them. */
const NUMPY = /^numpy\._?core\.(multiarray|numeric)\.(_reconstruct|_frombuffer|scalar)$/;
const OF_NUMPY = /^(numpy\.|_codecs\.encode$|collections\.|(__builtin__|builtins)\.(dict|bytes)$)/;

/** Begins with PROTO and a protocol's number from 1 to 5, or is an older one, which is text. */
export function pickleKind(file: Uint8Array, text: string): FileKind | undefined {
  const binary = file[0] === 0x80 && file[1]! >= 1 && file[1]! <= 5;
  if (!binary && !/^(\([dl]p?\d|c[a-z_.]+\n\w+\n)/.test(text)) return undefined;
  // From protocol 4 on, a frame comes first. The magic number of torch.save is an integer of ten bytes.
  const magic = file[2] === 0x95 ? 11 : 2;
  if (binary && file[magic] === 0x8a && file[magic + 1] === 0x0a) {
    return { name: "a PyTorch file", reader: "readTorch" };
  }
  const classes = pickleClasses(file);
  if (classes.some((name) => name.startsWith("torch.distributed.checkpoint."))) {
    return { name: "the .metadata of a distributed checkpoint of PyTorch", advice: CONVERT };
  }
  if (binary && file[1]! >= 2 && classes.some((name) => NUMPY.test(name))) {
    const others = classes.filter((name) => !OF_NUMPY.test(name));
    if (others.length === 0) return { name: "a pickle of NumPy arrays", reader: "readNumpy" };
    const advice = `save a dict of the arrays alone; it wants ${others.join(", ")}`;
    return { name: "a pickle of more than NumPy arrays", advice };
  }
  const wanted = classes.length === 0 ? "" : `; it wants ${classes.join(", ")}`;
  return {
    name: "a pickle that torch.save did not write",
    advice: `save a state dict with torch.save${wanted}`,
  };
}

/**
 * Opcodes by what follows them: so many bytes, a line, or a count of so many bytes and then so many. Those from 0x80 on
 * are without that bit: bundlers write letters as they are, and a page may have an encoding that is not theirs.
 */
const BYTES: Readonly<Record<number, string>> = {
  1: "hqK\0\x02",
  2: "M\x03",
  4: "Jjr\x04",
  8: "G\x15",
};
const LINES = "FILSVPgpci";
const COUNTED: Readonly<Record<number, string>> = { 1: "UC\x0c\n", 4: "TXB\x0b", 8: "\r\x0e\x16" };

/** `module.name` of the first classes and functions, as a message lists them. */
function pickleClasses(file: Uint8Array): string[] {
  const view = viewOf(file);
  const classes = new Set<string>();
  const memo = new Map<number, string>();
  /** The last two values that were pushed: the strings that STACK_GLOBAL takes. "" for another value. */
  let [before, last] = ["", ""];
  let at = 0;
  const line = () => {
    const found = file.indexOf(10, at);
    const end = found < 0 ? file.length : found;
    const text = latin1(file.subarray(at, Math.min(end, at + MOST_NAME)));
    at = end + 1;
    return text;
  };
  const number = (bytes: number) => {
    let value = 0;
    for (let place = 0; place < bytes && at + place < file.length; place++) {
      value += view.getUint8(at + place) * 256 ** place;
    }
    at += bytes;
    return value;
  };
  const find = (table: Readonly<Record<number, string>>, opcode: string) =>
    Number(Object.keys(table).find((bytes) => table[Number(bytes)]!.includes(opcode)) ?? 0);
  for (let step = 0; step < MOST_STEPS && at < file.length && classes.size < MOST_CLASSES; step++) {
    const opcode = String.fromCharCode(file[at++]! & 0x7f);
    const width = find(COUNTED, opcode);
    if (width > 0) {
      const length = number(width);
      const isText = "U\x0cTX\r".includes(opcode);
      [before, last] = [last, isText ? latin1(file.subarray(at, at + Math.min(length, MOST_NAME))) : ""];
      at += length;
    } else if (LINES.includes(opcode)) {
      const first = line();
      if (opcode === "c" || opcode === "i") classes.add(`${first}.${line()}`);
      if (opcode === "p") memo.set(Number(first), last);
      else [before, last] = [last, opcode === "g" ? (memo.get(Number(first)) ?? "") : ""];
    } else {
      const argument = number(find(BYTES, opcode));
      if (opcode === "h" || opcode === "j") [before, last] = [last, memo.get(argument) ?? ""];
      else if (opcode === "q" || opcode === "r") memo.set(argument, last);
      else if (opcode === "\x14") memo.set(memo.size, last);
      else if (opcode === "\x13") {
        classes.add(`${before}.${last}`);
        last = "";
      } else if (opcode !== "\x15") last = "";
    }
  }
  return [...classes].filter((name) => /^[\w.]+$/.test(name));
}
