/**
 * Panels: a weight matrix in the order in which the kernels read it.
 *
 * PyTorch keeps a matrix of outputs x inputs, row by row. A kernel computes four outputs per vector, so the outputs of
 * one input k stand side by side in a line of `lineVectors` vectors, and the lines of all k follow one another:
 *
 *   block b = [k = 0: vector 0 | vector 1 | ...] [k = 1: ...] ... [k = K-1]        a block is `blockBytes` long
 *
 * The units of `gates` matrices are interleaved by four: the vector of gate g and units 4u .. 4u+3 is number
 * gates * u + g, and stands in block number / lineVectors at place number % lineVectors.
 *   LSTM   gates 4: i i i i  f f f f  g g g g  o o o o  of units 0 .. 3, then of units 4 .. 7, ...
 *   GRU    gates 3: r r r r  z z z z  n n n n  of units 0 .. 3, ...
 *   plain  gates 1: consecutive outputs
 * A float32 line has 8 vectors, two cache lines: one walk over it feeds the eight chains that hide the latency of a
 * multiply-add, and is read from L2 at 92 GB/s, where two lines of one cache line each, side by side, came at 80. An int8
 * line has 4 or 6 vectors, with four weights in place of a float (int8.ts).
 *
 * Panels are aligned to 16 bytes. Lanes past the last unit are zero (the host clears the panel first).
 */

function panelAddress(
  panel: usize,
  blockBytes: usize,
  lineVectors: i32,
  gates: i32,
  gate: i32,
  unit: i32,
): usize {
  const vector = gates * (unit >> 2) + gate;
  const place = ((vector % lineVectors) << 4) + ((unit & 3) << 2);
  return panel + <usize>(vector / lineVectors) * blockBytes + <usize>place;
}

/**
 * Packs the matrix of one gate, row-major `units` x `columns`, into the panel whose lines for these columns start at
 * `panel`.
 */
export function packGate(
  panel: usize,
  blockBytes: usize,
  lineVectors: i32,
  gates: i32,
  gate: i32,
  source: usize,
  units: i32,
  columns: i32,
): void {
  const lineBytes = (<usize>lineVectors) << 4;
  for (let unit = 0; unit < units; unit++) {
    let target = panelAddress(panel, blockBytes, lineVectors, gates, gate, unit);
    for (let column = 0; column < columns; column++) {
      f32.store(target, f32.load(source));
      target += lineBytes;
      source += 4;
    }
  }
}

/** The inverse of packGate. */
export function unpackGate(
  panel: usize,
  blockBytes: usize,
  lineVectors: i32,
  gates: i32,
  gate: i32,
  target: usize,
  units: i32,
  columns: i32,
): void {
  const lineBytes = (<usize>lineVectors) << 4;
  for (let unit = 0; unit < units; unit++) {
    let source = panelAddress(panel, blockBytes, lineVectors, gates, gate, unit);
    for (let column = 0; column < columns; column++) {
      f32.store(target, f32.load(source));
      source += lineBytes;
      target += 4;
    }
  }
}
