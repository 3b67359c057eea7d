/**
 * How many threads run at once. A machine may have fewer cores free than it says, and containers hide their share: those
 * with a part of a machine's cores may take all of them for up to 100 ms, and then all stop.
 */

/** How long threads count, in ms. A page, which is in no container, is to be held up for less. */
const LONGEST = 160;
const LONGEST_OF_PAGE = 32;
const LONGEST_STOPPED = 400;
/** Threads may be slowed down for a moment: the best of so many ms counts. */
const WINDOW = 4;
/** All threads that do not count for so many ms were stopped. */
const STOP = 8;
/** A step of the count takes some 40 us. */
const STEPS = 16;

/** What all have counted, and when. */
interface Count {
  readonly at: number;
  readonly steps: number;
}

/**
 * @param count  makes so many steps of this thread, and gives how many all threads have made
 * @param isPatient  whether this thread may take its time
 */
export function runningAtOnce(count: (steps: number) => number, isPatient: boolean): number {
  const begin = counted(count, 0);
  const longest = isPatient ? LONGEST : LONGEST_OF_PAGE;
  const stops: Count[] = [];
  let [own, most, last, window] = [0, 0, begin, begin];
  while (last.at - begin.at < (stops.length > 0 ? LONGEST_STOPPED : longest)) {
    const now = counted(count, STEPS);
    const took = now.at - last.at;
    if (took > STOP && now.steps - last.steps < (own * took) / 4 + STEPS) {
      stops.push(now);
      window = now;
      // Stops that come at equal times are a container's: from one to the next one all had what they are given.
      const [first, second, third] = stops.slice(-3);
      if (third !== undefined && isNear(second!.at - first!.at, third.at - second!.at)) {
        most = speed(first!, third);
        break;
      }
    }
    if (took > 0) own = Math.max(own, STEPS / took);
    if (now.at - window.at >= WINDOW) {
      most = Math.max(most, speed(window, now));
      window = now;
    }
    last = now;
  }
  return Math.max(1, Math.ceil(most / own - 0.25));
}

/** This thread may be put aside between its looks at the count and at the clock: then it looks again. */
function counted(count: (steps: number) => number, steps: number): Count {
  for (let left = steps; ; left = 0) {
    const before = count(left);
    const at = performance.now();
    if (count(0) - before < STEPS) return { at, steps: before };
  }
}

const speed = (from: Count, to: Count) => (to.steps - from.steps) / (to.at - from.at);

const isNear = (one: number, other: number) => Math.abs(one - other) < 0.1 * one;
