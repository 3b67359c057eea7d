/**
 * Who owns which linear memory. A region is what one object allocated: freed together by dispose, or by the finalizer
 * when the object was forgotten. It refers to blocks only, never to its owner, or the owner would live for ever.
 */
import { coded } from "../tensor/errors.js";
import type { Block } from "./block.js";
import { living, type Runtime } from "./runtime.js";

/** Cloudflare Workers with a compatibility date before 2025-05-05 have none; there, dispose alone frees memory. */
const forgotten =
  typeof FinalizationRegistry === "undefined"
    ? undefined
    : new FinalizationRegistry<Region>((region) => region.release());

/** Bytes of regions that no ballast stands for; below 0 while a ballast outlives what it stood for. */
let unseen = 0;

/** A ballast costs a system call, less than clearing so much memory. So small modules share one. */
const MOST_UNSEEN = 2 ** 20;

/** `transfer` is missing before Node.js 21. */
type Ballast = ArrayBuffer & { transfer?(bytes: number): ArrayBuffer };
/** The library of ES2022 has no options. */
const Ballast = ArrayBuffer as new (bytes: number, options: { maxByteLength: number }) => Ballast;

export class Region {
  #bytes = 0;
  readonly #runtime: Runtime;
  readonly #blocks = new Set<Block>();
  /**
   * What the engine counts in place of linear memory, which it does not see and so does not collect for: 600 forgotten
   * modules of 2 MiB, one each turn of the event loop, came to 1120 MB, with ballast to 140. Resizable buffers are
   * mapped afresh, so that their pages, which nobody touches, take no memory. Others may be cleared parts of the heap.
   */
  readonly #ballast: Ballast[] = [];
  #released = false;

  constructor(runtime: Runtime, owner: object) {
    this.#runtime = runtime;
    forgotten?.register(owner, this, this);
  }

  /** Bytes that are allocated now. */
  get bytes(): number {
    return this.#bytes;
  }

  get released(): boolean {
    return this.#released;
  }

  /**
   * The way to the kernels, which ends with the region: a getter among a call's arguments may have disposed of the
   * region's owner after the call looked, and its blocks may be another's by now.
   * @throws Error after release
   */
  get runtime(): Runtime {
    if (this.#released)
      throw coded("DISPOSED", new Error("dispose() was called while the arguments were being read"));
    return this.#runtime;
  }

  /** Cleared memory that lives as long as the region, unless given back. @throws RangeError when there is no room. */
  allocate(bytes: number): Block {
    const block = this.runtime.allocate(bytes);
    this.#blocks.add(block);
    this.#bytes += block.bytes;
    unseen += block.bytes;
    if (forgotten && unseen > MOST_UNSEEN) {
      try {
        this.#ballast.push(new Ballast(unseen, { maxByteLength: unseen }));
        unseen = 0;
      } catch {
        // No room for what only makes collections come sooner.
      }
    }
    return block;
  }

  free(block: Block): void {
    if (!this.#blocks.delete(block)) return;
    this.#bytes -= block.bytes;
    unseen -= block.bytes;
    this.#runtime.free(block);
  }

  /** What `use` returns, from a block that is given back after it. */
  borrow<Result>(bytes: number, use: (block: Block) => Result): Result {
    const block = this.allocate(bytes);
    try {
      return use(block);
    } finally {
      this.free(block);
    }
  }

  /** Frees everything; a second call does nothing. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    forgotten?.unregister(this);
    living.delete(this);
    unseen -= this.bytes;
    for (const block of this.#blocks) this.#runtime.free(block);
    this.#blocks.clear();
    for (const ballast of this.#ballast) {
      unseen += ballast.byteLength;
      ballast.transfer?.(0);
    }
  }
}
