/** From probabilities per frame to stretches of speech, with a threshold to begin and a lower one to go on. */

/**
 * @param {ArrayLike<number>} probabilities one per frame
 * @param {{ frame: number, threshold?: number, least?: number, gap?: number }} options seconds of a frame, the
 *   probability at which speech begins (it goes on down to 0.15 below), the shortest speech and the longest pause
 *   within it, in seconds
 * @returns {{ from: number, to: number }[]} in seconds
 */
export function speechSegments(probabilities, { frame, threshold = 0.5, least = 0.1, gap = 0.1 }) {
  const segments = [];
  let speaking = false;
  for (let at = 0; at < probabilities.length; at++) {
    speaking = probabilities[at] >= (speaking ? threshold - 0.15 : threshold);
    if (!speaking) continue;
    const last = segments.at(-1);
    // A frame's start is a whole number of frames away from the last one's end, up to rounding.
    if (last !== undefined && at * frame - last.to <= gap) last.to = (at + 1) * frame;
    else segments.push({ from: at * frame, to: (at + 1) * frame });
  }
  return segments.filter(({ from, to }) => to - from >= least);
}
