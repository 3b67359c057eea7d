/**
 * A file that a command writes. It is written beside its target and renamed when it is whole, so that a kill, a full
 * disk or a limit leaves the old file as it was. A pipe or a device is written directly.
 */
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { access, CliError } from "./error.js";

export class OutputFile {
  readonly #path: string;
  readonly #inputs: readonly string[];
  readonly #force: boolean;

  /**
   * Checks before the work begins that the file may be written, and `write` checks again.
   * @param inputs files that are read, none of which may be the output
   * @param force whether a file that exists is replaced
   * @throws CliError for an output that is an input, or that exists without `force`
   */
  constructor(path: string, inputs: readonly string[], force: boolean) {
    this.#path = path;
    this.#inputs = inputs;
    this.#force = force;
    this.#check();
  }

  /** @throws CliError if the file cannot be written; what was there before is then still there. */
  write(bytes: Uint8Array): void {
    const old = this.#check();
    access(this.#path, () => {
      if (isDevice(this.#path, old)) writeAll(openSync(this.#path, "w"), bytes);
      else replace(linkTarget(this.#path), bytes, old);
    });
  }

  /** What is there now, if anything. */
  #check(): Stats | undefined {
    const path = this.#path;
    const refuse = (problem: string): never => {
      throw new CliError("file cannot be read or written", `${path}: ${problem}`);
    };
    const old = access(path, () => statSync(path, { throwIfNoEntry: false }));
    if (old === undefined) return undefined;
    if (old.isDirectory()) refuse("is a folder");
    if (isDevice(path, old)) return old;
    for (const input of this.#inputs) {
      const { dev, ino } = statSync(input, { throwIfNoEntry: false }) ?? {};
      if (dev === old.dev && ino === old.ino) refuse(`is the input ${input}; write to another file`);
    }
    if (!this.#force) refuse("exists; --force replaces it");
    return old;
  }
}

/** Whether writing goes to a pipe, a terminal or the like. /dev/stdout may be a file, which the shell has made. */
function isDevice(path: string, stats: Stats | undefined): boolean {
  return (stats !== undefined && !stats.isFile()) || /^\/(dev|proc)\//.test(path);
}

/** The file that a symbolic link leads to, also where that does not exist yet; any other path as it is. */
function linkTarget(path: string): string {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return path;
  try {
    return realpathSync(path);
  } catch {
    return resolve(dirname(path), readlinkSync(path));
  }
}

function replace(path: string, bytes: Uint8Array, old: Stats | undefined): void {
  const name = `.${basename(path).slice(0, 100)}.${randomBytes(6).toString("hex")}.tmp`;
  const beside = join(dirname(path), name);
  // "wx": a name that someone else has made, such as a link, is not followed.
  const file = openSync(beside, "wx");
  try {
    writeAll(file, bytes);
    if (old !== undefined) chmodSync(beside, old.mode & 0o7777);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  try {
    for (let done = 0; done < bytes.length; ) done += writeSome(file, bytes, done);
    try {
      fsyncSync(file);
    } catch {
      // A pipe has nothing to sync, and some file systems refuse; the rename is then as good as it can be.
    }
  } finally {
    closeSync(file);
  }
}

/** A pipe that is full says EAGAIN: its reader is slower. */
function writeSome(file: number, bytes: Uint8Array, from: number): number {
  for (;;) {
    try {
      return writeSync(file, bytes, from);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
