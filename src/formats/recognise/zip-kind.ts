/** What a zip archive is, told by the names in it. Nothing is unpacked. */
import { viewOf } from "../bytes.js";
import { archiveOf } from "./archive-kind.js";
import { CONVERT, type FileKind, latin1, NO_READER } from "./file-kind.js";

/** Names that are looked at. Each kind is told by the first ones or by a few. */
const MOST_NAMES = 2000;
const MOST_NAME = 200;
/** The end of the directory, and the longest comment after it. */
const MOST_END_BYTES = 22 + 65_535;

export function zipKind(file: Uint8Array): FileKind {
  const names = namesOf(file);
  const some = (pattern: RegExp) => names.some((name) => pattern.test(name));
  if (some(/^config\.json$/) && some(/^model\.weights\.(h5|json)$/)) {
    return { name: "a Keras model (.keras)", reader: "readKeras" };
  }
  if (some(/(^|\/)(archive_format|serialized_exported_program\.json)$/)) {
    return { name: "a program of torch.export (.pt2)", reader: "readTorch" };
  }
  if (some(/^[^/]+\/\.data\/extern_modules$/)) {
    const advice = "load its model with torch.package.PackageImporter, and save model.state_dict()";
    return { name: "an archive of torch.package", advice };
  }
  if (isSeveral(file)) {
    return { name: "a file of a distributed checkpoint of PyTorch (.distcp)", advice: CONVERT };
  }
  if (some(/^[^/]+\/data\.pkl$/)) return { name: "a PyTorch file", reader: "readTorch" };
  if (names.length > 0 && names.every((name) => name.endsWith(".npy"))) {
    return { name: "a NumPy archive (.npz)", reader: "readNumpy" };
  }
  if (some(/(^|\/)saved_model\.pb$/)) {
    return { name: "a zip with a TensorFlow SavedModel", advice: `${NO_READER}; save the model as ONNX` };
  }
  return archiveOf("a zip", names);
}

/**
 * Whether it is several zips of torch.save one after the other. The directory at the end states its place within the
 * last of them, which is not where it stands. The first entry is named as that of a file without a name.
 */
function isSeveral(file: Uint8Array): boolean {
  const view = viewOf(file);
  const end = endOf(view);
  if (end < 20 || latin1(file.subarray(30, 46)) !== "archive/data.pkl") return false;
  // Before the end, a record with 64-bit places and its locator may stand.
  const more = view.getUint32(end - 20, true) === 0x07064b50 ? 76 : 0;
  return view.getUint32(end + 16, true) + view.getUint32(end + 12, true) + more < end;
}

/** Where the end of the directory is; negative if it is not found. */
function endOf(view: DataView): number {
  let end = view.byteLength - 22;
  while (end >= 0 && end > view.byteLength - MOST_END_BYTES && view.getUint32(end, true) !== 0x06054b50)
    end--;
  return end >= 0 && view.getUint32(end, true) === 0x06054b50 ? end : -1;
}

/** Names of the directory, as latin1 and cut, up to one that reaches past it; none where it is not found. */
function namesOf(file: Uint8Array): string[] {
  const view = viewOf(file);
  const names: string[] = [];
  const end = endOf(view);
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
