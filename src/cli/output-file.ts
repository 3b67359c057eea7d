/**
 * A file that a command writes. It is written beside its target and takes its name when it is whole, so that a kill,
 * a full disk or a limit leaves the old file as it was. A pipe or a device is written directly.
 */
import { randomBytes } from "node:crypto";
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fsync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  write,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { access, accessError, refusal } from "./error.js";
import { endingWith } from "./signals.js";
import { printablePath } from "./terminal.js";

const EXISTS = "exists; --force replaces it";

/** A signal that ends the process is heard between two writes of so many bytes. */
const PIECE = 2 ** 22;

const writePiece = promisify(write);
const sync = promisify(fsync);

export class OutputFile {
  readonly #path: string;
  #inputs: readonly string[];
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

  /** Files that are found to be read too. @throws CliError for an output that is one of them */
  alsoReads(inputs: readonly string[]): void {
    this.#inputs = [...this.#inputs, ...inputs];
    this.#check();
  }

  /** @throws CliError if the file cannot be written; what was there before is then still there. */
  async write(bytes: Uint8Array): Promise<void> {
    const path = this.#path;
    const old = this.#check();
    try {
      if (this.isStandardOutput) writeAll(1, bytes);
      else if (isDevice(path, old)) writeDirectly(path, bytes);
      else await replace(linkTarget(path), bytes, old);
    } catch (error) {
      throw accessError(path, error);
    }
  }

  /** Whether it is this process's own output, in which nothing else has a place then. */
  get isStandardOutput(): boolean {
    return /^\/dev\/(stdout|fd\/1)$|^\/proc\/self\/fd\/1$/.test(resolve(this.#path));
  }

  /** What is there now, if anything. */
  #check(): Stats | undefined {
    const path = this.#path;
    const old = access(path, () => statSync(path, { throwIfNoEntry: false }));
    if (old === undefined) return undefined;
    if (old.isDirectory()) throw refusal(path, "is a folder");
    if (isDevice(path, old)) return old;
    for (const input of this.#inputs) {
      const { dev, ino } = statSync(input, { throwIfNoEntry: false }) ?? {};
      if (dev === old.dev && ino === old.ino)
        throw refusal(path, `is the input ${printablePath(input)}; write to another file`);
    }
    if (!this.#force) throw refusal(path, EXISTS);
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
  throw refusal(path, "too many links");
}

async function replace(path: string, bytes: Uint8Array, old: Stats | undefined): Promise<void> {
  // Of the name, ASCII alone: a file system counts bytes.
  const name = basename(path)
    .replace(/[^ -~]/g, "")
    .slice(0, 100);
  const beside = join(dirname(path), `.${name}.${randomBytes(6).toString("hex")}.tmp`);
  const remove = () => rmSync(beside, { force: true });
  await endingWith(remove, async () => {
    // "wx": a name that someone else has made, such as a link, is not followed. Who may not read the old file may not
    // read the new one meanwhile.
    const file = openSync(beside, "wx", old === undefined ? 0o666 : 0o600);
    try {
      try {
        if (old !== undefined) chmodSync(beside, old.mode & 0o7777);
        for (let at = 0; at < bytes.length; ) {
          at += (await writePiece(file, bytes, at, Math.min(PIECE, bytes.length - at))).bytesWritten;
        }
        await sync(file).catch(unlessUnsupported);
      } finally {
        closeSync(file);
      }
      if (old === undefined) giveNewName(beside, path);
      else renameSync(beside, path);
    } finally {
      remove();
    }
    await syncFolder(dirname(path));
  });
}

/** Gives a file a name that nothing has: what came there after the check stays. */
function giveNewName(from: string, to: string): void {
  try {
    linkSync(from, to);
    return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw refusal(to, EXISTS);
  }
  // A file system without hard links. An empty file takes the name, if nothing has it, and is replaced.
  try {
    closeSync(openSync(to, "wx"));
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "EEXIST" ? refusal(to, EXISTS) : error;
  }
  try {
    renameSync(from, to);
  } catch (error) {
    rmSync(to, { force: true });
    throw error;
  }
}

/** A new name outlasts a power cut once its folder is on the disk. Windows opens no folders. */
async function syncFolder(path: string): Promise<void> {
  let folder: number;
  try {
    folder = openSync(path, "r");
  } catch {
    return;
  }
  try {
    await sync(folder).catch(unlessUnsupported);
  } finally {
    closeSync(folder);
  }
}

/** A pipe has nothing to sync, and some file systems and folders cannot. */
function unlessUnsupported(error: NodeJS.ErrnoException): void {
  if (!["EINVAL", "ENOTSUP", "ENOSYS", "EPERM", "EBADF"].includes(error.code ?? "")) throw error;
}

function writeDirectly(path: string, bytes: Uint8Array): void {
  const file = openSync(path, "w");
  try {
    writeAll(file, bytes);
    fsyncSync(file);
  } catch (error) {
    unlessUnsupported(error as NodeJS.ErrnoException);
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
