/**
 * Pickles, protocols 2 to 5, read as data. A pickle is a program for a stack machine that may name any function of
 * Python's to call; this machine calls none. A global becomes a {@link Global}, a call or an instance of one a
 * {@link PyObject} that holds its arguments, and only those in a fixed list are understood. No pickled name is looked
 * up in a JavaScript object.
 *
 * Python to JavaScript: None null, int number (bigint from 2^53), str string, bytes Uint8Array, list and tuple Array,
 * dict and OrderedDict Map, set Set.
 */

import { FormatError, viewOf } from "../../bytes.js";
import { decodeUtf8 } from "../../utf8.js";

/** What a hostile pickle may cost at most; a checkpoint of 10,000 tensors takes some 500,000 steps and 100,000 objects. */
const MOST_STEPS = 1_500_000;
const MOST_OBJECTS = 500_000;
const MOST_MEMO = 1_000_000;
/** Integers of more bytes have no place in a checkpoint, and long ones are slow to print. */
const MOST_INTEGER_BYTES = 128;
const MOST_NAME_BYTES = 1024;

/** A class or function that a pickle names: "collections.OrderedDict". */
export class Global {
  constructor(readonly name: string) {}
}

/** A call of a global, or an instance of one, which never ran: what it was given, as data. */
export class PyObject {
  /** What BUILD sets: usually a Map of attributes. */
  state: unknown = undefined;
  constructor(
    readonly type: Global,
    readonly args: readonly unknown[],
  ) {}
}

/** Code that acts on the machine. Nothing is ever run, but a file that names any of it is no checkpoint: refused. */
const REFUSED_MODULES = new Set(
  "os posix nt subprocess sys shutil socket importlib runpy ctypes pty commands code marshal pip webbrowser".split(
    " ",
  ),
);
const REFUSED_BUILTINS = new Set(
  "eval exec execfile compile open file input raw_input apply breakpoint __import__".split(" "),
);

/** How each known call turns into data; the rest become a PyObject. Shared with the torch reader, which adds tensors. */
export type Calls = ReadonlyMap<string, (args: readonly unknown[]) => unknown>;

const BUILTIN_CALLS: Calls = new Map<string, (args: readonly unknown[]) => unknown>([
  ["collections.OrderedDict", makeDict],
  ["builtins.dict", makeDict],
  ["collections.defaultdict", () => new Map()], // Its argument makes what is missing; the items follow.
  ["builtins.set", ([items]) => new Set(Array.isArray(items) ? items : [])],
  ["__builtin__.set", ([items]) => new Set(Array.isArray(items) ? items : [])],
]);

function makeDict(args: readonly unknown[]): Map<unknown, unknown> {
  const dict = new Map<unknown, unknown>();
  for (const pair of Array.isArray(args[0]) ? args[0] : []) {
    if (!Array.isArray(pair) || pair.length !== 2) throw bad("a dict is made from something else than pairs");
    dict.set(pair[0], pair[1]);
  }
  return dict;
}

/** Marks the start of a variable number of items on the stack. */
const MARK = Symbol("mark");
/** What opcodes return that push nothing. */
const NOTHING = Symbol("nothing");

/**
 * Reads one pickle that begins at `start`.
 *
 * @param calls what to make of calls of these globals, beyond dicts and sets
 * @param persistent what to make of a persistent id, which stands for data outside the pickle
 * @returns the value, and where the pickle ends
 * @throws FormatError naming the byte, opcode or global that is not understood or not allowed
 */
export function readPickle(
  bytes: Uint8Array,
  start = 0,
  calls: Calls = new Map(),
  persistent?: (id: unknown) => unknown,
): { value: unknown; end: number } {
  return new Machine(bytes, start, calls, persistent).run();
}

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #calls: Calls;
  readonly #persistent: ((id: unknown) => unknown) | undefined;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  #at: number;
  /** Where the opcode at work stands, for messages. */
  #opcodeAt = 0;
  #steps = 0;
  #objects = 0;

  constructor(
    bytes: Uint8Array,
    start: number,
    calls: Calls,
    persistent: ((id: unknown) => unknown) | undefined,
  ) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#at = start;
    this.#calls = calls;
    this.#persistent = persistent;
  }

  run(): { value: unknown; end: number } {
    for (;;) {
      this.#opcodeAt = this.#at;
      this.#spend(1);
      const opcode = this.#bytes[this.#take(1)]!;
      if (opcode === 0x2e) {
        const value = this.#pop();
        if (this.#stack.length > 0)
          throw this.#error(`STOP leaves ${this.#stack.length} values on the stack`);
        return { value, end: this.#at };
      }
      const value = this.#step(opcode);
      if (value !== NOTHING) this.#stack.push(value);
    }
  }

  #spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > MOST_STEPS) throw this.#error(`more than ${MOST_STEPS} steps`);
  }

  /** Does what an opcode says; returns what it pushes, or NOTHING. */
  #step(opcode: number): unknown {
    switch (opcode) {
      case 0x80: // PROTO
        this.#protocol();
        return NOTHING;
      case 0x95: // FRAME
        this.#frame();
        return NOTHING;
      case 0x4e: // NONE
        return null;
      case 0x88: // NEWTRUE
        return true;
      case 0x89: // NEWFALSE
        return false;
      case 0x4a: // BININT
        return this.#view.getInt32(this.#take(4), true);
      case 0x4b: // BININT1
        return this.#length(1);
      case 0x4d: // BININT2
        return this.#length(2);
      case 0x8a: // LONG1
        return this.#integer(this.#length(1));
      case 0x8b: // LONG4
        return this.#integer(this.#length(4));
      case 0x47: // BINFLOAT
        return this.#view.getFloat64(this.#take(8), false);
      case 0x8c: // SHORT_BINUNICODE
        return this.#text(this.#length(1));
      case 0x58: // BINUNICODE
        return this.#text(this.#length(4));
      case 0x8d: // BINUNICODE8
        return this.#text(this.#length(8));
      case 0x55: // SHORT_BINSTRING
        return this.#byteString(this.#length(1));
      case 0x54: // BINSTRING
        return this.#byteString(this.#length(4));
      case 0x43: // SHORT_BINBYTES
        return this.#binary(this.#length(1));
      case 0x42: // BINBYTES
        return this.#binary(this.#length(4));
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        return this.#binary(this.#length(8));
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        return this.#made([]);
      case 0x7d: // EMPTY_DICT
        return this.#made(new Map());
      case 0x8f: // EMPTY_SET
        return this.#made(new Set());
      case 0x28: // MARK
        return MARK;
      case 0x6c: // LIST
      case 0x74: // TUPLE
        return this.#made(this.#popToMark());
      case 0x85: // TUPLE1
        return this.#made([this.#pop()]);
      case 0x86: // TUPLE2
        return this.#made(this.#popMany(2));
      case 0x87: // TUPLE3
        return this.#made(this.#popMany(3));
      case 0x64: // DICT
        return this.#setPairs(this.#made(new Map()), this.#popToMark());
      case 0x91: // FROZENSET
        return this.#made(new Set(this.#popToMark()));
      case 0x61: // APPEND
        this.#append([this.#pop()]);
        return NOTHING;
      case 0x65: // APPENDS
        this.#append(this.#popToMark());
        return NOTHING;
      case 0x73: // SETITEM
        this.#setItems(this.#popMany(2));
        return NOTHING;
      case 0x75: // SETITEMS
        this.#setItems(this.#popToMark());
        return NOTHING;
      case 0x90: // ADDITEMS
        this.#addItems(this.#popToMark());
        return NOTHING;
      case 0x30: // POP
        this.#popAny();
        return NOTHING;
      case 0x31: // POP_MARK
        this.#popToMark();
        return NOTHING;
      case 0x32: // DUP
        return this.#top();
      case 0x71: // BINPUT
        this.#put(this.#length(1));
        return NOTHING;
      case 0x72: // LONG_BINPUT
        this.#put(this.#length(4));
        return NOTHING;
      case 0x94: // MEMOIZE
        this.#put(this.#memo.size);
        return NOTHING;
      case 0x68: // BINGET
        return this.#get(this.#length(1));
      case 0x6a: // LONG_BINGET
        return this.#get(this.#length(4));
      case 0x63: {
        // GLOBAL
        const module = this.#line();
        return this.#global(module, this.#line());
      }
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.#popMany(2);
        return this.#global(module, name);
      }
      case 0x52: {
        // REDUCE
        const [callee, args] = this.#popMany(2);
        return this.#call(callee, args);
      }
      case 0x81: {
        // NEWOBJ
        const [type, args] = this.#popMany(2);
        return this.#call(type, args);
      }
      case 0x92: {
        // NEWOBJ_EX
        const [type, args, keywords] = this.#popMany(3);
        const object = this.#call(type, args);
        if (object instanceof PyObject) object.state = keywords;
        return object;
      }
      case 0x62: // BUILD
        this.#build(this.#pop());
        return NOTHING;
      case 0x51: // BINPERSID
        if (this.#persistent === undefined) throw this.#error("a persistent id in a plain pickle");
        return this.#made(this.#persistent(this.#pop()));
      default:
        throw this.#error(unknownOpcode(opcode));
    }
  }

  #protocol(): void {
    const protocol = this.#length(1);
    if (protocol > 5) throw this.#error(`protocol ${protocol} is not supported; supported are 2 to 5`);
  }

  /** The length of what follows up to the next frame; the opcodes in it tell their own. */
  #frame(): void {
    const bytes = this.#length(8);
    if (bytes > this.#bytes.length - this.#at)
      throw this.#error(`a frame of ${bytes} bytes reaches past the end`);
  }

  #global(module: unknown, name: unknown): Global {
    if (typeof module !== "string" || typeof name !== "string") throw this.#error("a global without a name");
    if (module.length + name.length > MOST_NAME_BYTES) throw this.#error("a global with an overlong name");
    const full = `${module}.${name}`;
    const [top] = module.split(".");
    const builtin = module === "builtins" || module === "__builtin__";
    if (REFUSED_MODULES.has(top!) || (builtin && REFUSED_BUILTINS.has(name.split(".")[0]!))) {
      throw this.#error(`the file wants to call ${full}; nothing of it is run, and it is refused`);
    }
    return this.#made(new Global(full));
  }

  #call(callee: unknown, args: unknown): unknown {
    if (!(callee instanceof Global)) throw this.#error("a call of something that is no global");
    if (!Array.isArray(args)) throw this.#error(`a call of ${callee.name} without a tuple of arguments`);
    const known = this.#calls.get(callee.name) ?? BUILTIN_CALLS.get(callee.name);
    // A dict or set copies the list it is made from, which may be the same long one every time.
    if (known !== undefined && Array.isArray(args[0])) this.#spend(args[0].length);
    return this.#made(known === undefined ? new PyObject(callee, args) : known(args));
  }

  #build(state: unknown): void {
    const target = this.#top();
    if (target instanceof PyObject) target.state = state;
    // A dict's state is its attributes (a state dict's `_metadata`), which hold no tensors; on other data it means nothing.
    else if (!(target instanceof Map)) throw this.#error("BUILD on something that is no object");
  }

  #append(items: readonly unknown[]): void {
    const target = this.#top();
    if (Array.isArray(target)) for (const item of items) target.push(item);
    // Subclasses of list carry items that no reader here needs.
    else if (!(target instanceof PyObject)) throw this.#error("APPENDS to something that is no list");
  }

  #addItems(items: readonly unknown[]): void {
    const target = this.#top();
    if (!(target instanceof Set)) throw this.#error("ADDITEMS to something that is no set");
    for (const item of items) target.add(item);
  }

  #setItems(pairs: readonly unknown[]): void {
    const target = this.#top();
    if (target instanceof Map) this.#setPairs(target, pairs);
    // Subclasses of dict (a Counter) carry items that no reader here needs.
    else if (!(target instanceof PyObject)) throw this.#error("SETITEMS on something that is no dict");
  }

  #setPairs(dict: Map<unknown, unknown>, pairs: readonly unknown[]): Map<unknown, unknown> {
    if (pairs.length % 2 === 1) throw this.#error("a key without a value");
    for (let at = 0; at < pairs.length; at += 2) dict.set(pairs[at], pairs[at + 1]);
    return dict;
  }

  #put(index: number): void {
    if (this.#memo.size >= MOST_MEMO) throw this.#error(`more than ${MOST_MEMO} memo entries`);
    this.#memo.set(index, this.#top());
  }

  #get(index: number): unknown {
    if (!this.#memo.has(index)) throw this.#error(`memo entry ${index} is missing`);
    return this.#memo.get(index);
  }

  #popAny(): unknown {
    if (this.#stack.length === 0) throw this.#error("the stack is empty");
    return this.#stack.pop();
  }

  #pop(): unknown {
    const value = this.#popAny();
    if (value === MARK) throw this.#error("a mark where a value is due");
    return value;
  }

  /** The last `count` values, the deepest first. */
  #popMany(count: number): unknown[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  #popToMark(): unknown[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw this.#error("no mark on the stack");
    const items = this.#stack.splice(mark);
    items.shift();
    return items;
  }

  #top(): unknown {
    const value = this.#stack[this.#stack.length - 1];
    if (this.#stack.length === 0 || value === MARK) throw this.#error("the stack is empty");
    return value;
  }

  #made<Value>(value: Value): Value {
    if (++this.#objects > MOST_OBJECTS) throw this.#error(`more than ${MOST_OBJECTS} objects`);
    return value;
  }

  /** Advances over `count` bytes and returns where they begin. */
  #take(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) {
      throw this.#error(`${count} bytes are due at ${at}, but ${this.#bytes.length - at} are left`);
    }
    this.#at = at + count;
    return at;
  }

  /** A little-endian unsigned integer of 1, 2, 4 or 8 bytes. */
  #length(bytes: 1 | 2 | 4 | 8): number {
    const at = this.#take(bytes);
    if (bytes === 1) return this.#bytes[at]!;
    if (bytes === 2) return this.#view.getUint16(at, true);
    if (bytes === 4) return this.#view.getUint32(at, true);
    return Number(this.#view.getBigUint64(at, true));
  }

  /** A little-endian integer in two's complement. */
  #integer(bytes: number): number | bigint {
    if (bytes > MOST_INTEGER_BYTES) throw this.#error(`an integer of ${bytes} bytes`);
    const at = this.#take(bytes);
    let value = 0n;
    for (let index = bytes - 1; index >= 0; index--) value = (value << 8n) | BigInt(this.#bytes[at + index]!);
    const signed = BigInt.asIntN(8 * bytes, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }

  #binary(bytes: number): Uint8Array {
    const at = this.#take(bytes);
    return this.#bytes.subarray(at, at + bytes);
  }

  #text(bytes: number): string {
    return decodeUtf8(this.#binary(bytes), `torch: pickle: text at byte ${this.#opcodeAt}`);
  }

  /** Python 2's str: text if it is ASCII, bytes if not. */
  #byteString(bytes: number): string | Uint8Array {
    const binary = this.#binary(bytes);
    return binary.every((byte) => byte < 0x80) ? decodeUtf8(binary, "torch: pickle") : binary;
  }

  #line(): string {
    const start = this.#at;
    const end = this.#bytes.subarray(start, start + MOST_NAME_BYTES).indexOf(0x0a);
    if (end < 0) throw this.#error("a global whose name does not end");
    this.#at = start + end + 1;
    return decodeUtf8(this.#bytes.subarray(start, start + end), "torch: pickle: name of a global");
  }

  #error(message: string): FormatError {
    return bad(`byte ${this.#opcodeAt}: ${message}`);
  }
}

const OTHER_OPCODES = new Map([
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

function unknownOpcode(opcode: number): string {
  const name = OTHER_OPCODES.get(opcode);
  const code = `0x${opcode.toString(16).padStart(2, "0")}`;
  return name === undefined ? `unknown opcode ${code}` : `opcode ${code} (${name}) is not supported`;
}

function bad(message: string): FormatError {
  return new FormatError(`torch: pickle: ${message}`);
}
