/**
 * The program by which threads share (build/threads.wasm), with a call of an import `pause` before each of its atomic
 * instructions: so a thread is put aside between any two of them, also in the middle of a job that it reads.
 */
import { readFileSync } from "node:fs";
import binaryen from "binaryen";

const ATOMIC = /^(i32|i64|memory)\.atomic\.(\S+)$/;

/** `text` with what `change` makes of each of its lists, from the inmost outwards: of the first word and the whole. */
function changeLists(text, change) {
  const open = [{ from: 0, parts: [] }];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') {
      do {
        at += text[at] === "\\" ? 2 : 1;
      } while (text[at] !== '"');
    } else if (text[at] === "(") {
      open.at(-1).parts.push(text.slice(from, at));
      open.push({ parts: [] });
      from = at;
    } else if (text[at] === ")") {
      const list = open.pop().parts.join("") + text.slice(from, at + 1);
      open.at(-1).parts.push(change(/^\(\s*(\S+?)[\s)]/.exec(list)?.[1], list));
      from = at + 1;
    }
  }
  return open[0].parts.join("") + text.slice(from);
}

/**
 * @param type  of instructions that are paused before: i64 are those alone that read a job
 * @returns a module that imports `pause` of `place` besides
 */
export function pausedProgram(type = "") {
  const binary = readFileSync(new URL("../../build/threads.wasm", import.meta.url));
  const program = binaryen.readBinary(binary);
  let atomics = 0;
  const text = changeLists(program.emitText(), (word, list) => {
    const [, own, name] = ATOMIC.exec(word) ?? [];
    if (own === undefined || !own.startsWith(type)) return list;
    atomics++;
    const result = name.startsWith("store") ? "" : `(result ${own === "i64" ? "i64" : "i32"})`;
    return `(block ${result} (call $pause) ${list})`;
  }).replace("(module", '(module (import "place" "pause" (func $pause))');
  program.dispose();
  if (atomics === 0) throw new Error(`expected atomic instructions in build/threads.wasm, got none`);
  const changed = binaryen.parseText(text);
  changed.setFeatures(binaryen.Features.All);
  if (!changed.validate()) throw new Error("the program with pauses is not valid");
  const bytes = changed.emitBinary();
  changed.dispose();
  return new WebAssembly.Module(bytes);
}
