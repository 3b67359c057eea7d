/** The debug build: a wrong pointer or range ends a call with a message that says which, where others give wrong numbers. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UNARY_NEG } from "../../build/models-abi.js";
import * as Run from "../../build/records/run.js";
import * as Walk from "../../build/records/walk.js";
import { init, LSTM, Tensor } from "../../src/index.js";
import { currentRuntime } from "../../src/wasm/current.js";
import { modelKernels } from "../../src/wasm/models.js";
import { debugBuild } from "../support/debug-build.js";

beforeAll(() => init({ module: debugBuild(), models: debugBuild("models-debug") }));
afterAll(() => init({ deterministic: process.env.WASM_BUILD === "simd" }));

/** A step of an LSTM whose run, or the walk over W_hh, has another number in one field. */
function stepWith(change: { field?: number; walkField?: number; to: (was: number) => number }) {
  using lstm = new LSTM({ inputSize: 3, hiddenSize: 8 });
  const { stack } = lstm;
  const layout = stack
    .workspace(stack.region)
    .fit({ steps: 1, batch: 1, batchMajor: false, traced: false, masked: undefined });
  const { memory } = currentRuntime();
  const words = new Int32Array(memory.buffer);
  const run = layout.runs[0]! / 4;
  const place =
    change.walkField === undefined
      ? run + change.field!
      : words[run + Run.hiddenWalk]! / 4 + change.walkField;
  words[place] = change.to(words[place]!);
  stack.runStep(layout, 0);
}

describe("the debug build", () => {
  it("runs what is right", () => {
    using lstm = new LSTM({ inputSize: 3, hiddenSize: 8, bidirectional: true, projSize: 4 });
    expect(lstm.forward(Tensor.zeros([5, 2, 3]))[0].shape).toEqual([5, 2, 8]);
  });

  it.each([
    ["h past its block", { field: Run.h, to: (was: number) => was + 2 ** 20 }, /not inside one live block/],
    [
      "inputs past their block",
      { field: Run.input, to: (was: number) => was + 2 ** 20 },
      /not inside one live block/,
    ],
    [
      "gates past their block",
      { field: Run.gates, to: (was: number) => was + 2 ** 20 },
      /not inside one live block/,
    ],
    [
      "sums past their block",
      { field: Run.sums, to: (was: number) => was + 2 ** 20 },
      /not inside one live block/,
    ],
    ["h off by a float", { field: Run.h, to: (was: number) => was + 4 }, /not aligned to 16/],
    [
      "more rows than there are",
      { field: Run.batch, to: (): number => 2 ** 20 },
      /not inside one live block/,
    ],
    ["units past the layer's", { field: Run.toUnit, to: (): number => 12 }, /a range past the layer's units/],
    ["units that split a vector", { field: Run.fromUnit, to: (): number => 2 }, /splits a vector of units/],
    [
      "blocks past the matrix's",
      { walkField: Walk.toBlock, to: (): number => 9 },
      /a walk past the matrix's blocks/,
    ],
  ])("says what is wrong with %s", (_, change, message) => {
    expect(() => stepWith(change)).toThrow(message);
  });

  it("says what is wrong with rows to normalise, to pool and to rectify", () => {
    const runtime = currentRuntime();
    const { kernels } = runtime;
    const { pointer, bytes } = runtime.allocate(64);
    const past = pointer + bytes - 16;
    expect(() => kernels.normalize(pointer, 16, 1, pointer, pointer, 0)).not.toThrow();
    expect(() => kernels.normalize(past, 5, 1, pointer, pointer, 0)).toThrow(/not inside one live block/);
    expect(() => kernels.normalize(pointer, 8, 1, pointer, past, 0)).toThrow(/not inside one live block/);
    expect(() => kernels.normalize(pointer, 8, 3, pointer, pointer, 0)).toThrow(/serves part/);
    expect(() => kernels.maxPool1d(pointer, 16, 2, 3, 1, 1)).not.toThrow();
    expect(() => kernels.maxPool1d(pointer, 16, 2, 3, 2, 1)).toThrow(/not inside one live block/);
    expect(() => kernels.rectify(past, 5, 1, 0)).toThrow(/not inside one live block/);
    expect(() => kernels.rectify(pointer, 8, 1, past)).toThrow(/not inside one live block/);
  });

  it("knows the core's blocks in the kernels of models", () => {
    const runtime = currentRuntime();
    const { pointer, bytes } = runtime.allocate(64);
    const { unary } = modelKernels(runtime);
    expect(() => unary(UNARY_NEG, pointer, pointer + 32, 8, 0, 0)).not.toThrow();
    expect(() => unary(UNARY_NEG, pointer, pointer + bytes - 16, 5, 0, 0)).toThrow(/not inside one live/);
    expect(() => unary(UNARY_NEG, pointer + bytes, pointer, 1, 0, 0)).toThrow(/not inside one live block/);
  });

  it("tells a block that is freed twice", () => {
    const runtime = currentRuntime();
    const block = runtime.allocate(16);
    runtime.free(block);
    expect(() => runtime.kernels.free(block.pointer)).toThrow(/not a live block/);
  });
});
