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

export class Region {
  #bytes = 0;
  readonly #runtime: Runtime;
  readonly #blocks = new Set<Block>();
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
    return block;
  }

  free(block: Block): void {
    if (!this.#blocks.delete(block)) return;
    this.#bytes -= block.bytes;
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
    for (const block of this.#blocks) this.#runtime.free(block);
    this.#blocks.clear();
    this.#bytes = 0;
  }
}
