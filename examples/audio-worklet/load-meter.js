/**
 * The share of a block's time that rendering it takes, measured while the sound plays. Audio scopes have only Date.now, in
 * whole milliseconds, and blocks begin in step with it, so that the differences of most blocks are zero and their mean is
 * wrong. One block in sixteen is therefore held back for part of a millisecond, another part each time and all parts
 * equally often: then a block of 0.2 ms sees the clock tick in every fifth case, and the mean of the differences is
 * right to a few hundredths of a millisecond. Holding blocks back takes 0.03 ms per block itself, which is not counted.
 */

const EVERY = 16;
/** Timed blocks per report, which comes every 2.7 s at 48 kHz. */
const TIMED = 64;
/** The multiples of the golden ratio fill the unit interval evenly. */
const GOLDEN = 0.6180339887498949;

export class LoadMeter {
  #blockMilliseconds;
  #callsPerMillisecond = calibrate();
  #blocks = 0;
  #delay = 0;
  #start = 0;
  #timed = 0;
  #elapsed = 0;

  /** @param {number} blockMilliseconds how long a block lasts */
  constructor(blockMilliseconds) {
    this.#blockMilliseconds = blockMilliseconds;
  }

  /** Forgets what was measured: something else is rendered from now on. */
  restart() {
    this.#timed = this.#elapsed = 0;
  }

  /** To be called before a block is rendered. */
  begin() {
    this.#start = 0;
    if (this.#blocks++ % EVERY !== 0) return;
    this.#delay = (this.#delay + GOLDEN) % 1;
    wait(this.#delay * this.#callsPerMillisecond);
    this.#start = Date.now();
  }

  /** To be called after it. @returns {number | undefined} now and then the load since the last report, 1 for all of the time */
  end() {
    if (this.#start === 0) return undefined;
    this.#elapsed += Date.now() - this.#start;
    if (++this.#timed < TIMED) return undefined;
    const load = this.#elapsed / this.#timed / this.#blockMilliseconds;
    this.restart();
    return load;
  }
}

/** The only clock finer than a millisecond: how often Date.now can be called. */
function wait(calls) {
  for (let call = 0; call < calls; call++) Date.now();
}

/** The most calls in a millisecond: where another process takes the core meanwhile, there are fewer. */
function calibrate() {
  wait(1e5); // for the engine to compile it
  let most = 0;
  for (let round = 0; round < 10; round++) {
    const before = Date.now();
    while (Date.now() === before);
    const start = Date.now();
    let calls = 0;
    for (; Date.now() - start < 2; calls += 50) wait(50);
    most = Math.max(most, calls / 2);
  }
  return most;
}
