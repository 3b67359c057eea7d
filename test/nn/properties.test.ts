/**
 * What holds for every network and sequence, to the bit, in each build: the ways of computing the same thing agree.
 * fast-check draws sizes around the kernels' tiles (4 units, lines of 16) and sequences of several chunks of time (a
 * chunk has at most 128 rows), and prints the seed of a failure.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Embedding, GRU, GRUCell, Linear, LSTM, LSTMCell, RNN, RNNCell, Tensor } from "../../src/index.js";
import {
  concat,
  expectSameBits,
  expectSameResult,
  makeModule,
  makeNetwork,
  type NetworkSpec,
  type Recurrent,
  type Result,
  range,
  reshape,
  run,
  seededDict,
  seededStates,
  take,
  transpose,
  unmodified,
} from "../support/networks.js";

const RUNS = { numRuns: 40 };

const size = fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33);
const seed = fc.nat({ max: 2 ** 31 });

/** Networks; `over` fixes some of the options. */
const network = (over: Partial<NetworkSpec> = {}): fc.Arbitrary<NetworkSpec> =>
  fc
    .record({
      kind: fc.constantFrom("LSTM" as const, "LSTM" as const, "GRU" as const, "RNN" as const),
      inputSize: size,
      hiddenSize: size,
      numLayers: fc.integer({ min: 1, max: 3 }),
      bidirectional: fc.boolean(),
      bias: fc.boolean(),
      projection: fc.option(fc.nat({ max: 31 }), { nil: undefined }),
      nonlinearity: fc.constantFrom("tanh" as const, "relu" as const),
      seed,
    })
    .map(({ projection, ...drawn }) => {
      const spec = { ...drawn, ...over };
      const projected = spec.kind === "LSTM" && projection !== undefined && spec.hiddenSize > 1;
      return { ...spec, projSize: projected ? 1 + (projection % (spec.hiddenSize - 1)) : 0, ...over };
    });

interface SequenceSpec {
  readonly steps: number;
  readonly batch: number;
  readonly withStates: boolean;
  readonly inputSeed: number;
  /** One fraction per row, of which a length is made. */
  readonly fractions: readonly number[];
}

/** Sequences; half of them have more rows than a chunk of time. */
const sequence: fc.Arbitrary<SequenceSpec> = fc.record({
  steps: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 60, max: 150 })),
  batch: fc.integer({ min: 1, max: 9 }),
  withStates: fc.boolean(),
  inputSeed: seed,
  fractions: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 9, maxLength: 9 }),
});

function inputOf(spec: NetworkSpec, { steps, batch, inputSeed }: SequenceSpec): Tensor {
  return Tensor.randn([steps, batch, spec.inputSize], inputSeed);
}

function statesOf(spec: NetworkSpec, { batch, withStates, inputSeed }: SequenceSpec): Tensor[] | undefined {
  return withStates ? seededStates(spec, batch, inputSeed + 1) : undefined;
}

function lengthsOf({ steps, batch, fractions }: SequenceSpec): number[] {
  return fractions.slice(0, batch).map((fraction) => 1 + Math.floor(fraction * (steps - 1)));
}

/** The states of some rows of the batch. */
function rowsOf(states: readonly Tensor[] | undefined, rows: readonly number[]): Tensor[] | undefined {
  return states?.map((state) => take(state, 1, rows));
}

/** Fills what lies past each row's length of (L, N, size). */
function fillPadding(tensor: Tensor, lengths: readonly number[], value: number): Tensor {
  const [steps, batch, width] = tensor.shape as [number, number, number];
  const data = tensor.data.slice();
  for (let step = 0; step < steps; step++) {
    for (let row = 0; row < batch; row++) {
      if (step >= lengths[row]!)
        data.fill(value, (step * batch + row) * width, (step * batch + row + 1) * width);
    }
  }
  return new Tensor(data, tensor.shape);
}

/** (L, N, size) with the elements of each row in reverse, as far as its length; what lies past it is zero. */
function reverseRows(tensor: Tensor, lengths: readonly number[]): Tensor {
  const [steps, batch, width] = tensor.shape as [number, number, number];
  const reversed = Tensor.zeros([steps, batch, width]);
  for (let row = 0; row < batch; row++) {
    for (let step = 0; step < lengths[row]!; step++) {
      const from = ((lengths[row]! - 1 - step) * batch + row) * width;
      reversed.data.set(tensor.data.subarray(from, from + width), (step * batch + row) * width);
    }
  }
  return reversed;
}

/** One layer and direction as a network of its own. */
function singleLayer(spec: NetworkSpec, layer: number, direction: number): Recurrent {
  const directions = spec.bidirectional ? 2 : 1;
  const inputSize = layer === 0 ? spec.inputSize : directions * (spec.projSize || spec.hiddenSize);
  const suffix = `_l${layer}${direction === 1 ? "_reverse" : ""}`;
  const entries = [...seededDict(spec)].filter(([name]) => /_l\d+(_reverse)?$/.exec(name)![0] === suffix);
  const dict = new Map(entries.map(([name, tensor]) => [name.replace(suffix, "_l0"), tensor]));
  return makeModule({ ...spec, inputSize, numLayers: 1, bidirectional: false }).loadStateDict(dict);
}

/** The network computed one layer and one direction at a time, the second on the reversed sequence. */
function layerByLayer(
  spec: NetworkSpec,
  input: Tensor,
  states: readonly Tensor[] | undefined,
  lengths: readonly number[] | undefined,
): Result {
  const [steps, batch] = input.shape as [number, number];
  const ends = lengths ?? new Array(batch).fill(steps);
  const options = lengths === undefined ? {} : { lengths };
  const finals: (readonly Tensor[])[] = [];
  let current = input;
  for (let layer = 0; layer < spec.numLayers; layer++) {
    const outputs = range(0, spec.bidirectional ? 2 : 1).map((direction) => {
      using module = singleLayer(spec, layer, direction);
      const initial = states?.map((state) => take(state, 0, [finals.length]));
      const read = direction === 0 ? current : reverseRows(current, ends);
      const result = run(module, read, initial, options);
      finals.push(result.states);
      return direction === 0 ? result.output : reverseRows(result.output, ends);
    });
    current = concat(outputs, 2);
  }
  return {
    output: current,
    states: finals[0]!.map((_, which) =>
      concat(
        finals.map((final) => final[which]!),
        0,
      ),
    ),
  };
}

type Spec = readonly [NetworkSpec, SequenceSpec];

/** A property of every network and sequence. */
function holds(
  name: string,
  check: (...spec: Spec) => void,
  over: Partial<NetworkSpec> = {},
  runs = RUNS,
): void {
  it(name, () => fc.assert(fc.property(network(over), sequence, check), runs));
}

describe("forward", () => {
  holds(
    "of parts with the state carried over equals forward of the whole",
    (spec, drawn) => {
      using module = makeNetwork(spec);
      const input = inputOf(spec, drawn);
      const states = statesOf(spec, drawn);
      const whole = run(module, input, states);
      let carried = states;
      const outputs: Tensor[] = [];
      const cuts = [...new Set([0, ...lengthsOf(drawn), drawn.steps])].sort((a, b) => a - b);
      for (let part = 0; part + 1 < cuts.length; part++) {
        const result = run(module, take(input, 0, range(cuts[part]!, cuts[part + 1]!)), carried);
        outputs.push(result.output);
        carried = [...result.states];
      }
      expectSameResult({ output: concat(outputs, 0), states: carried! }, whole);
    },
    { bidirectional: false },
  );

  holds("of a batch row alone equals the row in the batch", (spec, drawn) => {
    using module = makeNetwork(spec);
    const input = inputOf(spec, drawn);
    const states = statesOf(spec, drawn);
    const whole = run(module, input, states);
    for (const row of range(0, drawn.batch)) {
      const alone = run(module, take(input, 1, [row]), rowsOf(states, [row]));
      expectSameResult(
        alone,
        { output: take(whole.output, 1, [row]), states: rowsOf(whole.states, [row])! },
        `row ${row}`,
      );
    }
  });

  it.each([
    ["LSTM", 1],
    ["LSTM", 9],
    ["GRU", 5],
    ["RNN", 17],
  ] as const)(
    "of %s with NaN or infinity in one weight keeps it to its unit (%i units)",
    (kind, hiddenSize) => {
      const spec = {
        ...{ kind, inputSize: 3, hiddenSize, numLayers: 1, bidirectional: false, bias: true },
        ...{ projSize: 0, nonlinearity: "relu" as const, seed: 4 },
      };
      const input = Tensor.randn([1, 3, 3], 5);
      using module = makeNetwork(spec);
      const { output } = run(module, input);
      const dict = seededDict(spec);
      for (const [name, { data, shape }] of dict) {
        const width = shape[1] ?? 1;
        for (let at = 0; at < data.length; at += 1 + (data.length >> 5)) {
          const unit = Math.floor(at / width) % hiddenSize;
          for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
            const changed = data.slice();
            changed[at] = value;
            const special = run(
              module.loadStateDict(new Map(dict).set(name, new Tensor(changed, shape))),
              input,
            );
            const others = range(0, hiddenSize).filter((other) => other !== unit);
            expectSameBits(take(special.output, 2, others), take(output, 2, others), `${name}[${at}]`);
            // W_hh is multiplied by a state of zeros, and 0 * Infinity is NaN too.
            const mine = take(special.output, 2, [unit]).data;
            if (Number.isNaN(value) || name === "weight_hh_l0")
              expect([...mine]).toEqual(new Array(3).fill(Number.NaN));
          }
        }
      }
    },
  );

  it.each([
    ["LSTM", 5, 0],
    ["LSTM", 33, 7],
    ["GRU", 17, 0],
    ["RNN", 33, 0],
  ] as const)(
    "of a batch of 1 to 33 rows of %s (%i units, projected to %i) equals these rows of 33",
    (...drawn) => {
      const [kind, hiddenSize, projSize] = drawn;
      const spec = {
        ...{ kind, inputSize: 5, hiddenSize, numLayers: 2, bidirectional: true, bias: true },
        ...{ projSize, nonlinearity: "tanh" as const, seed: 1 },
      };
      using module = makeNetwork(spec);
      const input = Tensor.randn([7, 33, 5], 2);
      const states = seededStates(spec, 33, 3);
      const lengths = range(0, 33).map((row) => 1 + ((row * 5) % 7));
      for (const options of [undefined, { lengths }]) {
        const whole = run(module, input, states, options);
        for (let batch = 1; batch < 33; batch++) {
          const rows = range(0, batch);
          const part = run(
            module,
            take(input, 1, rows),
            rowsOf(states, rows),
            options && { lengths: lengths.slice(0, batch) },
          );
          const expected = { output: take(whole.output, 1, rows), states: rowsOf(whole.states, rows)! };
          expectSameResult(part, expected, `batch ${batch}`);
        }
      }
    },
  );

  holds("of a stack equals its layers, and two directions equal forward and reversed", (spec, drawn) => {
    using module = makeNetwork(spec);
    const input = inputOf(spec, drawn);
    const states = statesOf(spec, drawn);
    expectSameResult(run(module, input, states), layerByLayer(spec, input, states, undefined));
    const lengths = lengthsOf(drawn);
    expectSameResult(
      run(module, input, states, { lengths }),
      layerByLayer(spec, input, states, lengths),
      "with lengths",
    );
  });

  holds("with lengths equals each row alone at its own length, whatever the padding", (spec, drawn) => {
    using module = makeNetwork(spec);
    const input = inputOf(spec, drawn);
    const states = statesOf(spec, drawn);
    const lengths = lengthsOf(drawn);
    const whole = run(module, fillPadding(input, lengths, Number.NaN), states, { lengths });
    expectSameBits(fillPadding(whole.output, lengths, 0), whole.output, "padding of the output");
    for (const [row, length] of lengths.entries()) {
      const alone = run(module, take(take(input, 1, [row]), 0, range(0, length)), rowsOf(states, [row]));
      const output = take(take(whole.output, 1, [row]), 0, range(0, length));
      expectSameResult(alone, { output, states: rowsOf(whole.states, [row])! }, `row ${row}`);
    }
  });

  holds("with lengths that are all the whole length equals forward without", (spec, drawn) => {
    using module = makeNetwork(spec);
    const input = inputOf(spec, drawn);
    const lengths = new Int32Array(drawn.batch).fill(drawn.steps);
    expectSameResult(run(module, input, undefined, { lengths }), run(module, input));
  });

  holds(
    "gives the same bits twice, whatever ran between, and leaves earlier results alone",
    (spec, drawn) => {
      using module = makeNetwork(spec);
      using another = makeNetwork(spec);
      const input = inputOf(spec, drawn);
      const states = statesOf(spec, drawn);
      const first = run(module, input, states);
      const kept = {
        output: new Tensor(first.output.data.slice(), first.output.shape),
        states: first.states,
      };
      const other = { ...drawn, steps: 1 + ((drawn.steps * 7) % 140), batch: 1 + ((drawn.batch * 5) % 9) };
      run(module, inputOf(spec, other), undefined, { lengths: lengthsOf(other) });
      if (module instanceof LSTM) module.trace(inputOf(spec, other));
      expectSameResult(run(module, input, states), first, "again");
      expectSameResult(run(another, input, states), first, "other module");
      expectSameResult(first, kept, "kept");
    },
  );

  holds("with batchFirst equals forward transposed", (spec, drawn) => {
    using module = makeNetwork(spec);
    using batchFirst = makeNetwork(spec, true);
    const input = inputOf(spec, drawn);
    const states = statesOf(spec, drawn);
    for (const options of [{}, { lengths: lengthsOf(drawn) }]) {
      const expected = run(module, input, states, options);
      const result = run(batchFirst, transpose(input), states, options);
      expectSameResult({ output: transpose(result.output), states: result.states }, expected);
    }
  });

  holds("of one sequence without a batch equals a batch of one", (spec, drawn) => {
    const one = { ...drawn, batch: 1 };
    const input = inputOf(spec, one);
    const states = statesOf(spec, one);
    using module = makeNetwork(spec);
    const expected = run(module, input, states);
    for (const batchFirst of [false, true]) {
      using unbatched = makeNetwork(spec, batchFirst);
      const flat = (tensor: Tensor) => reshape(tensor, [tensor.shape[0]!, tensor.shape[2]!]);
      const result = run(unbatched, flat(input), states?.map(flat));
      expectSameResult(result, { output: flat(expected.output), states: expected.states.map(flat) });
    }
  });

  it.each(["LSTM", "GRU", "RNN"] as const)(
    "of a wide %s, whose chunks of time are shorter, equals its parts and rows",
    (kind) => {
      const spec = {
        ...{ kind, inputSize: 3, hiddenSize: 517, numLayers: 1, bidirectional: false, bias: true },
        ...{ projSize: 0, nonlinearity: "tanh" as const, seed: 1 },
      };
      using module = makeNetwork(spec);
      const input = Tensor.randn([90, 3, 3], 2);
      const whole = run(module, input);
      const begin = run(module, take(input, 0, range(0, 50)));
      const end = run(module, take(input, 0, range(50, 90)), begin.states);
      expectSameResult({ output: concat([begin.output, end.output], 0), states: end.states }, whole);
      const alone = run(module, take(input, 1, [1]));
      expectSameResult(alone, { output: take(whole.output, 1, [1]), states: rowsOf(whole.states, [1])! });
    },
  );

  holds("takes missing states for zeros", (spec, drawn) => {
    using module = makeNetwork(spec);
    const input = inputOf(spec, drawn);
    const zeros = seededStates(spec, drawn.batch, 0).map(({ shape }) => Tensor.zeros(shape));
    expectSameResult(run(module, input), run(module, input, zeros));
  });
});

describe("stream", () => {
  const CASES = { bidirectional: false };

  /** A stream's methods with states as an array for every kind. */
  function streamOf(module: Recurrent, batchSize: number) {
    const open = module.stream({ batchSize });
    type Open = typeof open;
    const wrap = (stream: Open) => ({
      /** The outputs of the steps of (L, N, inputSize), copied. */
      steps(input: Tensor): Tensor {
        const outputs = range(0, input.shape[0]!).map((step) => {
          const row = reshape(take(input, 0, [step]), input.shape.slice(1));
          const output = unmodified([row], () => stream.step(row));
          return new Tensor(output.data.slice(), [1, ...output.shape]);
        });
        return concat(outputs, 0);
      },
      get states(): Tensor[] {
        const state = stream.state;
        return state instanceof Tensor ? [state] : [...state];
      },
      set states(states: readonly Tensor[]) {
        unmodified(states, () => {
          (stream as { state: unknown }).state = module instanceof LSTM ? states : states[0];
        });
      },
      reset: () => stream.reset(),
      clone: () => wrap(stream.clone() as Open),
      [Symbol.dispose]: () => stream.dispose(),
    });
    return wrap(open);
  }

  holds(
    "equals forward, and so does what goes on from its state, in its clone and after reset",
    (spec, drawn) => {
      using module = makeNetwork(spec);
      const input = inputOf(spec, drawn);
      const states = statesOf(spec, drawn);
      const whole = run(module, input, states);
      const cut = Math.ceil(drawn.fractions[0]! * (drawn.steps - 1));
      const before = take(input, 0, range(0, cut));
      const after = take(input, 0, range(cut, drawn.steps));
      const rest = take(whole.output, 0, range(cut, drawn.steps));

      using stream = streamOf(module, drawn.batch);
      if (states !== undefined) stream.states = states;
      if (cut > 0) {
        expectSameBits(stream.steps(before), take(whole.output, 0, range(0, cut)), "first part");
      }
      using clone = stream.clone();
      const between = stream.states;
      expectSameResult(
        { output: stream.steps(after), states: stream.states },
        { ...whole, output: rest },
        "on",
      );
      // The clone did not move with its original, and a call of forward in between does not matter.
      run(module, input);
      expectSameResult(
        { output: clone.steps(after), states: clone.states },
        { ...whole, output: rest },
        "clone",
      );
      stream.states = between;
      expectSameResult(
        { output: stream.steps(after), states: stream.states },
        { ...whole, output: rest },
        "set",
      );
      stream.reset();
      expectSameResult({ output: stream.steps(input), states: stream.states }, run(module, input), "reset");
    },
    CASES,
  );

  holds(
    "takes a bare Float32Array, (inputSize) and (1, inputSize) alike for a batch of one",
    (spec, drawn) => {
      using module = makeNetwork(spec);
      using stream = module.stream();
      const input = Tensor.randn([spec.inputSize], drawn.inputSeed);
      const outputs = [input.data, input, reshape(input, [1, spec.inputSize])].map((given) => {
        stream.reset();
        const { data, shape } = stream.step(given);
        return new Tensor(data.slice(), shape);
      });
      const width = spec.projSize || spec.hiddenSize;
      expect(outputs.map(({ shape }) => shape)).toEqual([[width], [width], [1, width]]);
      expectSameBits(outputs[1]!, outputs[0]!);
      expectSameBits(reshape(outputs[2]!, [width]), outputs[0]!);
    },
    CASES,
  );
});

describe("cells", () => {
  /** The first layer's weights under the cell's names. */
  const cellDict = (spec: NetworkSpec) =>
    new Map([...seededDict(spec)].map(([name, tensor]) => [name.replace("_l0", ""), tensor]));

  function step(spec: NetworkSpec, input: Tensor, states: readonly Tensor[] | undefined): Tensor[] {
    const { inputSize, hiddenSize, bias, nonlinearity } = spec;
    const options = { inputSize, hiddenSize, bias };
    const dict = cellDict(spec);
    if (spec.kind === "LSTM") {
      using cell = new LSTMCell(options).loadStateDict(dict);
      return cell.forward(input, states as [Tensor, Tensor] | undefined);
    }
    using cell =
      spec.kind === "GRU"
        ? new GRUCell(options).loadStateDict(dict)
        : new RNNCell({ ...options, nonlinearity }).loadStateDict(dict);
    return [cell.forward(input, states?.[0])];
  }

  holds(
    "equal steps of the module",
    (spec, drawn) => {
      const { batch } = drawn;
      const steps = Math.min(drawn.steps, 4);
      using module = makeNetwork(spec);
      const input = Tensor.randn([steps, batch, spec.inputSize], drawn.inputSeed);
      const initial = statesOf(spec, drawn);
      const whole = run(module, input, initial);
      let states = initial?.map((state) => reshape(state, state.shape.slice(1)));
      const hidden = range(0, steps).map((at) => {
        const row = reshape(take(input, 0, [at]), [batch, spec.inputSize]);
        states = unmodified([row, ...(states ?? [])], () => step(spec, row, states));
        return reshape(states[0]!, [1, batch, spec.hiddenSize]);
      });
      const final = states!.map((state) => reshape(state, [1, ...state.shape]));
      expectSameResult({ output: concat(hidden, 0), states: final }, whole);
    },
    { numLayers: 1, bidirectional: false, projSize: 0 },
  );

  holds(
    "take one row without a batch",
    (spec, drawn) => {
      const input = Tensor.randn([spec.inputSize], drawn.inputSeed);
      const states = seededStates(spec, 1, drawn.inputSeed + 1);
      const batched = step(
        spec,
        reshape(input, [1, spec.inputSize]),
        states.map((state) => reshape(state, [1, spec.hiddenSize])),
      );
      const unbatched = step(
        spec,
        input,
        states.map((state) => reshape(state, [spec.hiddenSize])),
      );
      for (const [at, state] of unbatched.entries()) {
        expectSameBits(reshape(state, [1, spec.hiddenSize]), batched[at]!);
      }
    },
    { numLayers: 1, bidirectional: false, projSize: 0 },
  );
});

describe("trace", () => {
  const EPSILON = 2 ** -23;
  /** Where a layer's step reads its state: the step before it in its direction, or nothing at the row's first. */
  const previousStep = (step: number, length: number, reverse: boolean) => {
    const before = reverse ? step + 1 : step - 1;
    return before < 0 || before >= length ? undefined : before;
  };

  function checkTrace(spec: NetworkSpec, drawn: SequenceSpec, batchFirst: boolean, lengths?: number[]): void {
    using module = makeNetwork(spec, batchFirst) as LSTM;
    const input = inputOf(spec, drawn);
    const given = batchFirst ? transpose(input) : input;
    const states = statesOf(spec, drawn) as [Tensor, Tensor] | undefined;
    const options = lengths === undefined ? {} : { lengths };
    const { output, state, layers } = unmodified([given, ...(states ?? [])], () =>
      module.trace(given, states, options),
    );
    const plain = run(module, given, states, options);
    expectSameResult({ output, states: state }, plain, "trace");

    const directions = spec.bidirectional ? 2 : 1;
    expect(layers.map(({ layer, direction }) => [layer, direction])).toEqual(
      range(0, spec.numLayers).flatMap((layer) =>
        ["forward", "reverse"].slice(0, directions).map((direction) => [layer, direction]),
      ),
    );
    const timeMajor = (tensor: Tensor) => (batchFirst ? transpose(tensor) : tensor);
    const last = layers.slice(-directions).map(({ h }) => timeMajor(h));
    expectSameBits(concat(last, 2), timeMajor(output), "h of the last layer");

    const { steps, batch } = drawn;
    const { hiddenSize, projSize } = spec;
    const width = projSize || hiddenSize;
    const dict = seededDict(spec);
    for (const [index, record] of layers.entries()) {
      const reverse = record.direction === "reverse";
      const [i, f, g, o, c, h] = (["i", "f", "g", "o", "c", "h"] as const).map(
        (name) => timeMajor(record[name]).data,
      ) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
      const reduction = dict.get(`weight_hr_l${record.layer}${reverse ? "_reverse" : ""}`)?.data;
      for (let row = 0; row < batch; row++) {
        const length = lengths?.[row] ?? steps;
        for (let step = 0; step < steps; step++) {
          const at = (step * batch + row) * hiddenSize;
          const out = (step * batch + row) * width;
          if (step >= length) {
            const past = [i, f, g, o, c].every((gate) =>
              gate.subarray(at, at + hiddenSize).every((x) => x === 0),
            );
            if (!past || h.subarray(out, out + width).some((x) => x !== 0))
              throw new Error("padding is not zero");
            continue;
          }
          const before = previousStep(step, length, reverse);
          const hidden = new Float64Array(hiddenSize);
          for (let unit = 0; unit < hiddenSize; unit++) {
            const cell =
              before === undefined
                ? (states?.[1].data[(index * batch + row) * hiddenSize + unit] ?? 0)
                : c[(before * batch + row) * hiddenSize + unit]!;
            const kept = f[at + unit]! * cell;
            const written = i[at + unit]! * g[at + unit]!;
            close("c", c[at + unit]!, kept + written, Math.abs(kept) + Math.abs(written));
            const shown = o[at + unit]! * Math.tanh(c[at + unit]!);
            hidden[unit] = shown;
            if (projSize === 0) close("h", h[out + unit]!, shown, Math.abs(shown));
          }
          for (let unit = 0; unit < projSize; unit++) {
            const products = Array.from(hidden, (x, k) => x * reduction![unit * hiddenSize + k]!);
            const sum = products.reduce((total, x) => total + x, 0);
            const magnitude = products.reduce((total, x) => total + Math.abs(x), 0);
            close("projected h", h[out + unit]!, sum, magnitude * (1 + hiddenSize / 8));
          }
          // Where the row ends in this direction, its state is the module's final one.
          if (step === (reverse ? 0 : length - 1)) {
            const final = (index * batch + row) * hiddenSize;
            const cN = state[1].data.subarray(final, final + hiddenSize);
            if (!cN.every((x, unit) => x === c[at + unit])) throw new Error("cN is not the last c");
            const hFinal = (index * batch + row) * width;
            const hN = state[0].data.subarray(hFinal, hFinal + width);
            if (!hN.every((x, unit) => x === h[out + unit])) throw new Error("hN is not the last h");
          }
        }
      }
    }
  }

  /** Within some ULP of the terms: the trace activates apart what the cell computes over one denominator. */
  function close(what: string, actual: number, expected: number, magnitude: number): void {
    if (!(Math.abs(actual - expected) <= 8 * EPSILON * magnitude + 2 ** -140)) {
      throw new Error(`${what}: ${actual}, expected ${expected} of terms ${magnitude}`);
    }
  }

  for (const batchFirst of [false, true]) {
    holds(
      `equals forward, and its gates make c and h${batchFirst ? ", with batchFirst" : ""}`,
      (spec, drawn) => {
        checkTrace(spec, drawn, batchFirst);
        checkTrace(spec, drawn, batchFirst, lengthsOf(drawn));
      },
      { kind: "LSTM" },
      { numRuns: 20 },
    );
  }

  holds(
    "of one sequence without a batch equals a batch of one",
    (spec, drawn) => {
      const input = inputOf(spec, { ...drawn, batch: 1 });
      using module = makeNetwork(spec) as LSTM;
      const batched = module.trace(input);
      const unbatched = module.trace(reshape(input, [drawn.steps, spec.inputSize]));
      expectSameBits(reshape(unbatched.output, batched.output.shape), batched.output);
      for (const [at, layer] of unbatched.layers.entries()) {
        for (const name of ["i", "f", "g", "o", "c", "h"] as const) {
          expect(layer[name].shape.length).toBe(2);
          expectSameBits(
            reshape(layer[name], batched.layers[at]![name].shape),
            batched.layers[at]![name],
            name,
          );
        }
      }
    },
    { kind: "LSTM" },
  );
});

describe("state dicts", () => {
  const CLASSES = { LSTM, GRU, RNN };

  holds("come back as they were loaded, in PyTorch's order, and make the same network", (spec, drawn) => {
    const dict = seededDict(spec);
    using module = makeModule(spec);
    unmodified([...dict.values()], () => module.loadStateDict(dict));
    const read = module.stateDict();
    expect([...read.keys()]).toEqual([...dict.keys()]);
    for (const [name, tensor] of read) expectSameBits(tensor, dict.get(name)!, name);

    const input = inputOf(spec, drawn);
    const expected = run(module, input);
    using copy = makeModule(spec).loadStateDict(Object.fromEntries(read));
    expectSameResult(run(copy, input), expected, "copy");
    // What stateDict gave are copies: changing them changes nothing.
    for (const { data } of read.values()) data.fill(1);
    expectSameResult(run(module, input), expected, "after changing the copies");
  });

  holds("are found below a prefix, and give the network's sizes", (spec, drawn) => {
    using module = makeNetwork(spec);
    const prefixed = new Map<string, Tensor>([["decoder.weight", Tensor.zeros([2])]]);
    for (const [name, tensor] of seededDict(spec)) prefixed.set(`encoder.rnn.${name}`, tensor);
    const options = { prefix: "encoder.rnn." };
    using loaded = makeModule(spec).loadStateDict(prefixed, options);
    using read = (CLASSES[spec.kind] as typeof RNN).fromStateDict(prefixed, {
      ...options,
      ...(spec.kind === "RNN" ? { nonlinearity: spec.nonlinearity } : {}),
    }) as Recurrent;
    const sizes = ({ inputSize, hiddenSize, numLayers, bidirectional, bias }: Recurrent) => [
      inputSize,
      hiddenSize,
      numLayers,
      bidirectional,
      bias,
    ];
    expect(sizes(read)).toEqual(sizes(module));
    const input = inputOf(spec, drawn);
    const expected = run(module, input);
    expectSameResult(run(loaded, input), expected, "loadStateDict");
    expectSameResult(run(read, input), expected, "fromStateDict");
  });
});

describe("Linear", () => {
  it("computes each row alone as in the batch, in any shape", () => {
    const rows = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 250, max: 520 }));
    const check = (inFeatures: number, outFeatures: number, bias: boolean, count: number, from: number) => {
      using linear = new Linear({ inFeatures, outFeatures, bias });
      const weight = Tensor.randn([outFeatures, inFeatures], from);
      linear.loadStateDict({ weight, ...(bias ? { bias: Tensor.randn([outFeatures], from + 1) } : {}) });
      const input = Tensor.randn([count, inFeatures], from + 2);
      const output = unmodified([input], () => linear.forward(input));
      for (const row of [0, count >> 1, count - 1]) {
        const alone = linear.forward(reshape(take(input, 0, [row]), [inFeatures]));
        expectSameBits(alone, reshape(take(output, 0, [row]), [outFeatures]), `row ${row}`);
      }
      const deep = linear.forward(reshape(input, [1, count, 1, inFeatures]));
      expectSameBits(deep, reshape(output, [1, count, 1, outFeatures]));
      expectSameBits(linear.stateDict().get("weight")!, weight);
    };
    fc.assert(fc.property(size, size, fc.boolean(), rows, seed, check), RUNS);
  });
});

describe("Embedding", () => {
  it("gives the rows of its table", () => {
    const drawn = fc.tuple(size, size, fc.array(fc.nat(), { maxLength: 20 }), seed);
    fc.assert(
      fc.property(drawn, ([numEmbeddings, embeddingDim, picks, from]) => {
        using embedding = new Embedding({ numEmbeddings, embeddingDim });
        const weight = Tensor.randn([numEmbeddings, embeddingDim], from);
        embedding.loadStateDict({ weight });
        const indices = picks.map((pick) => pick % numEmbeddings);
        expectSameBits(embedding.forward(indices), take(weight, 0, indices));
        const shape = [1, indices.length];
        expectSameBits(
          embedding.forward({ data: BigInt64Array.from(indices, BigInt), shape }),
          reshape(take(weight, 0, indices), [...shape, embeddingDim]),
        );
      }),
      RUNS,
    );
  });
});
