/** Object headers: the messages that make a group, a data set or a named type. */

import { unsupported } from "../bytes.js";
import type { Cursor } from "./cursor.js";
import type { Hdf5File } from "./file.js";

/** Kinds of messages. */
export const DATASPACE = 1;
export const LINK_INFO = 2;
export const DATATYPE = 3;
export const LINK = 6;
export const EXTERNAL_FILES = 7;
export const LAYOUT = 8;
export const GROUP_INFO = 10;
export const FILTERS = 11;
export const ATTRIBUTE = 12;
export const CONTINUATION = 16;
export const SYMBOL_TABLE = 17;
export const ATTRIBUTE_INFO = 21;

const SHARED = 2;
/** A shared message that lies in another object's header, which is so of named types. */
const IN_HEADER = 2;

export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly bytes: Uint8Array;
}

/** The messages of the header at an address, those of its continuations among them. */
export function readMessages(file: Hdf5File, address: number | undefined): Message[] {
  const what = "object header";
  const first = file.view(address, 1, what);
  return first[0] === 1 ? readOld(file, address!) : readNew(file, address!);
}

function readOld(file: Hdf5File, address: number): Message[] {
  const prefix = file.piece(address, 16, "object header");
  prefix.at = 2;
  const count = prefix.uint(2);
  prefix.at = 8;
  const messages: Message[] = [];
  const blocks = [file.piece(address + 16, prefix.uint(4), "object header")];
  const seen = new Set<number | undefined>();
  for (const block of blocks) {
    while (block.left >= 8 && messages.length < count) {
      const type = block.uint(2);
      const bytes = block.uint(2);
      const flags = block.uint(1);
      block.skip(3);
      const message = { type, flags, bytes: block.take(bytes) };
      messages.push(message);
      const next = continuation(file, message, seen);
      if (next !== undefined) blocks.push(file.piece(next.address, next.bytes, "header continuation"));
    }
  }
  if (messages.length !== count) {
    throw prefix.bad(`has ${messages.length} messages, but states ${count}`);
  }
  return messages;
}

function readNew(file: Hdf5File, address: number): Message[] {
  const start = file.piece(address, Math.min(36, file.bytes.length - address), "object header");
  start.expect("OHDR", 2);
  const headerFlags = start.uint(1);
  start.skip((headerFlags & 0x20 ? 16 : 0) + (headerFlags & 0x10 ? 4 : 0));
  const bytes = start.uint(1 << (headerFlags & 3));
  const whole = file.checked(address, start.at + bytes + 4, "object header");
  whole.at = start.at;
  const messages: Message[] = [];
  const blocks: Cursor[] = [whole];
  const seen = new Set<number | undefined>();
  const prefix = headerFlags & 4 ? 6 : 4;
  for (const block of blocks) {
    while (block.left >= prefix) {
      const type = block.uint(1);
      const length = block.uint(2);
      const flags = block.uint(1);
      block.skip(prefix - 4);
      const message = { type, flags, bytes: block.take(length) };
      messages.push(message);
      const next = continuation(file, message, seen);
      if (next === undefined) continue;
      const more = file.checked(next.address, next.bytes, "header continuation");
      if (String.fromCharCode(...more.take(4)) !== "OCHK") throw more.bad("does not begin with OCHK");
      blocks.push(more);
    }
  }
  return messages;
}

function continuation(file: Hdf5File, { type, bytes }: Message, seen: Set<number | undefined>) {
  if (type !== CONTINUATION) return undefined;
  const cursor = file.cursor(bytes, "header continuation");
  const next = { address: cursor.address(), bytes: cursor.length() };
  if (next.bytes < 8 || seen.has(next.address))
    throw cursor.bad(`at ${next.address} occurs twice, or is empty`);
  seen.add(next.address);
  return next;
}

/** The content of the first message of a kind; that of another header, if the message refers to it. */
export function findMessage(
  file: Hdf5File,
  messages: readonly Message[],
  type: number,
): Uint8Array | undefined {
  const message = messages.find((candidate) => candidate.type === type);
  if (message === undefined || !(message.flags & SHARED)) return message?.bytes;
  return readShared(file, message.bytes, type);
}

/** The content of a message that another object's header holds. */
export function readShared(file: Hdf5File, bytes: Uint8Array, type: number): Uint8Array {
  const cursor = file.cursor(bytes, "shared message");
  const version = cursor.uint(1);
  const kind = cursor.uint(1);
  if (version > 3 || (version === 3 && kind !== IN_HEADER)) {
    throw unsupported(
      `${cursor.what}s in a heap of their own are not supported; repack the file with h5repack`,
    );
  }
  if (version === 1) cursor.skip(6);
  const messages = readMessages(file, cursor.address());
  const message = messages.find((candidate) => candidate.type === type);
  if (message === undefined || message.flags & SHARED) throw cursor.bad("leads to no message");
  return message.bytes;
}

/** Refuses a message of the kind that is shared, where that does not occur in practice. */
export function own(file: Hdf5File, { bytes, flags }: Message, what: string): Cursor {
  if (flags & SHARED) throw unsupported(`${file.label}: ${what}: shared messages are not supported`);
  return file.cursor(bytes, what);
}
