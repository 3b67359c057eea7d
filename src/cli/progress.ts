/** A progress bar on a terminal. Nothing is drawn elsewhere, or for work that ends at once. */

const WIDTH = 40;
/** Milliseconds before the bar appears. */
const DELAY = 300;
/** Milliseconds between its changes. */
const INTERVAL = 100;

export class Progress {
  readonly #total: number;
  readonly #isShown: boolean;
  #next = performance.now() + DELAY;
  #drawn = false;

  constructor(total: number) {
    this.#total = total;
    this.#isShown = process.stderr.isTTY === true;
  }

  update(done: number): void {
    const now = performance.now();
    if (!this.#isShown || now < this.#next) return;
    this.#next = now + INTERVAL;
    this.#drawn = true;
    const filled = Math.round((done / this.#total) * WIDTH);
    const percent = Math.floor((done / this.#total) * 100);
    process.stderr.write(`\r[${"#".repeat(filled)}${".".repeat(WIDTH - filled)}] ${percent} %`);
  }

  /** Wipes the bar. */
  end(): void {
    if (this.#drawn) process.stderr.write(`\r${" ".repeat(WIDTH + 8)}\r`);
  }
}
