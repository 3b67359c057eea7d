/** Recurrent nodes on the kernels of recurrent modules, beside their evaluation on the host. */
import { describe, expect, it } from "vitest";
import type { Data, HostTensor } from "../../../src/graph/ir.js";
import {
  compileDynamicQuantizeLSTM,
  compileGRU,
  compileLSTM,
  compileRNN,
} from "../../../src/models/kernels/recurrent.js";
import { currentRuntime } from "../../../src/wasm/current.js";
import { Region } from "../../../src/wasm/region.js";
import {
  type AttributeValue,
  checkKernels,
  integers,
  type KernelCase,
  random,
  runKernels,
  tensor,
} from "./harness.js";

const COMPILE = { LSTM: compileLSTM, GRU: compileGRU, RNN: compileRNN };
const GATES = { LSTM: 4, GRU: 3, RNN: 1 };
const FUNCTIONS = { LSTM: 3, GRU: 2, RNN: 1 };
type Kind = keyof typeof COMPILE;
const KINDS = Object.keys(COMPILE) as Kind[];

interface Sizes {
  readonly steps?: number;
  readonly batch?: number;
  readonly inputs?: number;
  readonly hidden?: number;
}

interface Given {
  readonly direction?: "forward" | "reverse" | "bidirectional";
  readonly layout?: 0 | 1;
  readonly bias?: boolean;
  readonly lengths?: readonly number[];
  readonly h?: boolean;
  readonly c?: boolean;
  readonly peepholes?: boolean;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

function scaled(shape: readonly number[], seed: number, by: number): HostTensor {
  const made = random(shape, seed);
  return { ...made, data: made.data.map((x: number) => x * by) as Float32Array };
}

/** A node of random weights, all of whose outputs are read. */
function nodeOf(
  kind: Kind,
  { steps = 5, batch = 3, inputs = 6, hidden = 5 }: Sizes,
  { direction = "forward", layout = 0, bias = true, lengths, h, c, peepholes, attributes = {} }: Given,
): KernelCase {
  const directions = direction === "bidirectional" ? 2 : 1;
  const rows = GATES[kind] * hidden;
  const state = layout === 0 ? [directions, batch, hidden] : [batch, directions, hidden];
  const all = [
    random(layout === 0 ? [steps, batch, inputs] : [batch, steps, inputs], 1),
    scaled([directions, rows, inputs], 2, 0.2),
    scaled([directions, rows, hidden], 3, 0.2),
    bias ? scaled([directions, 2 * rows], 4, 0.2) : undefined,
    lengths && tensor(lengths, [batch], "int32"),
    h ? scaled(state, 5, 0.3) : undefined,
    kind === "LSTM" && c ? scaled(state, 6, 0.3) : undefined,
    peepholes ? scaled([directions, 3 * hidden], 7, 0.2) : undefined,
  ];
  return {
    operator: kind,
    opset: 14,
    attributes: { hidden_size: hidden, direction, layout, ...attributes },
    inputs: kind === "LSTM" ? all : all.slice(0, 6),
    constants: [1, 2, 3, 7],
    outputs: kind === "LSTM" ? 3 : 2,
  };
}

describe.each(KINDS)("%s", (kind) => {
  const check = (sizes: Sizes, given: Given) => checkKernels(nodeOf(kind, sizes, given), COMPILE[kind]);

  it.each(["forward", "reverse", "bidirectional"] as const)("runs %s, in both layouts", (direction) => {
    for (const layout of [0, 1] as const) {
      for (const batch of [1, 3]) {
        for (const h of [false, true]) check({ batch, hidden: 8 }, { direction, layout, h, c: h });
        check({ batch, hidden: 5, steps: 1 }, { direction, layout, h: true, c: true });
      }
    }
  });

  it("runs a long sequence, many rows, no step, no row, without a bias", () => {
    check({ steps: 150, batch: 2, hidden: 4 }, { direction: "bidirectional" });
    check({ steps: 3, batch: 40, hidden: 33, inputs: 1 }, {});
    check({ steps: 0 }, { h: true, c: true });
    check({ steps: 0, hidden: 8 }, { direction: "bidirectional", layout: 1 });
    check({ batch: 0 }, {});
    check({}, { bias: false });
  });

  it("runs rows of lengths that are known at run time", () => {
    for (const direction of ["forward", "reverse", "bidirectional"] as const) {
      for (const layout of [0, 1] as const) {
        check({ batch: 4, hidden: 8 }, { direction, layout, lengths: [2, 5, 0, 3], h: true, c: true });
      }
    }
    check({ batch: 2 }, { lengths: [5, 5] });
    check({ batch: 1, hidden: 8 }, { lengths: [3] });
  });

  it("has every activation, with constants", () => {
    const names = [
      ["Relu", "Softsign", "Softplus"],
      ["HardSigmoid", "Affine", "ScaledTanh"],
      ["Sigmoid", "LeakyRelu", "Elu"],
      ["sigmoid", "tanh", "ThresholdedRelu"],
    ];
    for (const activations of names) {
      check({}, { attributes: { activations: activations.slice(-FUNCTIONS[kind]) } });
    }
    const activations = ["HardSigmoid", "Affine", "ScaledTanh"].slice(-FUNCTIONS[kind]);
    const [activation_alpha, activation_beta] = [
      [0.3, 0.9, 0.8].slice(-FUNCTIONS[kind]),
      [0.4, 0.1, 1.2].slice(-FUNCTIONS[kind]),
    ];
    check({}, { attributes: { activations, activation_alpha, activation_beta } });
  });

  it("has directions of different activations", () => {
    const two = [
      ["Sigmoid", "Tanh", "Relu"],
      ["HardSigmoid", "Softsign", "Tanh"],
    ];
    const activations = two.flatMap((names) => names.slice(-FUNCTIONS[kind]));
    check({}, { direction: "bidirectional", attributes: { activations } });
  });

  it("clips, where the bound is above 0", () => {
    check({}, { attributes: { clip: 0.4 } });
    check({}, { attributes: { clip: 0 } });
  });

  it("is evaluated on the host where a weight is not constant, or of another type", () => {
    const node = nodeOf(kind, {}, {});
    for (const constants of [[], [1, 3], [1, 2], [2, 3]]) {
      expect(runKernels({ ...node, constants }, COMPILE[kind])).toBeUndefined();
    }
    const half = node.inputs.map((input) => input && { ...input, dtype: "float16" as const });
    expect(runKernels({ ...node, inputs: half }, COMPILE[kind])).toBeUndefined();
  });

  it("makes outputs that are read, whichever they are", () => {
    for (const sizes of [{ hidden: 8 }, { hidden: 5, batch: 1 }]) {
      const node = nodeOf(kind, sizes, { h: true, c: true, direction: "bidirectional" });
      const all = runKernels(node, COMPILE[kind])!;
      for (let output = 0; output < all.length; output++) {
        // Others are left out of the node.
        const results = runKernels(node, (compiling) => {
          const outputs = compiling.call.node.outputs.map((value, at) => (at === output ? value : undefined));
          Object.assign(compiling.call, { node: { ...compiling.call.node, outputs } });
          return COMPILE[kind](compiling);
        })!;
        expect(results[output]).toEqual(all[output]);
      }
    }
  });

  it("has weights of eight bits where that is asked for, but those that have no such form", () => {
    const node = nodeOf(kind, { inputs: 40, hidden: 24 }, { h: true });
    checkKernels({ ...node, precision: "int8" }, COMPILE[kind], { relative: 0.1, absolute: 0.1 });
    const exact = runKernels(node, COMPILE[kind])!;
    expect(runKernels({ ...node, precision: "int8" }, COMPILE[kind])).not.toEqual(exact);
    node.inputs[1]!.data[3] = Number.NaN;
    expect(runKernels({ ...node, precision: "int8" }, COMPILE[kind])).toEqual(
      runKernels(node, COMPILE[kind]),
    );
  });

  it("runs a hundred random nodes", () => {
    const below = integers(KINDS.indexOf(kind) + 7);
    for (let time = 0; time < 100; time++) {
      const flag = () => below(2) === 1;
      const batch = 1 + below(4);
      const steps = 1 + below(6);
      const sizes = { batch, steps, inputs: 1 + below(12), hidden: 1 + below(12) };
      check(sizes, {
        direction: (["forward", "reverse", "bidirectional"] as const)[below(3)]!,
        layout: flag() ? 1 : 0,
        bias: flag(),
        h: flag(),
        c: flag(),
        peepholes: kind === "LSTM" && flag(),
        ...(flag() ? { lengths: Array.from({ length: batch }, () => below(steps + 1)) } : {}),
        attributes: {
          ...(kind === "GRU" ? { linear_before_reset: below(2) } : {}),
          ...(kind === "LSTM" ? { input_forget: below(2) } : {}),
          ...(flag() ? { clip: 0.5 } : {}),
        },
      });
    }
  });
});

it("packs weights once for nodes that share all of them, and else again", () => {
  const runtime = currentRuntime();
  const region = new Region(runtime, {});
  const made = new Map<string, unknown>();
  const shared = <Made>(_: Data, what: string, make: (region: Region) => Made): Made => {
    if (!made.has(what)) made.set(what, make(region));
    return made.get(what) as Made;
  };
  const node = nodeOf("LSTM", {}, {});
  const bytesAfter = (inputs: KernelCase["inputs"], attributes = {}) => {
    const all = { ...node.attributes, ...attributes };
    runKernels({ ...node, inputs, attributes: all }, (compiling) => {
      expect(compileLSTM({ ...compiling, shared })).toBeDefined();
      return undefined;
    });
    return region.bytes;
  };
  const first = bytesAfter(node.inputs);
  expect(first).toBeGreaterThan(0);
  expect(bytesAfter(node.inputs)).toBe(first);
  const other = nodeOf("LSTM", {}, {});
  expect(bytesAfter([node.inputs[0], node.inputs[1], other.inputs[2], node.inputs[3]])).toBe(2 * first);
  expect(bytesAfter([node.inputs[0], node.inputs[1], node.inputs[2], other.inputs[3]])).toBe(3 * first);
  expect(bytesAfter(node.inputs, { direction: "reverse" })).toBe(4 * first);
  expect(bytesAfter(node.inputs)).toBe(4 * first);
  region.release();
});

describe("com.microsoft.DynamicQuantizeLSTM", () => {
  /** Of weights of eight bits, whose inputs and state are of more bits here. */
  const quantised = (
    directions: number,
    dtype: "int8" | "uint8",
    zero: number,
    perRow: boolean,
  ): KernelCase => {
    const [steps, batch, inputs, hidden] = [4, 2, 20, 8];
    const rows = 4 * hidden;
    const scales = (seed: number): HostTensor => {
      const made = random(perRow ? [directions, rows] : [directions], seed);
      return { ...made, data: made.data.map((x: number) => 0.01 + Math.abs(x) * 0.01) as Float32Array };
    };
    const zeros = (): HostTensor => {
      const shape = perRow ? [directions, rows] : [directions];
      const { data } = random(shape, 1, dtype);
      return { dtype, shape, data: data.fill(zero) };
    };
    return {
      operator: "com.microsoft.DynamicQuantizeLSTM",
      opset: 1,
      attributes: { hidden_size: hidden, direction: directions === 2 ? "bidirectional" : "forward" },
      inputs: [
        random([steps, batch, inputs], 1),
        random([directions, inputs, rows], 2, dtype),
        random([directions, hidden, rows], 3, dtype),
        scaled([directions, 2 * rows], 4, 0.2),
        undefined,
        undefined,
        undefined,
        undefined,
        scales(5),
        zeros(),
        scales(6),
        zeros(),
      ],
      constants: [1, 2, 3, 8, 9, 10, 11],
      outputs: 3,
    };
  };

  it.each([1, 2])("keeps its int8 weights, in %i directions", (directions) => {
    for (const perRow of [false, true]) {
      const node = quantised(directions, "int8", 0, perRow);
      checkKernels(node, compileDynamicQuantizeLSTM, { relative: 1e-3, absolute: 1e-3 });
      const scale = node.inputs[8]!;
      const other = { ...scale, data: scale.data.map((x: number) => 2 * x) as Float32Array };
      const inputs = [...node.inputs];
      inputs[8] = other;
      checkKernels({ ...node, inputs }, compileDynamicQuantizeLSTM, { relative: 1e-3, absolute: 1e-3 });
    }
  });

  it("makes floats of weights with zero points", () => {
    for (const dtype of ["int8", "uint8"] as const) {
      checkKernels(quantised(2, dtype, 3, true), compileDynamicQuantizeLSTM);
      checkKernels(quantised(1, dtype, 3, false), compileDynamicQuantizeLSTM);
    }
    checkKernels(quantised(1, "uint8", 0, false), compileDynamicQuantizeLSTM);
  });

  it("is evaluated on the host where a scale is not constant", () => {
    const node = { ...quantised(1, "int8", 0, false), constants: [1, 2, 3, 9, 10, 11] };
    expect(runKernels(node, compileDynamicQuantizeLSTM)).toBeUndefined();
  });
});
