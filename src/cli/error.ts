/**
 * Errors that end the command with a message and an exit code. Code 1 is left to errors that nobody foresaw.
 */
import { readFileSync, writeFileSync } from "node:fs";

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

/** The bytes of a file. @throws CliError if it cannot be read */
export function readBytes(path: string): Uint8Array {
  return access(path, () => {
    // As a Uint8Array, whose slice() copies. That of a Buffer does not.
    const { buffer, byteOffset, length } = readFileSync(path);
    return new Uint8Array(buffer, byteOffset, length);
  });
}

/** @throws CliError if the file cannot be written */
export function writeBytes(path: string, bytes: Uint8Array): void {
  access(path, () => writeFileSync(path, bytes));
}

function access<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = { ENOENT: "no such file or folder", EISDIR: "is a folder", EACCES: "permission denied" }[
      code ?? ""
    ];
    throw new CliError("file cannot be read or written", `${path}: ${reason ?? message}`);
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
      throw new CliError(reason, `${path}: ${error.message}`);
    }
    throw error;
  }
}
