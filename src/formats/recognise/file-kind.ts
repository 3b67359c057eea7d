/** A kind of file, as messages tell it. */

/** The readers that take a whole file. */
export type ReaderName =
  | "readTorch"
  | "readSafetensors"
  | "readOnnx"
  | "readKeras"
  | "readNumpy"
  | "readNam"
  | "readGuitarML"
  | "readRTNeural";

/** A kind of file: the name that a message has for it, and who takes it. */
export interface FileKind {
  /** With an article: "an HTML page". */
  readonly name: string;
  /** Undefined where no reader takes it. */
  readonly reader?: ReaderName;
  /** Who takes it, parsed, with the files of numbers that it describes. */
  readonly described?: "readTfjs" | "readManifest";
  /** It is a model's architecture, whose weights are another file. */
  readonly needsWeights?: boolean;
  /** What to do with a file that no reader takes. */
  readonly advice?: string;
  /** It begins as JSON does and is none. */
  readonly isBroken?: boolean;
}

/** Of what a later version may read. */
export const NO_READER = "not read by this version";

/** What to do with JSON that describes files of numbers beside it, and is given alone. */
export const GIVE_FILES =
  "give readWeights an object of it and the files of numbers beside it, by their names";

/** How the folder of a distributed checkpoint becomes one file. */
export const CONVERT =
  "convert its folder with `python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER out.pt`";

/** At most some thousands of bytes as text, one character each. */
export function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
