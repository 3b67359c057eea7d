/** What an archive of several files is, told by their names. */
import { show } from "../../tensor/checks.js";
import type { FileKind } from "./file-kind.js";

/** Files within an archive that are worth unpacking. */
const WEIGHT_FILE = /\.(pth?|ckpt|safetensors|onnx|nam)$/;

/** @param kind with an article: "a zip" */
export function archiveOf(kind: string, names: readonly string[]): FileKind {
  const files = names.filter((name) => WEIGHT_FILE.test(name));
  // Stable-Baselines3 has policy.pth between the state of the optimizer and some numbers.
  const inside = files.find((name) => !/optim|variables|scheduler/i.test(name)) ?? files[0];
  if (names.length === 0)
    return { name: `${kind} that is empty or cut off`, advice: "copy or download it again" };
  const more = names.length > 4 ? `... (${names.length} files)` : "";
  return {
    name: `${kind} of ${names.slice(0, 4).map(show).join(", ")}${more}`,
    advice: inside === undefined ? "which holds no weight file" : `unpack it and read ${show(inside)}`,
  };
}
