/**
 * Pickle's opcodes, protocols 2 to 5. A new one is a line in the table, and a function if no effect here
 * fits.
 */

import { BUILTIN_CALLS, Global, keyOf, PyObject, refusalOf } from "./globals.js";
import { MARK, type Machine } from "./machine.js";
import type { Width } from "./reader.js";

/** What an opcode does. `operand` is the unsigned integer that follows it, if it has one. */
type Effect = (machine: Machine, operand: number) => void;

/**
 * The effect of an opcode and the width of its operand in bytes, or the name of one that is not supported.
 */
type Opcode = readonly [effect: Effect, operandWidth?: Width] | string;

/** The code of STOP, which ends a pickle. All others are in the table. */
export const STOP = 0x2e;

/**
 * By code. The names of supported opcodes are comments: as strings, they would add 231 bytes to a bundle
 * after gzip.
 */
export const OPCODES: ReadonlyMap<number, Opcode> = new Map<number, Opcode>([
  [0x80, [checkProtocol, 1]], // PROTO
  [0x95, [checkFrame, 8]], // FRAME

  [0x4e, [(machine) => machine.push(null)]], // NONE
  [0x88, [(machine) => machine.push(true)]], // NEWTRUE
  [0x89, [(machine) => machine.push(false)]], // NEWFALSE
  [0x4a, [(machine, value) => machine.push(value | 0), 4]], // BININT, which is signed
  [0x4b, [(machine, value) => machine.push(value), 1]], // BININT1
  [0x4d, [(machine, value) => machine.push(value), 2]], // BININT2
  [0x8a, [(machine, length) => machine.push(machine.integer(length)), 1]], // LONG1
  [0x8b, [(machine, length) => machine.push(machine.integer(length)), 4]], // LONG4
  [0x47, [(machine) => machine.push(machine.float64())]], // BINFLOAT
  [0x8c, [(machine, length) => machine.push(machine.text(length)), 1]], // SHORT_BINUNICODE
  [0x58, [(machine, length) => machine.push(machine.text(length)), 4]], // BINUNICODE
  [0x8d, [(machine, length) => machine.push(machine.text(length)), 8]], // BINUNICODE8
  [0x55, [pushByteString, 1]], // SHORT_BINSTRING
  [0x54, [pushByteString, 4]], // BINSTRING
  [0x43, [(machine, length) => machine.make(machine.binary(length)), 1]], // SHORT_BINBYTES
  [0x42, [(machine, length) => machine.make(machine.binary(length)), 4]], // BINBYTES
  [0x8e, [(machine, length) => machine.make(machine.binary(length)), 8]], // BINBYTES8
  [0x96, [(machine, length) => machine.make(machine.binary(length)), 8]], // BYTEARRAY8

  [0x5d, [(machine) => machine.make([])]], // EMPTY_LIST
  [0x29, [(machine) => machine.make([])]], // EMPTY_TUPLE
  [0x7d, [(machine) => machine.make(new Map())]], // EMPTY_DICT
  [0x8f, [(machine) => machine.make(new Set())]], // EMPTY_SET
  [0x28, [(machine) => machine.push(MARK)]], // MARK
  [0x6c, [(machine) => machine.make(machine.popToMark())]], // LIST
  [0x74, [(machine) => machine.make(machine.popToMark())]], // TUPLE
  [0x85, [(machine) => machine.make(machine.popMany(1))]], // TUPLE1
  [0x86, [(machine) => machine.make(machine.popMany(2))]], // TUPLE2
  [0x87, [(machine) => machine.make(machine.popMany(3))]], // TUPLE3
  [0x64, [makeDict]], // DICT
  [0x91, [(machine) => machine.make(new Set(machine.popToMark().map(keyOf)))]], // FROZENSET
  [0x61, [(machine) => append(machine, machine.popMany(1))]], // APPEND
  [0x65, [(machine) => append(machine, machine.popToMark())]], // APPENDS
  [0x73, [(machine) => setItems(machine, machine.popMany(2))]], // SETITEM
  [0x75, [(machine) => setItems(machine, machine.popToMark())]], // SETITEMS
  [0x90, [addItems]], // ADDITEMS

  [0x30, [(machine) => machine.popAny()]], // POP
  [0x31, [(machine) => machine.popToMark()]], // POP_MARK
  [0x32, [(machine) => machine.push(machine.top())]], // DUP
  [0x71, [(machine, index) => machine.put(index), 1]], // BINPUT
  [0x72, [(machine, index) => machine.put(index), 4]], // LONG_BINPUT
  [0x94, [(machine) => machine.put()]], // MEMOIZE
  [0x68, [(machine, index) => machine.get(index), 1]], // BINGET
  [0x6a, [(machine, index) => machine.get(index), 4]], // LONG_BINGET

  [0x63, [(machine) => makeGlobal(machine, machine.line(), machine.line())]], // GLOBAL
  [0x93, [makeStackGlobal]], // STACK_GLOBAL
  [0x52, [reduce]], // REDUCE
  [0x81, [reduce]], // NEWOBJ
  [0x92, [reduceWithKeywords]], // NEWOBJ_EX
  [0x62, [build]], // BUILD
  [0x51, [readPersistentId]], // BINPERSID

  [0x46, "FLOAT"],
  [0x49, "INT"],
  [0x4c, "LONG"],
  [0x50, "PERSID"],
  [0x53, "STRING"],
  [0x56, "UNICODE"],
  [0x67, "GET"],
  [0x69, "INST"],
  [0x6f, "OBJ"],
  [0x70, "PUT"],
  [0x82, "EXT1"],
  [0x83, "EXT2"],
  [0x84, "EXT4"],
  [0x97, "NEXT_BUFFER"],
  [0x98, "READONLY_BUFFER"],
]);

function checkProtocol(machine: Machine, protocol: number): void {
  if (protocol > 5) throw machine.unsupported(`protocol ${protocol} is not supported; supported are 2 to 5`);
}

/** Frames help readers of streams. Here only their length is checked: the opcodes inside tell their own. */
function checkFrame(machine: Machine, length: number): void {
  if (length > machine.left()) throw machine.error(`a frame of ${length} bytes reaches past the end`);
}

function pushByteString(machine: Machine, length: number): void {
  const text = machine.byteString(length);
  if (typeof text === "string") machine.push(text);
  else machine.make(text);
}

function makeDict(machine: Machine): void {
  const pairs = machine.popToMark();
  machine.make(new Map());
  setItems(machine, pairs);
}

function makeStackGlobal(machine: Machine): void {
  const [module, name] = machine.popMany(2);
  makeGlobal(machine, module, name);
}

function makeGlobal(machine: Machine, module: unknown, name: unknown): void {
  const refusal = refusalOf(module, name);
  if (refusal !== undefined) throw machine.error(refusal);
  machine.make(new Global(`${module}.${name}`));
}

function reduce(machine: Machine): void {
  const [callee, args] = machine.popMany(2);
  call(machine, callee, args);
}

function reduceWithKeywords(machine: Machine): void {
  const [type, args, keywords] = machine.popMany(3);
  call(machine, type, args);
  const object = machine.top();
  if (object instanceof PyObject) object.state = keywords;
}

function call(machine: Machine, callee: unknown, args: unknown): void {
  if (!(callee instanceof Global)) throw machine.error("a call of something that is no global");
  if (!Array.isArray(args)) throw machine.error(`a call of ${callee.name} without a tuple of arguments`);
  const known = machine.calls.get(callee.name) ?? BUILTIN_CALLS.get(callee.name);
  // A dict or set copies the list it is made from, which may be the same long one every time.
  if (known !== undefined && Array.isArray(args[0])) machine.spend(args[0].length);
  machine.make(known === undefined ? new PyObject(callee, args) : known(args, machine.format));
}

function build(machine: Machine): void {
  const state = machine.pop();
  const target = machine.top();
  if (target instanceof PyObject) target.state = state;
  // A dict's state is its attributes (a state dict's `_metadata`). They hold no tensors and are left out.
  else if (!(target instanceof Map)) throw machine.error("BUILD on something that is no object");
}

// Subclasses of list and dict (a Counter) are a PyObject. No reader needs their items, so they are left out.

function append(machine: Machine, items: readonly unknown[]): void {
  const target = machine.top();
  if (Array.isArray(target)) for (const item of items) target.push(item);
  else if (!(target instanceof PyObject)) throw machine.error("APPENDS to something that is no list");
}

/** Adds keys and values, which take turns in `pairs`. */
function setItems(machine: Machine, pairs: readonly unknown[]): void {
  const target = machine.top();
  if (target instanceof Map) {
    if (pairs.length % 2 === 1) throw machine.error("a key without a value");
    for (let at = 0; at < pairs.length; at += 2) target.set(keyOf(pairs[at]), pairs[at + 1]);
  } else if (!(target instanceof PyObject)) throw machine.error("SETITEMS on something that is no dict");
}

function addItems(machine: Machine): void {
  const items = machine.popToMark();
  const target = machine.top();
  if (!(target instanceof Set)) throw machine.error("ADDITEMS to something that is no set");
  for (const item of items) target.add(keyOf(item));
}

function readPersistentId(machine: Machine): void {
  if (machine.readId === undefined) throw machine.error("a persistent id in a plain pickle");
  machine.make(machine.readId(machine.pop()));
}
