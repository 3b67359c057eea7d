/**
 * Errors that end the command with a message and an exit code. Code 1 is left to errors that nobody foresaw.
 */
import { readFileSync } from "node:fs";
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

/** The bytes of a file. @throws CliError if it cannot be read */
export function readBytes(path: string): Uint8Array {
  return access(path, () => {
    // As a Uint8Array, whose slice() copies. That of a Buffer does not.
    const { buffer, byteOffset, length } = readFileSync(path);
    return new Uint8Array(buffer, byteOffset, length);
  });
}

/** What `action` does with a file. @throws CliError that says why the file cannot be read or written */
export function access<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = REASONS[code ?? ""];
    throw new CliError("file cannot be read or written", `${printablePath(path)}: ${reason ?? message}`);
  }
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
