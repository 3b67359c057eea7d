/**
 * A node that is a whole recurrent module, on the kernels of recurrent modules: each layer takes what the one before it
 * gives in [T, N, D, H], as the kernels have it.
 */

import type { Call } from "../../graph/operator.js";
import { CELLS } from "../../nn/cell-kinds.js";
import { cellParts } from "../../nn/cell-options.js";
import { Layer } from "../../nn/layer.js";
import { isReverse } from "../../nn/stack.js";
import { StackParameters, suffixesOf } from "../../nn/stack-parameters.js";
import { selectParameters } from "../../nn/state-dict.js";
import type { Tensor } from "../../tensor/tensor.js";
import { align } from "../../wasm/block.js";
import type { Precision } from "../../wasm/precision.js";
import type { Region } from "../../wasm/region.js";
import type { Runtime } from "../../wasm/runtime.js";
import type { Compiled, Compiling, Place } from "../operator.js";
import { turnMask } from "./recurrent-rows.js";
import { bindLevel, bindRows, inOrder, type KernelCall, type Level, levelScratch } from "./recurrent-run.js";
import { finitePrecision } from "./recurrent-weights.js";

export function compileLayer(compiling: Compiling): Compiled | undefined {
  const { call, runtime } = compiling;
  const { dtype, shape } = call.input(0);
  if (dtype !== "float32" && dtype !== "float64") return undefined;
  const [batch, steps] = shape as [number, number];
  if (compiling.activation !== undefined) return undefined;
  const levels = levelsOf(compiling, batch, steps);
  const width = levels[0]!.layers.length * levels[0]!.layers[0]!.shape.hiddenSize;
  const between = levels.length > 1 ? align(batch * steps * width * 4) : 0;
  const masks = levels[0]!.masked === undefined ? 0 : align(batch * steps * 4);
  const started = masks === 0 ? 0 : align(countOf(levels) * batch * 4);
  const own = Math.max(...levels.map((level) => levelScratch(level, 0).bytes));
  return {
    scratchBytes: own + 2 * between + masks + started,
    bind: (place) => {
      if (batch === 0) return () => {};
      const start = place.scratch + own;
      const rooms = [start, start + between] as const;
      const mask = masks === 0 ? 0 : start + 2 * between;
      return inOrder(bindLevels(call, runtime, levels, place, { rooms, mask, started: mask + masks }));
    },
  };
}

/** Where a node's levels meet: their outputs in turn, and its mask. */
interface Rooms {
  readonly rooms: readonly [number, number];
  readonly mask: number;
  readonly started: number;
}

function bindLevels(
  call: Call,
  runtime: Runtime,
  levels: readonly Level[],
  place: Place,
  { rooms, mask, started }: Rooms,
): KernelCall[] {
  const { steps, batch, layers } = levels[0]!;
  const state = layers.length * batch * layers[0]!.shape.hiddenSize * 4;
  const rows = bindRows(levels[0]!, place);
  const calls: KernelCall[] = [];
  if (mask !== 0) {
    const count = countOf(levels) * batch;
    const begins = call.text("maskedOutput", "repeat") === "state";
    calls.push(turnMask(runtime, { from: place.input(1), to: mask, steps, batch, started, count, begins }));
  }
  const given = (at: number, level: number) => (call.has(at) ? place.input(at) + level * state : 0);
  const wanted = (at: number, level: number) =>
    call.node.outputs[at] === undefined ? 0 : place.output(at) + level * state;
  for (const [at, level] of levels.entries()) {
    const isLast = at === levels.length - 1;
    const bound = bindLevel(level, place, place.scratch, {
      rows,
      input: at === 0 ? place.input(0) : rooms[(at - 1) % 2]!,
      output: isLast ? place.output(0) : rooms[at % 2]!,
      given: [given(2, at), given(3, at)],
      wanted: [wanted(1, at), wanted(2, at)],
      mask,
      started: started + at * layers.length * batch * 4,
    });
    calls.push(...bound);
  }
  return calls;
}

const countOf = (levels: readonly Level[]) => levels.length * levels[0]!.layers.length;

function levelsOf(compiling: Compiling, batch: number, steps: number): Level[] {
  const { call, runtime } = compiling;
  const { options } = call.layer("layer");
  const layers = layersOf(compiling);
  const directions = options.bidirectional ? 2 : 1;
  const last = options.numLayers - 1;
  const mask = call.inputs[1];
  const isMasked = mask !== undefined && !mask.data?.every((flag) => flag !== 0);
  const repeats = call.text("maskedOutput", "repeat") !== "zeros";
  return Array.from({ length: options.numLayers }, (_, at) => ({
    runtime,
    layers: layers.slice(at * directions, (at + 1) * directions),
    steps,
    batch,
    input: at === 0 ? "batch" : "time",
    output: at === last ? "batch" : "time",
    states: "directions",
    isTurned: at === last && options.goBackwards && last % 2 === 0,
    isRead: at < last || call.node.outputs[0] !== undefined,
    hasLengths: false,
    masked: !isMasked ? undefined : repeats ? "repeat" : "zeros",
  }));
}

/** The layers of a node, packed once for all nodes and plans of the module. */
function layersOf({ call, precision, shared }: Compiling): readonly Layer[] {
  const { stateDict } = call.layer("layer");
  const { data } = stateDict.get("weight_ih_l0")!;
  return shared(data as Float32Array, `layer of ${precision}`, (region) => pack(region, call, precision));
}

function pack(region: Region, call: Call, asked: Precision): readonly Layer[] {
  const { kind, stateDict, options } = call.layer("layer");
  const { inputSize, hiddenSize, numLayers, bidirectional, bias } = options;
  const directions = bidirectional ? 2 : 1;
  const precision = finitePrecision(stateDict.values() as Iterable<Tensor>, asked);
  const layers = Array.from(
    { length: numLayers * directions },
    (_, at) =>
      new Layer(region, {
        ...cellParts(CELLS[kind], options),
        precision,
        inputSize: at < directions ? inputSize : directions * hiddenSize,
        hiddenSize,
        outputSize: hiddenSize,
        bias,
        reverse: isReverse({ ...options, directions }, at),
      }),
  );
  const parameters = new StackParameters({ layers, region }, suffixesOf({ numLayers, directions }));
  parameters.store(selectParameters(call.node.label, parameters.specs(), stateDict, {}));
  return layers;
}
