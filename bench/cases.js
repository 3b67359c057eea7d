/**
 * The cases: sizes, random weights under PyTorch's names, the arguments of a call, and what a call has to
 * compute and to read. Everything is made from fixed seeds, so every process has the same numbers.
 */

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {"step" | "sequence"} kind  `step`: one step at a time, the state goes from call to call
 * @property {"lstm" | "gru"} cell
 * @property {number} input
 * @property {number} hidden
 * @property {number} steps      L
 * @property {number} batch      N
 * @property {number} layers
 * @property {1 | 2} directions
 * @property {boolean} carried   the final state of a call is the initial state of the next
 * @property {boolean} ranked    counts towards the geometric mean; false for measures of the library alone
 */

function entry(name, cell, input, hidden, steps, batch, more = {}) {
  const kind = steps === 1 ? "step" : "sequence";
  return {
    name,
    kind,
    cell,
    input,
    hidden,
    steps,
    batch,
    layers: 1,
    directions: 1,
    carried: kind === "step",
    ranked: true,
    ...more,
  };
}

/** @type {readonly Case[]} */
export const CASES = [
  entry("step-1x40", "lstm", 1, 40, 1, 1),
  entry("step-32", "lstm", 32, 32, 1, 1),
  entry("step-128", "lstm", 128, 128, 1, 1),
  entry("step-256", "lstm", 256, 256, 1, 1),
  entry("step-512", "lstm", 512, 512, 1, 1),
  entry("step-1024", "lstm", 1024, 1024, 1, 1),
  entry("block-1x40", "lstm", 1, 40, 128, 1, { carried: true }),
  entry("sequence-64", "lstm", 64, 64, 100, 1),
  entry("sequence-128", "lstm", 128, 128, 100, 1),
  entry("sequence-256", "lstm", 256, 256, 100, 1),
  entry("sequence-512", "lstm", 512, 512, 100, 1),
  entry("sequence-1024", "lstm", 1024, 1024, 50, 1),
  entry("bidirectional-128x256", "lstm", 128, 256, 100, 1, { layers: 2, directions: 2 }),
  entry("batch-128", "lstm", 128, 128, 100, 16),
  entry("batch-256", "lstm", 256, 256, 100, 32),
  entry("batch-512", "lstm", 512, 512, 50, 32),
  entry("tiny-6x3", "lstm", 6, 3, 5, 4, { layers: 2 }),
  entry("gru-step-128", "gru", 128, 128, 1, 1),
  entry("gru-sequence-256", "gru", 256, 256, 100, 1),
  entry("gru-batch-128", "gru", 128, 128, 100, 16),
  entry("overhead-1x1", "lstm", 1, 1, 1, 1, { ranked: false }),
  // One input number, so that nearly all of a call is W_hh h: the recurrent step alone, through the public
  // API.
  entry("recurrent-64", "lstm", 1, 64, 200, 1, { ranked: false }),
  entry("recurrent-128", "lstm", 1, 128, 200, 1, { ranked: false }),
  entry("recurrent-256", "lstm", 1, 256, 200, 1, { ranked: false }),
  entry("recurrent-512", "lstm", 1, 512, 100, 1, { ranked: false }),
  entry("recurrent-1024", "lstm", 1, 1024, 40, 1, { ranked: false }),
];

export function caseNamed(name) {
  const found = CASES.find((candidate) => candidate.name === name);
  if (found === undefined) throw new RangeError(`case: ${name} is not one of bench/cases.js`);
  return found;
}

/** How the case reads in a table. */
export function describeCase({ cell, input, hidden, steps, batch, layers, directions }) {
  const parts = [`${cell.toUpperCase()} ${input} → ${hidden}`];
  if (layers > 1) parts.push(directions > 1 ? `${layers} bidirectional layers` : `${layers} layers`);
  parts.push(`L=${steps}`, `N=${batch}`);
  return parts.join(", ");
}

const GATES = { lstm: 4, gru: 3 };

/** Uniform numbers in -1 .. 1 (mulberry32). */
export function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

export function randomTensor(shape, next, scale) {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  for (let at = 0; at < data.length; at++) data[at] = next() * scale;
  return { data, shape };
}

/**
 * Makes a value for a case once. A cold start is timed after the weights were made, and so without making
 * them.
 */
export function remembered(make) {
  const made = new Map();
  return (spec, ...rest) => {
    if (!made.has(spec)) made.set(spec, make(spec, ...rest));
    return made.get(spec);
  };
}

/** The weights as a PyTorch state dict, uniform in +-1/sqrt(hidden) as PyTorch begins. */
export const stateDict = remembered(({ cell, input, hidden, layers, directions }) => {
  const next = uniform(1);
  const scale = 1 / Math.sqrt(hidden);
  const rows = GATES[cell] * hidden;
  /** @type {Map<string, { data: Float32Array, shape: number[] }>} */
  const dict = new Map();
  for (let layer = 0; layer < layers; layer++) {
    const width = layer === 0 ? input : directions * hidden;
    for (let direction = 0; direction < directions; direction++) {
      const suffix = `_l${layer}${direction === 1 ? "_reverse" : ""}`;
      dict.set(`weight_ih${suffix}`, randomTensor([rows, width], next, scale));
      dict.set(`weight_hh${suffix}`, randomTensor([rows, hidden], next, scale));
      dict.set(`bias_ih${suffix}`, randomTensor([rows], next, scale));
      dict.set(`bias_hh${suffix}`, randomTensor([rows], next, scale));
    }
  }
  return dict;
});

/** The input (L, N, I) and the initial states (layers * directions, N, H). */
export const callArguments = remembered(({ cell, input, hidden, steps, batch, layers, directions }) => {
  const next = uniform(2);
  const stateShape = [layers * directions, batch, hidden];
  return {
    input: randomTensor([steps, batch, input], next, 1),
    h0: randomTensor(stateShape, next, 0.5),
    c0: cell === "lstm" ? randomTensor(stateShape, next, 0.5) : undefined,
  };
});

/**
 * What one call has to do, phase by phase. Each layer and direction has two phases: the product of all
 * inputs, which reads W_ih once, and the steps, which read W_hh at every step. A single step is one phase
 * that reads both.
 *
 * A phase reads `weightBytes` in total, out of a matrix of `workingSet` bytes. Activations are not counted.
 */
export function work({ cell, input, hidden, steps, batch, layers, directions }) {
  const phases = [];
  const rows = GATES[cell] * hidden;
  for (let layer = 0; layer < layers; layer++) {
    const width = layer === 0 ? input : directions * hidden;
    const inputBytes = 4 * rows * width;
    const hiddenBytes = 4 * rows * hidden;
    const inputFlops = 2 * rows * width * steps * batch;
    const hiddenFlops = 2 * rows * hidden * steps * batch;
    for (let direction = 0; direction < directions; direction++) {
      if (steps === 1) {
        const bytes = inputBytes + hiddenBytes;
        phases.push({ flops: inputFlops + hiddenFlops, weightBytes: bytes, workingSet: bytes });
        continue;
      }
      phases.push({ flops: inputFlops, weightBytes: inputBytes, workingSet: inputBytes });
      phases.push({ flops: hiddenFlops, weightBytes: steps * hiddenBytes, workingSet: hiddenBytes });
    }
  }
  return phases;
}
