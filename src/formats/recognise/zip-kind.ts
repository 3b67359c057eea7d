/** What a zip archive is, told by the names in it. Nothing is unpacked. */
import { viewOf } from "../bytes.js";
import { archiveOf } from "./archive-kind.js";
import { type FileKind, latin1, NO_READER } from "./file-kind.js";

/** Names that are looked at. Each kind is told by the first ones or by a few. */
const MOST_NAMES = 2000;
const MOST_NAME = 200;
/** The end of the directory, and the longest comment after it. */
const MOST_END_BYTES = 22 + 65_535;

export function zipKind(file: Uint8Array): FileKind {
  const names = namesOf(file);
  const some = (pattern: RegExp) => names.some((name) => pattern.test(name));
  if (some(/^config\.json$/) && some(/^model\.weights\.h5$/)) {
    const advice = `${NO_READER}; give the arrays of its layers to fromKeras`;
    return { name: "a Keras model (.keras)", advice };
  }
  if (some(/(^|\/)(archive_format|serialized_exported_program\.json)$/)) {
    const advice = `${NO_READER}; save model.state_dict() with torch.save`;
    return { name: "a program of torch.export (.pt2)", advice };
  }
  if (some(/^[^/]+\/data\.pkl$/)) return { name: "a PyTorch file", reader: "readTorch" };
  if (names.length > 0 && names.every((name) => name.endsWith(".npy"))) {
    const advice = `${NO_READER}; save its arrays as safetensors, or give them to fromKeras`;
    return { name: "a NumPy archive (.npz)", advice };
  }
  if (some(/(^|\/)saved_model\.pb$/)) {
    return { name: "a zip with a TensorFlow SavedModel", advice: `${NO_READER}; save the model as ONNX` };
  }
  return archiveOf("a zip", names);
}

/** Names of the directory, as latin1 and cut, up to one that reaches past it; none where it is not found. */
function namesOf(file: Uint8Array): string[] {
  const view = viewOf(file);
  const names: string[] = [];
  let end = file.length - 22;
  while (end >= 0 && end > file.length - MOST_END_BYTES && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) return names;
  let at = view.getUint32(end + 16, true);
  // A directory past 4 GB has its place in another record; the names before it do as well.
  while (names.length < MOST_NAMES && at + 46 <= end && view.getUint32(at, true) === 0x02014b50) {
    const length = view.getUint16(at + 28, true);
    if (at + 46 + length > end) break;
    names.push(latin1(file.subarray(at + 46, at + 46 + Math.min(length, MOST_NAME))));
    at += 46 + length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return names;
}
