/**
 * A file that a command writes. It is written beside its target and renamed when it is whole, so that a kill, a full
 * disk or a limit leaves the old file as it was. A pipe or a device is written directly.
 */
import { randomBytes } from "node:crypto";
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
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
import { printablePath } from "./terminal.js";

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
      if (this.isStandardOutput) writeAll(1, bytes);
      else if (isDevice(this.#path, old)) writeAndClose(openSync(this.#path, "w"), bytes);
      else replace(linkTarget(this.#path), bytes, old);
    });
  }

  /** Whether it is this process's own output, in which nothing else has a place then. */
  get isStandardOutput(): boolean {
    return /^\/dev\/(stdout|fd\/1)$|^\/proc\/self\/fd\/1$/.test(resolve(this.#path));
  }

  /** What is there now, if anything. */
  #check(): Stats | undefined {
    const path = this.#path;
    const refuse = (problem: string): never => {
      throw new CliError("file cannot be read or written", `${printablePath(path)}: ${problem}`);
    };
    const old = access(path, () => statSync(path, { throwIfNoEntry: false }));
    if (old === undefined) return undefined;
    if (old.isDirectory()) refuse("is a folder");
    if (isDevice(path, old)) return old;
    for (const input of this.#inputs) {
      const { dev, ino } = statSync(input, { throwIfNoEntry: false }) ?? {};
      if (dev === old.dev && ino === old.ino)
        refuse(`is the input ${printablePath(input)}; write to another file`);
    }
    if (!this.#force) refuse("exists; --force replaces it");
    access(path, () => accessSync(path, constants.W_OK));
    return old;
  }
}

/** Whether writing goes to a pipe, a terminal or the like, or to a file that this process has open: /dev/stderr. */
function isDevice(path: string, stats: Stats | undefined): boolean {
  const isOpen = /^\/dev\/(stdout|stderr|fd\/\d+)$|^\/proc\/(self|\d+)\/fd\/\d+$/.test(resolve(path));
  return isOpen || (stats !== undefined && !stats.isFile());
}

/** The file that a symbolic link leads to, also where that does not exist yet; any other path as it is. */
function linkTarget(path: string): string {
  let target = path;
  // As many links as Linux follows.
  for (let links = 0; links < 40; links++) {
    if (lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return target;
    target = resolve(realpathSync(dirname(target)), readlinkSync(target));
  }
  throw new CliError("file cannot be read or written", `${path}: too many links`);
}

function replace(path: string, bytes: Uint8Array, old: Stats | undefined): void {
  // Of the name, ASCII alone: a file system counts bytes.
  const name = basename(path)
    .replace(/[^ -~]/g, "")
    .slice(0, 100);
  const beside = join(dirname(path), `.${name}.${randomBytes(6).toString("hex")}.tmp`);
  // "wx": a name that someone else has made, such as a link, is not followed. Who may not read the old file may not
  // read the new one meanwhile.
  const file = openSync(beside, "wx", old === undefined ? 0o666 : 0o600);
  try {
    if (old !== undefined) chmodSync(beside, old.mode & 0o7777);
    writeAndClose(file, bytes);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

function writeAndClose(file: number, bytes: Uint8Array): void {
  try {
    writeAll(file, bytes);
    fsyncSync(file);
  } catch (error) {
    // A pipe has nothing to sync, and some file systems cannot.
    if (!["EINVAL", "ENOTSUP", "ENOSYS"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    closeSync(file);
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSome(file, bytes, done);
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
