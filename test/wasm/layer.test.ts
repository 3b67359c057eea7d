/**
 * Ranges, by which threads split a layer: one step made in parts has the bits of one made whole, whichever
 * units a part has. Records are those of a real module, changed here.
 */
import { describe, expect, it } from "vitest";
import { WALK_BYTES } from "../../build/abi.js";
import * as Run from "../../build/records/run.js";
import * as Walk from "../../build/records/walk.js";
import { GRU, LSTM, RNN, Tensor } from "../../src/index.js";
import { currentRuntime } from "../../src/wasm/current.js";

type AnyModule = LSTM | GRU | RNN;

/** Half of the units is a whole number of blocks for every cell, in float32 and in int8. */
const SIZES = { inputSize: 7, hiddenSize: 192 };
const MODULES: [string, () => AnyModule][] = [
  ["LSTM", () => new LSTM(SIZES)],
  ["LSTM with a projection", () => new LSTM({ ...SIZES, projSize: 128 })],
  ["LSTM of int8", () => new LSTM({ ...SIZES, precision: "int8" })],
  ["GRU", () => new GRU(SIZES)],
  ["GRU of int8", () => new GRU({ ...SIZES, precision: "int8" })],
  ["RNN", () => new RNN(SIZES)],
];

/** A layer's records in linear memory, for one step of a batch. */
function recordsOf(module: AnyModule, batch: number) {
  const { stack } = module;
  const runtime = currentRuntime();
  const workspace = stack.workspace(stack.region);
  const layout = workspace.fit({ steps: 1, batch, batchMajor: false, traced: false, masked: undefined });
  workspace.setOrder(undefined);
  const layer = stack.layers[0]!;
  const run = layout.runs[0]!;
  const words = () => new Int32Array(runtime.memory.buffer);
  const field = (place: number) => words()[run / 4 + place]! >>> 0;
  return {
    runtime,
    layout,
    layer,
    run,
    field,
    set: (place: number, value: number) => {
      words()[run / 4 + place] = value;
    },
    /** Sets the blocks that the walk in a field of the run makes. */
    setBlocks: (walk: number, from: number, to: number) => {
      words()[field(walk) / 4 + Walk.fromBlock] = from;
      words()[field(walk) / 4 + Walk.toBlock] = to;
    },
    step: () => runtime.kernels.runLayer(layer.address, run, 1, 0),
  };
}

describe.each([1, 5])("a batch of %i", (batch) => {
  it.each(MODULES)("%s: a step made in two parts has the bits of one made whole", (_, make) => {
    using module = make();
    const { stack } = module;
    const { runtime, layout, layer, field, set, setBlocks, step } = recordsOf(module, batch);
    const states = stack.stateSizes.map((size, which) => Tensor.randn([batch * size], 5 + which).data);
    const begin = () => {
      runtime.write(layout.input, 0, Tensor.randn([batch * SIZES.inputSize], 1).data);
      stack.loadStates(layout, states);
    };
    begin();
    step();
    const expected = [runtime.view(stack.result(layout)).slice(), ...stack.storeStates(layout)];

    // h' goes elsewhere, since the second part reads h.
    begin();
    runtime.view(stack.result(layout)).fill(Number.NaN);
    const h = field(Run.h);
    const nextH = runtime.allocate(batch * layer.hRow);
    set(Run.nextH, nextH.pointer);
    const projected = layer.weightProjection !== undefined;
    const { blocks } = layer.weightHidden;
    expect(blocks % 2).toBe(0);
    const halfUnits = SIZES.hiddenSize / 2;
    const parts = [
      { units: [halfUnits, SIZES.hiddenSize], blocks: [blocks / 2, blocks] },
      { units: [0, halfUnits], blocks: [0, blocks / 2] },
    ] as const;
    for (const { units, blocks: range } of parts) {
      set(Run.fromUnit, units[0]);
      set(Run.toUnit, units[1]);
      set(Run.fromOutput, projected ? 0 : units[0]);
      set(Run.toOutput, projected ? 0 : units[1]);
      setBlocks(Run.inputWalk, range[0], range[1]);
      setBlocks(Run.hiddenWalk, range[0], range[1]);
      if (projected) setBlocks(Run.projectionWalk, 0, 0);
      step();
    }
    // With a projection, threads meet before it: it reads what all units have become.
    if (projected) {
      const half = layer.weightProjection!.blocks / 2;
      set(Run.toUnit, 0);
      set(Run.fromUnit, 0);
      setBlocks(Run.inputWalk, 0, 0);
      setBlocks(Run.hiddenWalk, 0, 0);
      for (const [from, to] of [
        [half, 2 * half],
        [0, half],
      ] as const) {
        setBlocks(Run.projectionWalk, from, to);
        set(Run.fromOutput, (from / half) * (layer.shape.outputSize / 2));
        set(Run.toOutput, (to / half) * (layer.shape.outputSize / 2));
        step();
      }
    }
    set(Run.h, nextH.pointer);
    expect([runtime.view(stack.result(layout)), ...stack.storeStates(layout)]).toEqual(expected);
    set(Run.h, h);
    runtime.free(nextH);
  });
});

it("records have walks of the size that the host gives them", () => {
  expect(WALK_BYTES).toBe(4 * Object.keys(Walk).length);
});
