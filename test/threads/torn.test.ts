/** A worker that is put aside while it reads a job, and goes on when that job is over and another one is made. */
import { afterEach, expect, it } from "vitest";
import { LSTM, Tensor } from "../../src/index.js";
import { callUntil, endPools, poolOf, use } from "../support/pools.js";
import { expectSameBits } from "../support/tensors.js";
import { pausedProgram } from "./paused.js";

/** The load that it is put aside before, counted down to 0; and whether it is. */
const [LEFT, ASIDE] = [0, 1];
const PAUSE = `const words = require("node:worker_threads").workerData.words;
const place = { pause() {
  if (Atomics.load(words, ${LEFT}) === 0 || Atomics.sub(words, ${LEFT}, 1) !== 1) return;
  Atomics.store(words, ${ASIDE}, 1);
  Atomics.wait(words, ${ASIDE}, 1);
},`;
/** Half of the loads by which a job of one lane is read. */
const LOADS = 24;

afterEach(endPools);

it("takes no part of a job that it has half read", async () => {
  const make = () => [96, 160].map((hiddenSize) => new LSTM({ inputSize: 8, hiddenSize }));
  const [first, second] = make() as [LSTM, LSTM];
  const inputs = [Tensor.randn([60, 8], 1), Tensor.randn([200, 8], 2)] as const;
  const expected = [first.forward(inputs[0])[0], second.forward(inputs[1])[0]] as const;
  const words = new Int32Array(new SharedArrayBuffer(8));
  const pool = poolOf(2, { put: ["const place = {", PAUSE], sharing: pausedProgram("i64"), words });
  await use(pool, 2);
  const [before, after] = make() as [LSTM, LSTM];
  before.loadStateDict(first.stateDict());
  after.loadStateDict(second.stateDict());
  for (let load = 1; load <= LOADS; load++) {
    for (let turn = 0; turn < 3; turn++) {
      Atomics.store(words, LEFT, load);
      await callUntil(
        () => expectSameBits(before.forward(inputs[0])[0], expected[0]),
        () => Atomics.load(words, ASIDE) === 1,
      );
      Atomics.store(words, ASIDE, 0);
      Atomics.notify(words, ASIDE);
      expectSameBits(after.forward(inputs[1])[0], expected[1], `before load ${load}`);
    }
  }
  expect(pool.failure).toBeUndefined();
});
