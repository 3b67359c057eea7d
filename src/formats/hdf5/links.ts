/** The links of a group: in old groups by a B-tree and a local heap, in new ones as messages. */

import { show } from "../../tensor/checks.js";
import type { Cursor } from "./cursor.js";
import { readDense } from "./dense.js";
import type { Hdf5File } from "./file.js";
import { LINK, LINK_INFO, type Message, own, SYMBOL_TABLE } from "./object-header.js";

/** Where a name leads: to an object's address, to another path, or out of the file. */
export interface Link {
  readonly address?: number | undefined;
  readonly soft?: string;
  readonly isOutside?: boolean;
}

const MOST_LEVELS = 64;

export function readLinks(file: Hdf5File, messages: readonly Message[]): Map<string, Link> {
  const links = new Map<string, Link>();
  const add = (name: string, link: Link) => {
    if (name === "" || links.has(name)) throw file.bad(`HDF5 group: link ${show(name)} occurs twice`);
    links.set(name, link);
  };
  for (const message of messages) {
    if (message.type === LINK) readLink(own(file, message, "link"), add);
    if (message.type === LINK_INFO) {
      const cursor = own(file, message, "link info");
      cursor.expect("", 0);
      cursor.skip(cursor.uint(1) & 1 ? 8 : 0);
      for (const object of readDense(file, cursor)) readLink(object, add);
    }
    if (message.type === SYMBOL_TABLE) readSymbols(file, own(file, message, "symbol table"), add);
  }
  return links;
}

type Add = (name: string, link: Link) => void;

function readLink(cursor: Cursor, add: Add): void {
  cursor.expect("", 1);
  const flags = cursor.uint(1);
  const kind = flags & 8 ? cursor.uint(1) : 0;
  cursor.skip((flags & 4 ? 8 : 0) + (flags & 16 ? 1 : 0));
  const name = cursor.text(cursor.uint(1 << (flags & 3)));
  if (kind === 0) add(name, { address: cursor.address() });
  else add(name, kind === 1 ? { soft: cursor.text(cursor.uint(2)) } : { isOutside: true });
}

function readSymbols(file: Hdf5File, cursor: Cursor, add: Add): void {
  const tree = cursor.address();
  const head = file.piece(cursor.address(), 8 + 2 * file.widths.length + file.widths.address, "local heap");
  head.expect("HEAP", 0);
  head.skip(3);
  const bytes = head.length();
  head.length();
  const heap = file.piece(head.address(), bytes, "local heap");
  const nameAt = (at: number) => {
    heap.at = at;
    const name = heap.terminated();
    file.spend(heap.at - at);
    return name;
  };
  visitTree(file, tree, { kind: 0, keyBytes: file.widths.length }, (child) => {
    const node = file.piece(child, 8, "symbol node");
    node.expect("SNOD", 1);
    node.skip(1);
    const count = node.uint(2);
    const { address, length } = file.widths;
    const entries = file.piece(child! + 8, count * (length + address + 24), "symbol node");
    for (let index = 0; index < count; index++) {
      const name = nameAt(entries.length());
      const target = entries.address();
      const soft = entries.uint(4) === 2;
      entries.skip(4);
      const value = entries.uint(4);
      entries.skip(12);
      add(name, soft ? { soft: nameAt(value) } : { address: target });
    }
  });
}

/** Visits what the leaves of a B-tree of the first version lead to, with the key before each. */
export function visitTree(
  file: Hdf5File,
  address: number | undefined,
  tree: { readonly kind: number; readonly keyBytes: number },
  visit: (child: number | undefined, key: Cursor) => void,
  level?: number,
): void {
  const { kind, keyBytes } = tree;
  const head = file.piece(address, 8 + 2 * file.widths.address, "B-tree node");
  head.expect("TREE", kind);
  const its = head.uint(1);
  if (its !== (level ?? its) || its > MOST_LEVELS) throw head.bad();
  const count = head.uint(2);
  const stride = keyBytes + file.widths.address;
  const entries = file.piece(address! + head.bytes.length, count * stride + keyBytes, "B-tree node");
  for (let index = 0; index < count; index++) {
    const key = file.cursor(entries.take(keyBytes), "B-tree key");
    const child = entries.address();
    if (its === 0) visit(child, key);
    else visitTree(file, child, tree, visit, its - 1);
  }
}
