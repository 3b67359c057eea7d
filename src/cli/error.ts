/**
 * Errors that end the command with a message and an exit code. Code 1 is left to errors that nobody foresaw.
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { printableMessage, printablePath } from "./terminal.js";

/** Exit codes by what went wrong. */
export const EXIT = {
  usage: 2,
  "file cannot be read or written": 3,
  "file not understood": 4,
  "input does not fit": 5,
} as const;

export class CliError extends Error {
  readonly exitCode: number;

  constructor(reason: keyof typeof EXIT, message: string) {
    super(message);
    this.exitCode = EXIT[reason];
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  EISDIR: "is a folder",
  EACCES: "permission denied",
  ENOSPC: "no space left on the disk",
  EFBIG: "larger than the limit for files",
  EDQUOT: "larger than the quota",
  EROFS: "is on a file system that cannot be written",
};

/**
 * Bytes that a file without a size may give: 256 MiB. A file says how long it is; a pipe, or a file that the system
 * makes up, may never end.
 */
const MOST_WITHOUT_SIZE = 2 ** 28;

/** The bytes of a file or of what a pipe gives. @throws CliError if it cannot be read, or is neither */
export function readBytes(path: string): Uint8Array {
  return access(path, () => {
    const file = openSync(path, "r");
    try {
      const stats = fstatSync(file);
      if (stats.isDirectory()) throw refusal(path, "is a folder");
      if (!stats.isFile() && !stats.isFIFO()) throw refusal(path, "is neither a file nor a pipe");
      if (!stats.isFile() || stats.size === 0) return readWithoutSize(path, file);
      // As a Uint8Array, whose slice() copies. That of a Buffer does not.
      const { buffer, byteOffset, length } = readFileSync(file);
      return new Uint8Array(buffer, byteOffset, length);
    } finally {
      closeSync(file);
    }
  });
}

function readWithoutSize(path: string, file: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  const piece = new Uint8Array(2 ** 16);
  let length = 0;
  for (;;) {
    const count = readSync(file, piece);
    if (count === 0) break;
    length += count;
    if (length > MOST_WITHOUT_SIZE) {
      throw refusal(path, `gives more than ${MOST_WITHOUT_SIZE} bytes; a larger model is read from a file`);
    }
    pieces.push(piece.slice(0, count));
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const each of pieces) {
    bytes.set(each, at);
    at += each.length;
  }
  return bytes;
}

/** The error that says why a file cannot be read or written. */
export function refusal(path: string, problem: string): CliError {
  return new CliError("file cannot be read or written", `${printablePath(path)}: ${problem}`);
}

/** What `action` returns. @throws CliError that says why the file cannot be read or written */
export function access<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw accessError(path, error);
  }
}

/** What to throw for an error of a file system. Other errors stay what they are. */
export function accessError(path: string, error: unknown): unknown {
  if (error instanceof CliError || !(error instanceof Error)) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  // Node's own messages end with the path.
  return refusal(path, REASONS[code] ?? printableMessage(message));
}

/**
 * What `action` returns. If it throws an error of the library about a value, the command ends with `reason`,
 * and the message names the file.
 */
export function blame<Result>(reason: keyof typeof EXIT, path: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) {
      throw new CliError(reason, `${printablePath(path)}: ${printableMessage(error.message)}`);
    }
    throw error;
  }
}
