/** The layers of recurrent nodes: constant weights, packed once for a model, one layer for each direction. */

import { layerSuffix } from "../../formats/layer-suffix.js";
import { type CellOptions, readCellOptions } from "../../formats/onnx/cell-options.js";
import { repeatScales, turnWeights } from "../../formats/onnx/quantized-lstm.js";
import { layerDict } from "../../formats/onnx/recurrent-node.js";
import type { Data, HostTensor } from "../../graph/ir.js";
import type { Call } from "../../graph/operator.js";
import { weights as weightsOf } from "../../graph/operators/quantised-lstm.js";
import { quantizeMatrix, scaleNameOf } from "../../int8/round-weights.js";
import { CELLS } from "../../nn/cell-kinds.js";
import { cellParts } from "../../nn/cell-options.js";
import { Layer } from "../../nn/layer.js";
import type { ParameterData } from "../../tensor/like.js";
import { type StateDict, Tensor } from "../../tensor/tensor.js";
import { isInt8Array } from "../../tensor/typed-array.js";
import type { Block } from "../../wasm/block.js";
import type { Precision } from "../../wasm/precision.js";
import type { Region } from "../../wasm/region.js";
import type { Compiling } from "../operator.js";

export type Kind = keyof typeof CELLS;

/** W (D, G H, I) and R (D, G H, H), and the scales of their rows where they are int8. */
export interface NodeWeights {
  readonly w: Tensor<Float32Array | Int8Array>;
  readonly r: Tensor<Float32Array | Int8Array>;
  readonly scales: { readonly w: Float32Array; readonly r: Float32Array } | undefined;
}

/** What nodes of one W have made of it: their other weights may differ. */
interface Variant {
  readonly others: readonly (Data | undefined)[];
  /** What else tells layers apart. */
  readonly key: string;
  readonly layers: readonly Layer[];
}

/** The inputs beside W that layers are made of: R, B, P, scales and zero points. */
const OTHERS = [2, 3, 7, 8, 9, 10, 11];

/** The layers of a node, forward before reverse; undefined where one of its weights is not constant. */
export function layersOf(
  { call, precision, shared }: Compiling,
  kind: Kind,
  read: (call: Call) => NodeWeights | undefined,
): readonly Layer[] | undefined {
  const [w, r, b, p] = [1, 2, 3, 7].map((at) => call.inputs[at]);
  if (w?.data === undefined || r?.data === undefined) return undefined;
  if ((b !== undefined && b.data === undefined) || (p !== undefined && p.data === undefined))
    return undefined;
  const cells = cellsOf(call, kind, r.shape[0]!);
  if (cells === undefined) return undefined;
  const isReverse = call.text("direction", "forward") === "reverse";
  const key = JSON.stringify([call.node.operator, cells, isReverse, precision]);
  const made = shared(w.data, "layers", (region) => ({ region, variants: [] as Variant[] }));
  const others = OTHERS.map((at) => call.inputs[at]?.data);
  const known = made.variants.find(
    (other) => other.key === key && other.others.every((data, at) => data === others[at]),
  );
  if (known !== undefined) return known.layers;
  const weights = read(call);
  if (weights === undefined) return undefined;
  const layers = pack(made.region, weights, {
    kind,
    cells,
    isReverse,
    precision: precisionOf(weights, precision),
    b: b === undefined ? undefined : floats(b as HostTensor),
    p: p === undefined ? undefined : floats(p as HostTensor),
  });
  made.variants.push({ others, key, layers });
  return layers;
}

/** Weights of eight bits as onnxruntime has them, which are kept where zero points are 0; others become floats. */
export function quantisedWeights(call: Call): NodeWeights | undefined {
  const [w, r, wScale, wZero, rScale, rZero] = [1, 2, 8, 9, 10, 11].map((at) => call.inputs[at]);
  if ([wScale, wZero, rScale, rZero].some((each) => each?.data === undefined)) return undefined;
  const [directions, , rows] = w!.shape as [number, number, number];
  const count = directions * rows;
  const isPlain =
    w!.dtype === "int8" &&
    r!.dtype === "int8" &&
    [wZero, rZero].every((zero) => zero!.data!.every((x) => x === 0)) &&
    [wScale, rScale].every((scale) => scale!.data!.every((x) => x > 0 && Number.isFinite(x)));
  if (!isPlain) return { w: floats(weightsOf(call, 1)), r: floats(weightsOf(call, 2)), scales: undefined };
  return {
    w: turnWeights(w as { data: Int8Array; shape: readonly number[] }),
    r: turnWeights(r as { data: Int8Array; shape: readonly number[] }),
    scales: {
      w: repeatScales(wScale!.data as Float32Array, count),
      r: repeatScales(rScale!.data as Float32Array, count),
    },
  };
}

/** Weights of floats as the node has them. */
export function floatWeights(call: Call): NodeWeights {
  return { w: floats(call.data(1)), r: floats(call.data(2)), scales: undefined };
}

function floats({ data, shape }: HostTensor): Tensor {
  return new Tensor(data as Float32Array, shape);
}

/** The cell of each direction; undefined for attributes that are not those of our cells. */
function cellsOf({ node }: Call, kind: Kind, directions: number): CellOptions[] | undefined {
  try {
    return readCellOptions(
      kind,
      directions,
      (name) => {
        const attribute = node.attributes.get(name);
        switch (attribute?.kind) {
          case "int":
            return { i: attribute.value };
          case "float":
            return { f: attribute.value };
          case "floats":
            return { floats: attribute.value };
          case "strings":
            return { strings: attribute.value };
          default:
            return undefined;
        }
      },
      node.label,
    );
  } catch {
    return undefined;
  }
}

function precisionOf({ w, r, scales }: NodeWeights, asked: Precision): Precision {
  return scales === undefined ? finitePrecision([w, r], asked) : "int8";
}

/** Weights that are not finite have no form of eight bits. Where none is asked for, nobody looks. */
export function finitePrecision(weights: Iterable<Pick<HostTensor, "data">>, asked: Precision): Precision {
  if (asked === "float32") return asked;
  for (const { data } of weights) if (!data.every(Number.isFinite)) return "float32";
  return asked;
}

interface Making {
  readonly kind: Kind;
  readonly cells: readonly CellOptions[];
  readonly isReverse: boolean;
  readonly precision: Precision;
  readonly b: Tensor | undefined;
  readonly p: Tensor | undefined;
}

function pack(
  region: Region,
  { w, r, scales }: NodeWeights,
  { kind, cells, isReverse, precision, b, p }: Making,
): readonly Layer[] {
  const [directions, , hiddenSize] = r.shape as [1 | 2, number, number];
  const layers = cells.map(
    (cell, direction) =>
      new Layer(region, {
        ...cellParts(CELLS[kind], { ...cell, peepholes: p !== undefined }),
        precision,
        inputSize: w.shape[2]!,
        hiddenSize,
        outputSize: hiddenSize,
        bias: b !== undefined,
        reverse: isReverse || direction === 1,
      }),
  );
  const dict = layerDict(
    { kind, directions, hiddenSize, w, r, scales, b, p },
    0,
    b !== undefined,
    // Constants of a graph have been counted.
    { spend: () => {} },
  );
  // The operator has checked all shapes, and the dict is made of them.
  region.borrow(Math.max(...layers.map(({ stagingBytes }) => stagingBytes)), (staging) => {
    for (const [direction, layer] of layers.entries()) {
      storeLayer(layer, staging, dict, layerSuffix(0, direction === 1));
    }
  });
  return layers;
}

/** Packs the parameters of a layer, whose names in the dict end in `suffix`. */
function storeLayer(layer: Layer, staging: Block, dict: StateDict, suffix: string): void {
  const numbers = (name: string) => dict.get(name)!.data as ParameterData;
  for (const { name, shape, int8 } of layer.specs("")) {
    const data = numbers(name + suffix);
    if (!int8) layer.store(staging, name, "weights", data);
    else {
      const { values, scales } = isInt8Array(data)
        ? { values: data, scales: numbers(scaleNameOf(name + suffix)) }
        : quantizeMatrix(data, shape[0]!);
      layer.store(staging, name, "weights", values);
      layer.store(staging, name, "scales", scales);
    }
  }
}
