/**
 * Memory of whole models: loading, running, streaming and disposing leave it where it was, however often. What throws on
 * the way, be it a file, an input or a callback, leaves nothing allocated.
 */
import { describe, expect, it } from "vitest";
import { loadKeras, loadOnnx } from "../../src/models/index.js";
import { currentRuntime, memoryUsage } from "../../src/wasm/current.js";
import { floats, modelOf, node } from "../support/onnx-writer.js";
import { caseOf, inputsFor, kerasFile } from "./keras/cases.js";

const ROUNDS = 100;

/** A GRU over two steps, with its state as an input and an output. */
const GRU = modelOf({
  inputs: [
    { name: "x", shape: [2, "n", 3] },
    { name: "h", shape: [1, "n", 4] },
  ],
  outputs: ["y", "hN"],
  initializers: [
    floats(
      "w",
      [1, 12, 3],
      Array.from({ length: 36 }, (_, at) => Math.sin(at)),
    ),
    floats(
      "r",
      [1, 12, 4],
      Array.from({ length: 48 }, (_, at) => Math.cos(at)),
    ),
  ],
  nodes: [node("GRU", ["x", "w", "r", "", "", "h"], ["rows", "hN"]), node("Relu", ["rows"], ["y"])],
});

const causal = caseOf("k3", "causal");
const FILE = kerasFile(causal.files[0]!);
const [ids] = causal.inputs[0]!;
/** Its shapes are fixed, so that it is planned while it is loaded. */
const FIXED = kerasFile(caseOf("k3", "stateful").files[0]!);
const STEP = { data: Float32Array.of(1), shape: [1, 1] };

/** What is allocated; `memory` has also what the heap keeps for later. */
const inUse = () => ({ ...memoryUsage(), live: currentRuntime().liveBytes });

/** Calls until each variant has run, then as often as said, and expects memory where it was. */
function staysPut(times: number, call: (turn: number) => void): void {
  for (let turn = 0; turn < 12; turn++) call(turn);
  const before = inUse();
  for (let turn = 0; turn < times; turn++) call(turn);
  expect(inUse()).toEqual(before);
}

/** Expects an error, after which no more is allocated than before. */
function leavesNothing(call: () => unknown): void {
  const { memory: _, ...before } = inUse();
  expect(call).toThrow();
  expect(inUse()).toMatchObject(before);
}

describe("100 rounds leave memory where it was", () => {
  it("of a Keras model that is loaded, run, streamed and freed", () => {
    staysPut(ROUNDS, (turn) => {
      const model = loadKeras(FILE, { precision: turn % 3 === 0 ? "int8" : "float32" });
      model.run(inputsFor(model, [ids!]));
      const { plans } = model.memory;
      model.run(inputsFor(model, [ids!]));
      expect(model.memory.plans).toBe(plans);
      const stream = model.stream();
      for (let step = 0; step < 3; step++) stream.step(STEP);
      if (turn % 2 === 0) stream.clone().dispose();
      else stream.dispose();
      model.dispose();
    });
  });

  it("of an ONNX model that is loaded, run, streamed and freed", () => {
    staysPut(ROUNDS, (turn) => {
      const count = 1 + (turn % 6);
      const shapes = turn % 2 === 0 ? { x: [2, count, 3], h: [1, count, 4] } : {};
      const model = loadOnnx(GRU, { precision: turn % 3 === 0 ? "int8" : "float32", shapes });
      const x = { data: new Float32Array(6 * count).fill(1), shape: [2, count, 3] };
      model.run({ x, h: { data: new Float32Array(4 * count), shape: [1, count, 4] } });
      const { plans } = model.memory;
      const stream = model.stream({ h: "hN" });
      for (let step = 0; step < 3; step++) stream.step({ x });
      expect(model.memory.plans).toBe(plans);
      model.dispose();
      expect(model.memory).toEqual({ weights: 0, plans: 0 });
    });
  });

  it("of one model whose runs and steps take turns", () => {
    using model = loadKeras(FILE);
    using stream = model.stream();
    const { weights } = model.memory;
    staysPut(ROUNDS, (turn) => {
      model.run(inputsFor(model, [ids!]));
      stream.step(STEP);
      if (turn % 10 === 0) stream.reset();
    });
    expect(model.memory.weights).toBeGreaterThanOrEqual(weights);
  });
});

describe("what throws leaves nothing allocated", () => {
  it("a file that is cut off", () => {
    for (let end = 0; end < FILE.length; end += 997) leavesNothing(() => loadKeras(FILE.subarray(0, end)));
    for (let end = 1; end < GRU.length; end += 17) leavesNothing(() => loadOnnx(GRU.subarray(0, end)));
  });

  it("onProgress at each of its calls", () => {
    for (const load of [
      (onProgress: () => void) => loadKeras(FIXED, { onProgress }),
      (onProgress: () => void) => loadOnnx(GRU, { shapes: { x: [2, 1, 3], h: [1, 1, 4] }, onProgress }),
    ]) {
      let calls = 0;
      load(() => calls++).dispose();
      expect(calls).toBeGreaterThan(1);
      for (let at = 1; at <= calls; at++) {
        let left = at;
        leavesNothing(() =>
          load(() => {
            if (--left === 0) throw new Error("enough");
          }),
        );
      }
    }
  });

  it("an input that is missing, unknown, of another shape or of another type", () => {
    using model = loadKeras(FILE);
    using stream = model.stream();
    model.run(inputsFor(model, [ids!]));
    stream.step(STEP);
    const { name } = model.inputs[0]!;
    for (const wrong of [
      {},
      { other: STEP },
      { [name]: "x" },
      { [name]: { data: [1], shape: [1, 1, 1] } },
      null,
    ]) {
      leavesNothing(() => model.run(wrong as never));
      leavesNothing(() => stream.step(wrong as never));
    }
  });

  it("a run that a node cannot take, for whose shapes a plan was begun", () => {
    using model = loadOnnx(GRU);
    const h = { data: new Float32Array(8), shape: [1, 2, 4] };
    for (let turn = 0; turn < 5; turn++) {
      leavesNothing(() => model.run({ x: { data: new Float32Array(18), shape: [2, 3, 3] }, h }));
    }
  });
});
