/** What a tar archive is, told by the names of its first files. Nothing is unpacked. */
import { archiveOf } from "./archive-kind.js";
import { type FileKind, latin1 } from "./file-kind.js";

const MOST_NAMES = 100;

/** A block of 512 bytes: the name at 0, the size in octal at 124. The file's own blocks follow it. */
export function tarKind(file: Uint8Array): FileKind {
  const names: string[] = [];
  for (let at = 0; at + 512 <= file.length && names.length < MOST_NAMES; ) {
    const [name, size] = [
      [0, 100],
      [124, 136],
    ].map(([from, to]) => latin1(file.subarray(at + from!, at + to!)).split("\0")[0]!);
    if (name === "") break;
    names.push(name!);
    at += 512 * (1 + Math.ceil((Number.parseInt(size!, 8) || 0) / 512));
  }
  if (names.includes("storages") && names.includes("pickle")) {
    const advice = "load and save it with a newer one";
    return { name: "a file of a PyTorch before 0.1.10", advice };
  }
  return archiveOf("a tar archive", names);
}
