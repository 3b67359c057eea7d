/** What an archive of several files is, told by their names. */
import { show } from "../../tensor/checks.js";
import type { FileKind } from "./file-kind.js";

/** Files within an archive that are worth unpacking. */
const WEIGHT_FILE = /\.(pth?|ckpt|safetensors|onnx|nam)$/;

/** @param kind with an article: "a zip" */
export function archiveOf(kind: string, names: readonly string[]): FileKind {
  const inside = names.find((name) => WEIGHT_FILE.test(name));
  if (names.length === 0)
    return { name: `${kind} that is empty or cut off`, advice: "copy or download it again" };
  const more = names.length > 4 ? `... (${names.length} files)` : "";
  return {
    name: `${kind} of ${names.slice(0, 4).map(show).join(", ")}${more}`,
    advice: inside === undefined ? "which holds no weight file" : `unpack it and read ${show(inside)}`,
  };
}
