/** Nodes that are recurrent modules: beside the modules themselves, and beside their evaluation on the host. */
import { describe, expect, it } from "vitest";
import { layerOptions } from "../../../src/formats/layer-options.js";
import type { Graph, HostTensor, RecurrentLayer } from "../../../src/graph/ir.js";
import { GRU, LSTM, RNN, Tensor } from "../../../src/index.js";
import { compileLayer } from "../../../src/models/kernels/layer.js";
import { Model } from "../../../src/models/model.js";
import { Layer } from "../../../src/models/operators/layer.js";
import { Store } from "../../../src/models/store.js";
import { modelRuntimes } from "../../../src/wasm/current.js";
import { checkKernels, integers, type KernelCase, onHost, random, runKernels } from "./harness.js";

const MODULES = { LSTM, GRU, RNN };
type Kind = keyof typeof MODULES;
const KINDS = Object.keys(MODULES) as Kind[];
type Options = Partial<RecurrentLayer["options"]>;

interface Given {
  readonly steps?: number;
  readonly batch?: number;
  readonly mask?: "repeat" | "state" | "zeros" | undefined;
  readonly states?: boolean;
  readonly precision?: "float32" | "int8";
  readonly seed?: number;
}

/** A layer of random weights. */
function layerOf(kind: Kind, given: Options, seed = 1): RecurrentLayer {
  const options = layerOptions(kind, { inputSize: 5, hiddenSize: 7, ...given });
  const { projSize: _, peepholes, ...rest } = options;
  using module = new MODULES[kind]({ ...rest, ...(peepholes ? { peepholes } : {}) } as never);
  const stateDict = new Map(
    Array.from(module.stateDict(), ([name, { shape }], at): [string, Tensor] => {
      const { data } = Tensor.randn(shape, seed * 100 + at);
      return [
        name,
        new Tensor(
          data.map((x) => x * 0.3),
          shape,
        ),
      ];
    }),
  );
  return { kind, stateDict, options };
}

function nodeOf(layer: RecurrentLayer, given: Given = {}): KernelCase {
  const { steps = 6, batch = 3, mask, states = false, precision = "float32", seed = 1 } = given;
  const { inputSize, hiddenSize, numLayers, bidirectional } = layer.options;
  const shape = [numLayers * (bidirectional ? 2 : 1), batch, hiddenSize];
  const state = (from: number) => (states ? random(shape, from) : undefined);
  return {
    operator: "lstm-wasm.Layer",
    attributes: { layer, maskedOutput: mask ?? "repeat" },
    inputs: [
      random([batch, steps, inputSize], seed),
      mask === undefined ? undefined : random([batch, steps], seed + 1, "bool"),
      state(seed + 2),
      layer.kind === "LSTM" ? state(seed + 3) : undefined,
    ],
    constants: [],
    outputs: layer.kind === "LSTM" ? 3 : 2,
    precision,
  };
}

/** What the module itself gives: output, hN and cN. */
function byModule({ kind, stateDict, options }: RecurrentLayer, node: KernelCase): HostTensor[] {
  const { activation, recurrentActivation, cellActivation, inputForget, cellClip } = options;
  const { resetAfter, nonlinearity, clip, reverse, goBackwards } = options;
  const of = {
    LSTM: { activation, recurrentActivation, cellActivation, inputForget, cellClip },
    GRU: { activation, recurrentActivation, resetAfter },
    RNN: { nonlinearity },
  }[kind];
  const common = { clip, reverse, goBackwards, batchFirst: true, precision: node.precision };
  using module = MODULES[kind].fromStateDict(stateDict, { ...common, ...of } as never);
  const [x, mask, h0, c0] = node.inputs.map((input) => input as Tensor | undefined);
  const initial = h0 === undefined ? undefined : kind === "LSTM" ? [h0, c0] : h0;
  const masked = node.attributes!.maskedOutput;
  const call = mask === undefined ? undefined : { mask, maskedOutput: masked };
  const [output, state] = module.forward(x as never, initial as never, call as never);
  const states = (Array.isArray(state) ? state : [state]) as Tensor[];
  return [output, ...states].map(({ data, shape }) => ({ dtype: "float32", shape, data }));
}

/** Beside the module the same bits, beside the host within a tolerance. */
function check(layer: RecurrentLayer, given: Given = {}): void {
  const node = nodeOf(layer, given);
  // The module has no such rows.
  const expected = given.mask === "state" ? runKernels(node, compileLayer)! : byModule(layer, node);
  for (const offset of [0, 1]) {
    const results = runKernels({ ...node, offset }, compileLayer)!;
    for (const [at, { shape, data }] of results.entries()) {
      expect(shape).toEqual(expected[at]!.shape);
      expect(data).toEqual(expected[at]!.data);
    }
  }
  if (given.precision !== "int8") checkKernels(node, compileLayer);
}

describe.each(KINDS)("a node of %s", (kind) => {
  it("gives the bits of the module, in one direction and both, of one layer and several", () => {
    for (const direction of [{}, { reverse: true }, { goBackwards: true }, { bidirectional: true }]) {
      for (const numLayers of [1, 2, 3]) {
        for (const batch of [1, 3]) {
          const layer = layerOf(kind, { ...direction, numLayers, hiddenSize: batch === 1 ? 8 : 7 });
          check(layer, { batch });
          check(layer, { batch, states: true });
          check(layer, { batch, states: true, mask: "repeat" });
          check(layer, { batch, mask: "zeros" });
        }
      }
    }
  });

  it("runs one step, many steps, many rows, no row", () => {
    check(layerOf(kind, { bidirectional: true }), { steps: 1, states: true, mask: "zeros" });
    check(layerOf(kind, { goBackwards: true }), { steps: 150, batch: 2, mask: "repeat" });
    check(layerOf(kind, { hiddenSize: 33, inputSize: 1, numLayers: 2 }), { batch: 40, mask: "repeat" });
    checkKernels(nodeOf(layerOf(kind, { bidirectional: true }), { batch: 0, mask: "zeros" }), compileLayer);
    checkKernels(nodeOf(layerOf(kind, { goBackwards: true }), { steps: 0, states: true }), compileLayer);
  });

  it("has weights of eight bits, but those that are not finite", () => {
    const layer = layerOf(kind, { inputSize: 40, hiddenSize: 24, numLayers: 2, bidirectional: true });
    check(layer, { precision: "int8", mask: "zeros", states: true });
    const node = nodeOf(layer);
    const exact = runKernels(node, compileLayer);
    expect(runKernels({ ...node, precision: "int8" }, compileLayer)).not.toEqual(exact);
    layer.stateDict.get("weight_hh_l1")!.data[3] = Number.NaN;
    const wrong = runKernels(node, compileLayer);
    expect(runKernels({ ...node, precision: "int8" }, compileLayer)).toEqual(wrong);
  });

  it("makes outputs that are read, whichever they are", () => {
    const node = nodeOf(layerOf(kind, { numLayers: 2, goBackwards: true }), { states: true, mask: "repeat" });
    const all = runKernels(node, compileLayer)!;
    for (let output = 0; output < all.length; output++) {
      const results = runKernels(node, (compiling) => {
        const outputs = compiling.call.node.outputs.map((value, at) => (at === output ? value : undefined));
        Object.assign(compiling.call, { node: { ...compiling.call.node, outputs } });
        return compileLayer(compiling);
      })!;
      expect(results[output]).toEqual(all[output]);
    }
  });

  it("runs sixty random nodes", () => {
    const below = integers(KINDS.indexOf(kind) + 3);
    const flag = () => below(2) === 1;
    const names = ["tanh", "sigmoid", "relu", "softsign", "softplus", "elu", "selu", "gelu", "silu"] as const;
    const activation = () => names[below(names.length)]!;
    for (let seed = 0; seed < 60; seed++) {
      const turn = [{}, { reverse: true }, { goBackwards: true }, { bidirectional: true }][below(4)]!;
      const own = {
        LSTM: {
          activation: activation(),
          recurrentActivation: { name: "hardSigmoid", alpha: 0.2, beta: 0.5 },
          cellActivation: activation(),
          inputForget: flag(),
          peepholes: flag(),
          ...(flag() ? { cellClip: 0.5 } : {}),
        },
        GRU: { activation: activation(), recurrentActivation: "sigmoid", resetAfter: flag() },
        RNN: { nonlinearity: activation() },
      } as const;
      const options = {
        ...turn,
        ...(flag() ? own[kind] : {}),
        inputSize: 1 + below(12),
        hiddenSize: 1 + below(12),
        numLayers: 1 + below(3),
        bias: flag(),
        ...(flag() ? { clip: 0.6 } : {}),
      };
      const mask = ([undefined, "repeat", "state", "zeros"] as const)[below(4)];
      const given = { steps: 1 + below(7), batch: 1 + below(4), states: flag(), mask, seed };
      check(layerOf(kind, options, seed), given);
    }
  });
});

describe("a node of a recurrent module", () => {
  const layer = layerOf("GRU", { goBackwards: true });

  it("has every activation of modules on the host", () => {
    const constants = { alpha: 0.3, beta: 0.7 };
    const names = [
      ...["tanh", "sigmoid", "relu", "linear", "softsign", "softplus", "selu", "exponential", "gelu", "silu"],
      ...["mish", "leakyRelu", "relu6", "hardSilu", "logSigmoid", "squareplus", "hardTanh", "tanhShrink"],
      ...["softShrink", "hardShrink", "thresholdedRelu", "scaledTanh", "affine", "elu", "celu"],
      ...["hardSilu", "affine", "hardSigmoid"].map((name) => ({ name, ...constants })),
      ...["elu", "celu", "leakyRelu", "softShrink"].map((name) => ({ name, alpha: 0.3 })),
    ];
    for (const nonlinearity of names) check(layerOf("RNN", { nonlinearity } as Options), { steps: 2 });
  });

  it("takes a mask that is constant, and runs as without it where all steps count", () => {
    const node = nodeOf(layer, { mask: "zeros" });
    checkKernels({ ...node, constants: [1] }, compileLayer);
    const [x, mask] = node.inputs;
    const all = { ...mask!, data: new Uint8Array(mask!.data.length).fill(1) };
    const whole = runKernels({ ...node, inputs: [x, all], constants: [1] }, compileLayer);
    expect(whole).toEqual(runKernels(nodeOf(layer), compileLayer));
  });

  it("is evaluated on the host for halves", () => {
    const node = nodeOf(layer);
    const half = node.inputs.map((input) => input && { ...input, dtype: "float16" as const });
    expect(runKernels({ ...node, inputs: half }, compileLayer)).toBeUndefined();
    expect(onHost({ ...node, inputs: half })[0]!.dtype).toBe("float16");
  });

  it("refuses what does not fit", () => {
    const node = nodeOf(layer, { mask: "zeros", states: true });
    const but = (at: number, input: HostTensor) => {
      const inputs = [...node.inputs];
      inputs[at] = input;
      return () => onHost({ ...node, inputs });
    };
    expect(but(0, random([3, 6, 4], 1))).toThrow(/input of shape \[3, 6, 4\]; expected \(N, T, 5\)/);
    expect(but(1, random([3, 5], 1, "bool"))).toThrow(/input 1 of shape \[3, 5\]; expected \[3, 6\]/);
    expect(but(1, random([3, 6], 1))).toThrow(/input 1 of float32 is not supported/);
    expect(but(2, random([1, 2, 7], 1))).toThrow(/input 2 of shape \[1, 2, 7\]; expected \[1, 3, 7\]/);
    const other = (options: Options, dict = layer.stateDict) => {
      const changed = { ...layer, stateDict: dict, options: { ...layer.options, ...options } };
      return () => onHost(nodeOf(changed));
    };
    expect(other({ projSize: 3 })).toThrow(/a projection is not supported/);
    expect(other({ initialState: true })).toThrow(/an initial state in the weights is not supported/);
    expect(other({ activation: "no" as "tanh" })).toThrow(/activation "no" is not supported/);
    expect(other({}, new Map())).toThrow(/weights: weight_ih_l0 is missing/);
    expect(other({ hiddenSize: 8 })).toThrow(/weights: weight_ih_l0 of shape \[21, 5\]; expected \[24, 5\]/);
    const masked = { layer, maskedOutput: "no" };
    expect(() => onHost({ ...node, attributes: masked })).toThrow(/masked output no/);
    expect(() => onHost({ ...node, attributes: {} })).toThrow(/attribute layer is missing/);
  });

  it("keeps its packed weights as long as the model, in every plan", () => {
    const x = { name: "x" };
    const y = { name: "y" };
    const node = {
      name: "gru",
      operator: "lstm-wasm.Layer",
      opset: 28,
      label: 'keras: layer "gru" (GRU)',
      inputs: [x],
      outputs: [y],
      attributes: new Map([["layer", { kind: "layer", value: layer } as const]]),
    };
    const graph: Graph = {
      name: "",
      inputs: [{ name: "x", value: x, dtype: "float32", shape: [-1, -1, 5] }],
      outputs: [{ name: "y", value: y }],
      nodes: [node],
    };
    using model = new Model({
      graph,
      warnings: [],
      operators: [],
      declared: new Map([["x", graph.inputs[0]!]]),
      constants: new Map(),
      onProgress: undefined,
      store: (owner) =>
        new Store(graph, new Map([["lstm-wasm.Layer", Layer]]), modelRuntimes(), owner, {
          precision: "float32",
          rewrites: [],
        }),
    });
    const sizes = [1, 2, 3, 4, 5, 6, 1];
    const weights = sizes.map((batch) => {
      const input = random([batch, 4, 5], batch);
      const [expected] = byModule(layer, { ...nodeOf(layer), inputs: [input] });
      expect(model.run({ x: input as never }).y!.data).toEqual(expected!.data);
      return model.memory.weights;
    });
    expect(new Set(weights).size).toBe(1);
    expect(weights[0]).toBeGreaterThan(0);
  });
});
