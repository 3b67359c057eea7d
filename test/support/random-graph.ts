/**
 * Random small ONNX graphs over one input x of (B, T, features): what a plan folds, moves, fuses and computes, in any
 * order. Sizes that are names stay open, so that a graph runs for several batches and lengths.
 */
import {
  floats,
  type GraphOptions,
  graph,
  int64s,
  modelOf,
  type NodeOptions,
  node,
  tensor,
} from "./onnx-writer.js";

type Size = number | "B" | "T";
interface Made {
  readonly name: string;
  readonly shape: readonly Size[];
}
type Bytes = number[];

/** Integers of a seed: Marsaglia's xorshift. */
function integersOf(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

class Builder {
  readonly nodes: Bytes[] = [];
  readonly initializers: Bytes[] = [];
  readonly values: Made[];
  #names = 0;

  constructor(
    readonly next: (below: number) => number,
    readonly prefix: string,
    values: readonly Made[],
  ) {
    this.values = [...values];
  }

  name(): string {
    return `${this.prefix}${this.#names++}`;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.next(items.length)]!;
  }

  /** A value, mostly one of the last. */
  value(fits: (shape: readonly Size[]) => boolean = () => true): Made | undefined {
    const fitting = this.values.filter(({ shape }) => fits(shape));
    return fitting.length === 0 ? undefined : fitting[Math.max(0, fitting.length - 1 - this.next(3))];
  }

  constant(shape: readonly number[], scale = 0.5): string {
    const count = shape.reduce((product, size) => product * size, 1);
    const name = this.name();
    const numbers = Array.from({ length: count }, () => Math.fround((this.next(2001) / 1000 - 1) * scale));
    this.initializers.push(floats(name, shape, numbers));
    return name;
  }

  integers(...numbers: number[]): string {
    const name = this.name();
    this.initializers.push(int64s(name, numbers));
    return name;
  }

  add(
    operator: string,
    inputs: readonly string[],
    shape: readonly Size[],
    attributes?: NodeOptions["attributes"],
  ): Made {
    const name = this.name();
    this.nodes.push(node(operator, inputs, [name], attributes === undefined ? {} : { attributes }));
    const made = { name, shape };
    this.values.push(made);
    return made;
  }
}

const isFixed = (size: Size | undefined): size is number => typeof size === "number";
const last = (shape: readonly Size[]): Size | undefined => shape.at(-1);

/** Each adds a node or a few; nothing where no value fits. */
const STEPS: readonly ((to: Builder, depth: number) => void)[] = [
  (to) => {
    const x = to.value()!;
    to.add(
      to.pick(["Relu", "Sigmoid", "Tanh", "Abs", "Neg", "LeakyRelu", "Erf", "Identity"]),
      [x.name],
      x.shape,
    );
  },
  (to) => {
    const x = to.value()!;
    const same = to.values.filter(({ shape }) => shape.join() === x.shape.join());
    to.add(to.pick(["Add", "Sub", "Mul", "Max", "Min"]), [x.name, to.pick(same).name], x.shape);
  },
  (to) => {
    const x = to.value((shape) => isFixed(last(shape)))!;
    if (x === undefined) return;
    const shape = to.pick([[], [1], [last(x.shape) as number]]);
    const inputs = to.pick([0, 1]) === 0 ? [x.name, to.constant(shape)] : [to.constant(shape), x.name];
    to.add(to.pick(["Add", "Sub", "Mul"]), inputs, x.shape);
  },
  (to) => {
    const x = to.value((shape) => isFixed(last(shape)) && shape.length > 1);
    if (x === undefined) return;
    const columns = 1 + to.next(9);
    const weight = to.constant([last(x.shape) as number, columns]);
    const product = to.add("MatMul", [x.name, weight], [...x.shape.slice(0, -1), columns]);
    if (to.next(2) === 0) to.add("Add", [product.name, to.constant([columns])], product.shape);
  },
  (to) => {
    const x = to.value((shape) => shape.length > 1);
    if (x === undefined) return;
    const perm = x.shape.map((_, axis) => axis);
    const [from, at] = [to.next(perm.length), to.next(perm.length)];
    [perm[from], perm[at]] = [perm[at]!, perm[from]!];
    to.add(
      "Transpose",
      [x.name],
      perm.map((axis) => x.shape[axis]!),
      { perm },
    );
  },
  (to) => {
    const x = to.value((shape) => isFixed(last(shape)) && (last(shape) as number) > 1);
    if (x === undefined) return;
    const [size, axis] = [last(x.shape) as number, x.shape.length - 1];
    const begin = to.next(size);
    const count = 1 + to.next(size - begin);
    const inputs = [x.name, to.integers(begin), to.integers(begin + count), to.integers(axis)];
    to.add("Slice", inputs, [...x.shape.slice(0, -1), count]);
  },
  (to) => {
    const x = to.value()!;
    const axis = to.next(x.shape.length);
    if (!isFixed(x.shape[axis])) return;
    const others = to.values.filter(
      ({ shape }) =>
        shape.length === x.shape.length &&
        shape.every((size, at) => (at === axis ? isFixed(size) : size === x.shape[at])),
    );
    const y = to.pick(others);
    const size = (x.shape[axis] as number) + (y.shape[axis] as number);
    to.add(
      "Concat",
      [x.name, y.name],
      x.shape.map((own, at) => (at === axis ? size : own)),
      { axis },
    );
  },
  (to) => {
    const x = to.value()!;
    const axis = to.next(x.shape.length + 1);
    const shape = [...x.shape];
    shape.splice(axis, 0, 1);
    if (shape.length < 5) to.add("Unsqueeze", [x.name, to.integers(axis)], shape);
  },
  (to) => {
    const x = to.value((shape) => shape.includes(1) && shape.length > 1);
    if (x === undefined) return;
    const axis = x.shape.indexOf(1);
    to.add(
      "Squeeze",
      [x.name, to.integers(axis)],
      x.shape.filter((_, at) => at !== axis),
    );
  },
  (to) => {
    // The first sizes by the input's own shape, the others in one.
    const x = to.value((shape) => shape.length > 2 && shape.slice(2).every(isFixed));
    if (x === undefined) return;
    const whole = to.name();
    to.nodes.push(node("Shape", [x.name], [whole]));
    const [first, second, target] = [to.name(), to.name(), to.name()];
    to.nodes.push(node("Gather", [whole, to.integers(0)], [first]));
    to.nodes.push(node("Gather", [whole, to.integers(1)], [second]));
    to.nodes.push(node("Concat", [first, second, to.integers(-1)], [target], { attributes: { axis: 0 } }));
    const rest = x.shape.slice(2).reduce((product: number, size) => product * (size as number), 1);
    to.add("Reshape", [x.name, target], [x.shape[0]!, x.shape[1]!, rest]);
  },
  (to) => {
    const x = to.value((shape) => shape.length > 1);
    if (x === undefined) return;
    const axis = to.next(x.shape.length);
    const operator = to.pick(["ReduceMean", "ReduceSum", "ReduceMax"]);
    const shape = x.shape.map((size, at) => (at === axis ? 1 : size));
    to.add(operator, [x.name, to.integers(axis)], shape, { keepdims: 1 });
  },
  (to) => {
    const x = to.value()!;
    to.add("Softmax", [x.name], x.shape, { axis: to.next(x.shape.length) });
  },
  (to) => {
    const x = to.value((shape) => isFixed(last(shape)));
    if (x === undefined) return;
    const size = last(x.shape) as number;
    to.add("LayerNormalization", [x.name, to.constant([size], 1), to.constant([size])], x.shape, {
      axis: -1,
    });
  },
  (to) => {
    const x = to.value((shape) => shape.length === 3 && isFixed(shape[1]));
    if (x === undefined) return;
    const [channels, units, taps] = [x.shape[1] as number, 1 + to.next(6), 1 + 2 * to.next(2)];
    const inputs = [x.name, to.constant([units, channels, taps]), to.constant([units])];
    const pad = (taps - 1) / 2;
    const conv = to.add("Conv", inputs, [x.shape[0]!, units, x.shape[2]!], { pads: [pad, pad] });
    if (to.next(2) === 0) {
      const statistics = [to.constant([units], 1), to.constant([units]), to.constant([units])];
      const variance = to.name();
      to.initializers.push(
        floats(
          variance,
          [units],
          Array.from({ length: units }, () => 0.5 + to.next(8) / 4),
        ),
      );
      to.add("BatchNormalization", [conv.name, ...statistics, variance], conv.shape);
    }
  },
  (to) => {
    const x = to.value((shape) => shape.length === 3 && isFixed(shape[2]));
    if (x === undefined) return;
    const [kind, gates] = to.pick([
      ["LSTM", 4],
      ["GRU", 3],
      ["RNN", 1],
    ] as const);
    const [inputs, hidden, both] = [x.shape[2] as number, 1 + to.next(6), 1 + to.next(2)];
    const weights = [
      to.constant([both, gates * hidden, inputs]),
      to.constant([both, gates * hidden, hidden]),
      to.constant([both, 2 * gates * hidden]),
    ];
    to.add(kind, [x.name, ...weights], [x.shape[0]!, both, x.shape[1]!, hidden], {
      hidden_size: hidden,
      direction: both === 2 ? "bidirectional" : to.pick(["forward", "reverse"]),
    });
  },
  (to) => {
    const x = to.value((shape) => isFixed(last(shape)));
    if (x === undefined) return;
    const indices = to.integers(
      ...Array.from({ length: 1 + to.next(4) }, () => to.next(last(x.shape) as number)),
    );
    const axis = x.shape.length - 1;
    to.add(
      "Gather",
      [x.name, indices],
      [...x.shape.slice(0, -1), 0].map((size, at) => (at === axis ? -1 : size)) as never,
      { axis },
    );
    // Its size is not known here: it is the last use.
    to.values.pop();
  },
  (to) => {
    // Integers, of comparisons with what no number is near to.
    const x = to.value((shape) => isFixed(last(shape)))!;
    if (x === undefined) return;
    const type = to.pick([6, 7]);
    const whole = () => {
      const [less, made] = [to.name(), to.name()];
      const bound = to.name();
      to.initializers.push(floats(bound, [], [0.0371 * (1 + to.next(30)) - 0.5]));
      to.nodes.push(node(to.pick(["Less", "Greater"]), [x.name, bound], [less]));
      to.nodes.push(node("Cast", [less], [made], { attributes: { to: type } }));
      return made;
    };
    const [sum, running, same] = [to.name(), to.name(), to.name()];
    to.nodes.push(node(to.pick(["Add", "Sub", "Mul", "Max", "Min"]), [whole(), whole()], [sum]));
    to.nodes.push(node("CumSum", [sum, to.integers(x.shape.length - 1)], [running]));
    to.nodes.push(node(to.pick(["Equal", "Less", "GreaterOrEqual"]), [running, sum], [same]));
    if (to.next(2) === 0) to.add("Where", [same, x.name, to.constant([])], x.shape);
    else to.add("Cast", [running], x.shape, { to: 1 });
  },
  (to) => {
    const x = to.value((shape) => isFixed(last(shape)));
    if (x === undefined) return;
    const k = 1 + to.next(last(x.shape) as number);
    const [name, places] = [to.name(), to.name()];
    const attributes = { axis: -1, largest: to.next(2) };
    to.nodes.push(node("TopK", [x.name, to.integers(k)], [name, places], { attributes }));
    to.values.push({ name, shape: [...x.shape.slice(0, -1), k] });
  },
  (to, depth) => {
    if (depth > 0) return;
    const x = to.value()!;
    const [turn, goes, h, h2, y] = ["i", "c", "h", "o", "y"].map((name) => `${to.name()}${name}`) as [
      string,
      string,
      string,
      string,
      string,
    ];
    const inner = new Builder(to.next, `${to.name()}_`, [x, { name: h, shape: x.shape }]);
    const count = 1 + to.next(6);
    while (inner.nodes.length < count) inner.pick(STEPS)(inner, depth + 1);
    const row = inner.values.at(-1)!;
    const same = inner.values.filter(({ shape }) => shape.join() === x.shape.join()).at(-1)!;
    inner.nodes.push(node("Tanh", [same.name], [h2]));
    let on = goes;
    if (to.next(2) === 0) {
      const [sum, more] = [inner.name(), inner.name()];
      inner.nodes.push(node("ReduceSum", [h2], [sum], { attributes: { keepdims: 0 } }));
      inner.nodes.push(node("Less", [sum, inner.constant([], 0)], [more]));
      on = more;
    } else {
      on = inner.name();
      inner.nodes.push(node("Identity", [goes], [on]));
    }
    const copy = inner.name();
    inner.nodes.push(node("Identity", [row.name], [copy]));
    const body = graph({
      nodes: inner.nodes,
      initializers: inner.initializers,
      inputs: [
        { name: turn, type: 7, shape: [] },
        { name: goes, type: 9, shape: [] },
        { name: h, shape: x.shape },
      ],
      outputs: [on, h2, copy],
    });
    const most = to.name();
    to.initializers.push(tensor(most, { type: 7, dims: [], raw: BigInt64Array.of(BigInt(1 + to.next(4))) }));
    const rows = to.name();
    to.nodes.push(node("Loop", [most, "", x.name], [y, rows], { attributes: { body: { graph: body } } }));
    to.values.push({ name: y, shape: x.shape });
    to.add("ReduceMean", [rows, to.integers(0)], row.shape, { keepdims: 0 });
  },
  (to, depth) => {
    if (depth > 1) return;
    const x = to.value()!;
    const condition = to.name();
    if (to.next(2) === 0) {
      const [whole, rank] = [to.name(), to.name()];
      to.nodes.push(node("Shape", [x.name], [whole]), node("Size", [whole], [rank]));
      to.nodes.push(node("Equal", [rank, to.integers(to.next(2) === 0 ? x.shape.length : 9)], [condition]));
    } else {
      const sum = to.name();
      to.nodes.push(node("ReduceSum", [x.name], [sum], { attributes: { keepdims: 0 } }));
      to.nodes.push(node("Less", [sum, to.constant([], 0)], [condition]));
    }
    const branch = (operator: string) => {
      const inner = new Builder(to.next, `${to.name()}_`, [x]);
      if (to.next(2) === 0) inner.pick(STEPS)(inner, depth + 1);
      const { name } = inner.add(operator, [x.name], x.shape);
      return { graph: graph({ nodes: inner.nodes, initializers: inner.initializers, outputs: [name] }) };
    };
    to.add("If", [condition], x.shape, { then_branch: branch("Tanh"), else_branch: branch("Neg") });
  },
];

export interface RandomGraph {
  readonly bytes: Uint8Array;
  /** The features of the input x. */
  readonly features: number;
}

/** The graph of a seed, of 5 to 25 steps. Its outputs are the last values. */
export function randomGraph(seed: number): RandomGraph {
  const next = integersOf(seed);
  const features = 1 + next(8);
  const to = new Builder(next, "v", [{ name: "x", shape: ["B", "T", features] }]);
  const count = 5 + next(21);
  while (to.nodes.length < count) to.pick(STEPS)(to, 0);
  const made = to.values.filter(({ name }) => name !== "x");
  const main: GraphOptions = {
    nodes: to.nodes,
    initializers: to.initializers,
    inputs: [{ name: "x", shape: ["B", "T", features] }],
    outputs: made.slice(-3).map(({ name, shape }) => ({ name, shape })),
  };
  return { bytes: modelOf(main, 18), features };
}
