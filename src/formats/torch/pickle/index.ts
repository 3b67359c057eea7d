/**
 * Pickles, protocols 2 to 5, read as data. A pickle is a program for a stack machine. In Python it may call
 * any function by name. This machine calls none: a named class or function becomes a {@link Global}, and a
 * call or an instance of one becomes a {@link PyObject} that holds the arguments. Only the calls in a fixed
 * list turn into something else, such as dicts and sets. A name from a pickle is never looked up in a
 * JavaScript object.
 *
 * Python to JavaScript: None null, int number (bigint from 2^53), str string, bytes Uint8Array, list and
 * tuple Array, dict and OrderedDict Map, set Set.
 */

import type { Calls } from "./globals.js";
import { Machine, type ReadId, Spent } from "./machine.js";
import { OPCODES, STOP } from "./opcodes.js";

/**
 * Reads one pickle that begins at byte `start`.
 *
 * @param spent what counts against the limits of the file
 * @param calls what to make of calls of these globals, beyond dicts and sets
 * @returns the value, and the index of the byte after the pickle
 * @throws FormatError naming the byte, and the opcode or global that is not understood or not allowed
 */
export function readPickle(
  bytes: Uint8Array,
  start = 0,
  spent = new Spent("torch"),
  calls: Calls = new Map(),
  readId?: ReadId,
): { value: unknown; end: number } {
  const machine = new Machine(bytes, start, spent, calls, readId);
  for (;;) {
    const code = machine.opcode();
    machine.spend(1);
    if (code === STOP) return { value: machine.popLast(), end: machine.position };
    const opcode = OPCODES.get(code);
    if (opcode === undefined || typeof opcode === "string") {
      const shown = `0x${code.toString(16).padStart(2, "0")}`;
      if (opcode === undefined) throw machine.error(`unknown opcode ${shown}`);
      throw machine.unsupported(`opcode ${shown} (${opcode}) is not supported`);
    }
    const [effect, operandWidth = 0] = opcode;
    effect(machine, operandWidth === 0 ? 0 : machine.unsigned(operandWidth));
  }
}
