/**
 * Modules that a program makes and forgets, in a process of their own without --expose-gc: V8 collects when it likes.
 * Needs `npm run build`.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { reliabilityRow } from "../support/reliability.js";

const index = new URL("../../dist/index.js", import.meta.url).href;
const MOST_BYTES = 256e6;

/** Makes `count` of what `make` says; after each `wait`. Prints the most that memoryUsage said. */
const program = (make: string, count: number, wait: string) => `
import { GRU, LSTM, Linear, memoryUsage } from ${JSON.stringify(index)};
const zeros = (...shape) => ({ data: new Float32Array(shape[0] * shape[1]), shape });
const weights = (inputs, units) => ({ weight_ih_l0: zeros(4 * units, inputs), weight_hh_l0: zeros(4 * units, units) });
const large = weights(128, 300);
const small = weights(32, 32);
const int8 = (() => {
  const module = LSTM.fromStateDict(large, { precision: "int8" });
  const dict = module.stateDict();
  module.dispose();
  return dict;
})();
const gru = new GRU({ inputSize: 4, hiddenSize: 8 });
const sequence = { data: new Float32Array(64 * 5000), shape: [5000, 1, 64] };
let most = 0;
let sum = 0;
for (let turn = 0; turn < ${count}; turn++) {
  const { bytes } = memoryUsage();
  ${make};
  sum += memoryUsage().bytes - bytes;
  ${wait};
  most = Math.max(most, memoryUsage().memory);
}
console.log(JSON.stringify({ most, sum }));
`;

const NEXT_TURN = "await new Promise((resolve) => setImmediate(resolve))";

function run(make: string, count: number, wait: string): { most: number; sum: number } {
  const argv = ["--input-type=module", "--eval", program(make, count, wait)];
  return JSON.parse(
    execFileSync(process.execPath, argv, { cwd: fileURLToPath(new URL(".", index)), encoding: "utf8" }),
  );
}

const KINDS = [
  ["modules of 2 MiB", "LSTM.fromStateDict(large)", 300],
  [
    "modules of 2 MiB with PyTorch's initial weights",
    "new Linear({ inFeatures: 700, outFeatures: 750 })",
    150,
  ],
  ["modules of 0.5 MB in int8", "LSTM.fromStateDict(int8)", 700],
  ["modules of 33 KB", "LSTM.fromStateDict(small)", 12_000],
  ["streams of 1.4 MB", "gru.stream({ batchSize: 4000 })", 500],
  [
    "modules with the buffers of a long call",
    "new GRU({ inputSize: 64, hiddenSize: 8, bidirectional: true }).forward(sequence)",
    250,
  ],
] as const;

describe("a loop that forgets what it makes, and awaits the event loop once for each", () => {
  const survived: string[] = [];

  it.each(KINDS)("keeps linear memory below 256 MB: %s", (kind, make, count) => {
    const { most, sum } = run(make, count, NEXT_TURN);
    // More than may be held is made, or the loop would show nothing.
    expect(sum).toBeGreaterThan(MOST_BYTES);
    expect(most).toBeLessThan(MOST_BYTES);
    survived.push(kind);
  });

  it("is on docs/reliability.md", () => {
    reliabilityRow({
      attack: "Loops that forget modules and streams, awaiting the event loop once for each",
      tried: KINDS.length,
      survived: survived.length,
      note: "linear memory stays below 256 MB; without an await only `dispose()` and `using` free",
    });
  });
});

it("a loop that never yields is held down by dispose() alone", () => {
  const { most, sum } = run("LSTM.fromStateDict(large).dispose()", 300, "");
  expect(sum).toBe(0);
  expect(most).toBeLessThan(32e6);
});
