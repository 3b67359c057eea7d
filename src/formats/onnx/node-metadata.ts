/** What the metadata of nodes by PyTorch's default exporter says. */

import type { Message } from "./protobuf.js";

/** The operators whose metadata is read. An unrolled RNN has one of the others for each step. */
const MARKED: ReadonlySet<string> = new Set(["GRU", "Tanh", "Relu"]);

/** The layer of PyTorch that a node was made of. Undefined if it is none that matters, or not known. */
export type MadeOf = "GRU" | "unrolled RNN" | undefined;

/** What an entry of a node's metadata_props tells. */
export function madeOf(opType: string, entry: Message): MadeOf {
  if (!MARKED.has(opType)) return undefined;
  let value = "";
  while (entry.next()) if (entry.number === 2) value = entry.text();
  if (opType === "GRU") return value.includes("aten.gru.input") ? "GRU" : undefined;
  return /\btorch\.nn\.modules\.rnn\.RNN\b/.test(value) ? "unrolled RNN" : undefined;
}
