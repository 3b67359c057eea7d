/** fromTensorFlow: which variables are one layer, how they lie in it, and what is refused. */
import { describe, expect, it } from "vitest";
import { fromTensorFlow } from "../../src/formats/tensorflow/variables.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { PLAIN_LSTM } from "../support/plain-options.js";

const count = (shape: number[], start = 0) => {
  const tensor = Tensor.zeros(shape);
  for (let at = 0; at < tensor.data.length; at++) tensor.data[at] = start + at;
  return tensor;
};
/** inputSize 1, hiddenSize 1 unless said. */
const lstm = (scope: string, [inputs, units, state] = [1, 1, 1] as readonly number[]) => ({
  [`${scope}/kernel`]: count([inputs! + (state ?? units!), 4 * units!]),
  [`${scope}/bias`]: count([4 * units!], 10),
});
const gru = (scope: string) => ({
  [`${scope}/gates/kernel`]: count([2, 2]),
  [`${scope}/gates/bias`]: count([2], 10),
  [`${scope}/candidate/kernel`]: count([2, 1], 20),
  [`${scope}/candidate/bias`]: count([1], 30),
});
/** Of cells that are one module. */
function single(...given: Parameters<typeof fromTensorFlow>) {
  const layer = fromTensorFlow(...given);
  if (layer.parts !== undefined) throw new Error("one module was meant");
  return layer;
}
const numbers = (dict: ReadonlyMap<string, { data: unknown; shape: readonly number[] }>) =>
  [...dict].map(([name, { shape, data }]) => [name, shape, [...(data as Float32Array)]]);

describe("fromTensorFlow", () => {
  it("turns i j f o to i f g o, and adds the forget bias to f", () => {
    const { kind, stateDict, options } = single(lstm("rnn/basic_lstm_cell"), "BasicLSTM");
    expect(kind).toBe("LSTM");
    expect(numbers(stateDict)).toEqual([
      ["weight_ih_l0", [4, 1], [0, 2, 1, 3]],
      ["weight_hh_l0", [4, 1], [4, 6, 5, 7]],
      ["bias_ih_l0", [4], [10, 13, 11, 13]],
      ["bias_hh_l0", [4], [0, 0, 0, 0]],
    ]);
    expect(options).toEqual({ ...PLAIN_LSTM, inputSize: 1, hiddenSize: 1, batchFirst: true });
    expect(stateDict.metadata).toEqual({ "": { kind, options } });
    const plain = single(lstm("lstm_cell"), "LSTM", { forgetBias: 0 }).stateDict;
    expect([...plain.get("bias_ih_l0")!.data]).toEqual([10, 12, 11, 13]);
  });

  it("turns r u and the candidate to r z n, with the reset before", () => {
    const { kind, stateDict, options } = single(gru("rnn/gru_cell"), "GRU");
    expect(numbers(stateDict)).toEqual([
      ["weight_ih_l0", [3, 1], [0, 1, 20]],
      ["weight_hh_l0", [3, 1], [2, 3, 21]],
      ["bias_ih_l0", [3], [10, 11, 30]],
      ["bias_hh_l0", [3], [0, 0, 0]],
    ]);
    expect([kind, options.resetAfter, options.batchFirst]).toEqual(["GRU", false, true]);
  });

  it("takes BasicRNNCell's, and the names of TensorFlow before 1.2", () => {
    const { kind, stateDict, options } = single(
      { "rnn/basic_rnn_cell/weights": count([3, 2]), "rnn/basic_rnn_cell/biases": count([2]) },
      "BasicRNN",
    );
    expect(numbers(stateDict)).toEqual([
      ["weight_ih_l0", [2, 1], [0, 1]],
      ["weight_hh_l0", [2, 2], [2, 4, 3, 5]],
      ["bias_ih_l0", [2], [0, 1]],
      ["bias_hh_l0", [2], [0, 0]],
    ]);
    expect([kind, options.nonlinearity]).toEqual(["RNN", "tanh"]);
  });

  it("keeps peepholes, projection and clip", () => {
    const scope = "rnn/lstm_cell";
    const { stateDict, options } = single(
      {
        ...lstm(scope, [1, 2, 1]),
        [`${scope}/w_f_diag`]: count([2], 40),
        [`${scope}/w_i_diag`]: count([2], 50),
        [`${scope}/w_o_diag`]: count([2], 60),
        [`${scope}/projection/kernel`]: count([2, 1], 70),
      },
      "LSTM",
      { peepholes: true, cellClip: 3, layers: 1, projClip: undefined },
    );
    expect(numbers(stateDict).slice(1)).toEqual([
      ["weight_hh_l0", [8, 1], [8, 9, 12, 13, 10, 11, 14, 15]],
      ["bias_ih_l0", [8], [10, 11, 15, 16, 12, 13, 16, 17]],
      ["bias_hh_l0", [8], new Array(8).fill(0)],
      ["weight_hr_l0", [1, 2], [70, 71]],
      ["weight_ci_l0", [2], [50, 51]],
      ["weight_cf_l0", [2], [40, 41]],
      ["weight_co_l0", [2], [60, 61]],
    ]);
    expect(options).toMatchObject({ hiddenSize: 2, projSize: 1, peepholes: true, cellClip: 3 });
  });

  it("finds the layers of a stack by their numbers, not by the order of names", () => {
    const cells = Array.from({ length: 11 }, (_, at) => lstm(`a/multi_rnn_cell/cell_${at}/basic_lstm_cell`));
    cells[10]!["a/multi_rnn_cell/cell_10/basic_lstm_cell/bias"] = count([4], 100);
    const all = Object.assign({}, ...cells.reverse());
    const { stateDict, options } = single(all, "BasicLSTM", { layers: 11, prefix: "a/" });
    expect(options.numLayers).toBe(11);
    expect(stateDict.get("bias_ih_l10")!.data[0]).toBe(100);
    const one = single(all, "BasicLSTM", { prefix: "a/multi_rnn_cell/cell_10" });
    expect(one.stateDict.get("bias_ih_l0")!.data[0]).toBe(100);
    expect(single(lstm("MultiRNNCell/Cell0/BasicLSTMCell"), "BasicLSTM").options.numLayers).toBe(1);
  });

  it("makes one module of both directions, and of a bidirectional stack", () => {
    const scope = "bidirectional_rnn";
    const both = { ...gru(`${scope}/bw/gru_cell`), ...gru(`${scope}/fw/gru_cell`) };
    both[`${scope}/bw/gru_cell/candidate/bias`] = count([1], 99);
    const { stateDict, options } = single(both, "GRU");
    expect(options).toMatchObject({ bidirectional: true, reverse: false, numLayers: 1 });
    expect(stateDict.get("bias_ih_l0_reverse")!.data[2]).toBe(99);
    const forward = single(both, "GRU", { prefix: `${scope}/fw` });
    expect(forward.options).toMatchObject({ bidirectional: false, reverse: false });
    const backward = single(both, "GRU", { prefix: `${scope}/bw` });
    expect(backward.options).toMatchObject({ bidirectional: false, reverse: true });
    expect(backward.stateDict.get("bias_ih_l0")!.data[2]).toBe(99);

    const stack = (at: number, way: string, inputs: number) =>
      lstm(`stack_bidirectional_rnn/cell_${at}/bidirectional_rnn/${way}/lstm_cell`, [inputs, 1, 1]);
    const stacked = {
      ...stack(0, "fw", 3),
      ...stack(0, "bw", 3),
      ...stack(1, "fw", 2),
      ...stack(1, "bw", 2),
    };
    const all = single(stacked, "LSTM", { layers: 2 });
    expect(all.options).toMatchObject({ bidirectional: true, numLayers: 2, inputSize: 3 });
    expect([...all.stateDict.keys()].filter((name) => name.startsWith("weight_ih"))).toEqual([
      "weight_ih_l0",
      "weight_ih_l0_reverse",
      "weight_ih_l1",
      "weight_ih_l1_reverse",
    ]);
  });

  it("passes over other variables: of optimizers, other layers, and beside the prefix", () => {
    const scope = "generator/rnn/basic_lstm_cell";
    const variables = new Map<string, Tensor>(
      Object.entries({
        ...lstm(scope),
        [`${scope}/kernel/Adam`]: count([2, 4]),
        [`${scope}/kernel/Adam_1`]: count([2, 4]),
        [`OptimizeLoss/${scope}/kernel/Momentum`]: count([2, 4]),
        "dense/kernel": count([1, 4]),
        "dense/bias": count([4]),
        softmax_w: count([1]),
        "discriminator/rnn/basic_lstm_cell/kernel": count([7]),
        global_step: count([]),
      }),
    );
    expect(single(variables, "BasicLSTM", { prefix: "generator" }).stateDict.size).toBe(4);
    variables.delete("discriminator/rnn/basic_lstm_cell/kernel");
    expect(single(variables, "BasicLSTM").stateDict.size).toBe(4);
    const named = { "enc/kernel:0": count([2, 4]), "enc/bias:0": count([4]) };
    expect(single(named, "BasicLSTM", { prefix: "enc" }).stateDict.size).toBe(4);
  });

  it("gives each layer of a stack whose cells differ", () => {
    const name = (at: number, way: string) => `cell_${at}/bidirectional_rnn/${way}/lstm_cell`;
    const peepholes = Object.fromEntries(
      ["fw", "bw"].flatMap((way) =>
        ["i", "f", "o"].map((gate) => [`${name(2, way)}/w_${gate}_diag`, count([2])]),
      ),
    );
    const all = Object.assign(
      peepholes,
      ...["fw", "bw"].map((way) => ({
        ...lstm(name(0, way), [3, 2, 2]),
        ...lstm(name(1, way), [4, 2, 1]),
        [`${name(1, way)}/projection/kernel`]: count([2, 1]),
        ...lstm(name(2, way), [2, 2, 2]),
      })),
    );
    const { kind, stateDict, options, parts } = fromTensorFlow(all, "LSTM", { cellClip: 3 });
    expect([kind, stateDict, options]).toEqual(["LSTM", undefined, undefined]);
    expect(
      parts!.map((part) => [
        part.kind,
        part.options.inputSize,
        part.options.projSize,
        part.options.peepholes,
      ]),
    ).toEqual([
      ["LSTM", 3, 0, false],
      ["LSTM", 4, 1, false],
      ["LSTM", 2, 0, true],
    ]);
    for (const { options: own, stateDict: dict } of parts!) {
      expect(own).toMatchObject({ numLayers: 1, bidirectional: true, batchFirst: true, cellClip: 3 });
      expect(dict.metadata).toEqual({ "": { kind: "LSTM", options: own } });
      expect(dict.get("weight_ih_l0_reverse")!.shape).toEqual([8, own.inputSize]);
    }
    const backward = Object.assign(
      {},
      ...[1, 2].map((units, at) => lstm(`bw/multi_rnn_cell/cell_${at}/lstm_cell`, [1, units, units])),
    );
    const { parts: turned } = fromTensorFlow(backward, "LSTM", { prefix: "bw" });
    expect(turned!.map((part) => [part.options.reverse, part.options.hiddenSize])).toEqual([
      [true, 1],
      [true, 2],
    ]);
  });

  const good = lstm("rnn/lstm_cell");
  const plus = (more: object) => ({ ...good, ...more });
  const cell = (at: number, sizes?: readonly number[]) => lstm(`multi_rnn_cell/cell_${at}/lstm_cell`, sizes);
  it.each<[string, () => unknown, string]>([
    [
      "no cell",
      () => fromTensorFlow({ "dense/kernel": count([2, 4]) }, "LSTM"),
      'variables: no cell of kind LSTM below prefix "": expected kernel and bias in a scope whose last name has ' +
        '"cell" in it, or in the prefix; got "dense/kernel"',
    ],
    [
      "a prefix without cells",
      () => fromTensorFlow(good, "GRU", { prefix: "rnn/l" }),
      'no cell of kind GRU below prefix "rnn/l": expected gates/kernel and candidate/kernel in a scope',
    ],
    [
      "two cells",
      () => fromTensorFlow({ ...good, ...lstm("other/lstm_cell") }, "LSTM"),
      'expected the cells of one layer or stack, got "rnn/lstm_cell", "other/lstm_cell"; give the scope of one',
    ],
    [
      "a normalised cell",
      () => fromTensorFlow({ "a/layer_norm_basic_lstm_cell/kernel": count([2, 4]) }, "BasicLSTM"),
      'the cell "a/layer_norm_basic_lstm_cell" is no BasicLSTM cell',
    ],
    [
      "a normalised cell of another name",
      () => fromTensorFlow(plus({ "rnn/lstm_cell/input/gamma": count([1]) }), "BasicLSTM"),
      'the cell "rnn/lstm_cell" is no BasicLSTM cell: it has "rnn/lstm_cell/input/gamma"',
    ],
    [
      "a layer of Keras",
      () => fromTensorFlow(plus({ "rnn/lstm_cell/recurrent_kernel": count([1]) }), "LSTM"),
      'it has "rnn/lstm_cell/recurrent_kernel"; it is a layer of Keras, whose arrays fromKeras takes',
    ],
    ["a cell of another kind", () => fromTensorFlow(good, "BasicRNN"), '"rnn/lstm_cell" is no BasicRNN cell'],
    [
      "a cell of a name that is known",
      () => fromTensorFlow(lstm("rnn/coupled_input_forget_gate_lstm_cell"), "LSTM"),
      '"rnn/coupled_input_forget_gate_lstm_cell" is no LSTM cell',
    ],
    [
      "a variable twice",
      () => fromTensorFlow(plus({ "rnn/lstm_cell/weights": count([1]) }), "LSTM"),
      '"rnn/lstm_cell/weights" and "rnn/lstm_cell/kernel" are the same variable',
    ],
    [
      "no bias",
      () => fromTensorFlow({ "rnn/lstm_cell/kernel": count([2, 4]) }, "LSTM"),
      'variables: expected "bias" in "rnn/lstm_cell", got "rnn/lstm_cell/kernel"',
    ],
    [
      "two of three peepholes",
      () =>
        fromTensorFlow(
          plus({ "rnn/lstm_cell/w_i_diag": count([1]), "rnn/lstm_cell/w_o_diag": count([1]) }),
          "LSTM",
        ),
      'variables: expected "w_f_diag" in "rnn/lstm_cell"',
    ],
    [
      "peepholes of a kind that has none",
      () => fromTensorFlow(plus({ "rnn/lstm_cell/w_i_diag": count([1]) }), "BasicLSTM"),
      'variables["rnn/lstm_cell/w_i_diag"]: unexpected; a cell of this kind has none',
    ],
    [
      "columns that are no four gates",
      () => fromTensorFlow(plus({ "rnn/lstm_cell/kernel": count([2, 6]) }), "LSTM"),
      'variables["rnn/lstm_cell/kernel"]: expected shape [inputSize + hiddenSize, 4 * hiddenSize], got [2, 6]',
    ],
    [
      "a kernel without columns",
      () => fromTensorFlow(plus({ "rnn/lstm_cell/kernel": count([2, 0]) }), "LSTM"),
      "got [2, 0]",
    ],
    [
      "a kernel that is a list",
      () => fromTensorFlow(plus({ "rnn/lstm_cell/kernel": count([8]) }), "LSTM"),
      "4 * hiddenSize], got [8]",
    ],
    [
      "no row for the input",
      () => fromTensorFlow(plus({ "rnn/lstm_cell/kernel": count([1, 4]) }), "LSTM"),
      "expected more than 1 rows: those of the input, then those of h, got 1",
    ],
    [
      "a bias of another length",
      () => fromTensorFlow(plus({ "rnn/lstm_cell/bias": count([3]) }), "LSTM"),
      'variables["rnn/lstm_cell/bias"]: expected shape [4], got [3]',
    ],
    [
      "a candidate of another size",
      () => fromTensorFlow({ ...gru("gru_cell"), "gru_cell/candidate/kernel": count([3, 1]) }, "GRU"),
      'variables["gru_cell/candidate/kernel"]: expected shape [2, 1], got [3, 1]',
    ],
    [
      "a projection of another size",
      () => fromTensorFlow(plus({ "rnn/lstm_cell/projection/kernel": count([2, 1]) }), "LSTM"),
      'variables["rnn/lstm_cell/projection/kernel"]: expected shape [1, projSize], got [2, 1]',
    ],
    [
      "a cell that takes something else",
      () => fromTensorFlow({ ...cell(0), ...cell(1, [2, 1, 1]) }, "LSTM"),
      'the cell "multi_rnn_cell/cell_1/lstm_cell": expected inputSize 1, hiddenSize 1 as the cells before make it, ' +
        "got inputSize 2, hiddenSize 1; give the scope of one as prefix",
    ],
    [
      "directions of unequal size",
      () =>
        fromTensorFlow({ ...lstm("fw/lstm_cell", [3, 2, 2]), ...lstm("bw/lstm_cell", [3, 1, 1]) }, "LSTM"),
      'the cell "bw/lstm_cell": expected inputSize 3, hiddenSize 2 as the cells before make it, got inputSize 3, h',
    ],
    [
      "directions of which one is projected, with peepholes",
      () =>
        fromTensorFlow(
          {
            ...lstm("fw/lstm_cell", [3, 2, 1]),
            "fw/lstm_cell/projection/kernel": count([2, 1]),
            ...Object.fromEntries(["i", "f", "o"].map((gate) => [`fw/lstm_cell/w_${gate}_diag`, count([2])])),
            ...lstm("bw/lstm_cell", [3, 2, 2]),
          },
          "LSTM",
        ),
      "expected inputSize 3, hiddenSize 2, projSize 1, peepholes as the cells before make it, got",
    ],
    [
      "directions that take something else",
      () => fromTensorFlow({ ...lstm("fw/lstm_cell"), ...lstm("bw/lstm_cell", [2, 1, 1]) }, "LSTM"),
      "expected inputSize 1, hiddenSize 1 as the cells before make it, got inputSize 2",
    ],
    [
      "a missing layer",
      () => fromTensorFlow({ ...cell(0), ...cell(2) }, "LSTM"),
      '"multi_rnn_cell/cell_2/lstm_cell" stands where cell_1 is expected',
    ],
    [
      "a stack for each direction",
      () =>
        fromTensorFlow(
          Object.assign(
            {},
            ...["fw", "bw"].flatMap((way) =>
              [0, 1].map((at) => lstm(`bidirectional_rnn/${way}/multi_rnn_cell/cell_${at}/lstm_cell`)),
            ),
          ),
          "LSTM",
        ),
      "a stack for each direction is no bidirectional stack, whose layers take both directions; give the scope of one",
    ],
    [
      "another count of layers",
      () => fromTensorFlow(good, "LSTM", { layers: 2 }),
      "options.layers: expected 1, as the variables' names say, got 2",
    ],
    [
      "peepholes that are not there",
      () => fromTensorFlow(good, "LSTM", { peepholes: true }),
      "options.peepholes: expected false, as the variables' names say, got true",
    ],
    [
      "a clip of the projection",
      () => fromTensorFlow(good, "LSTM", { projClip: 3 as never }),
      "options.projClip: expected undefined, since no module clips a projection; got 3",
    ],
    [
      "a clip of a cell that has none",
      () => fromTensorFlow(good, "BasicLSTM", { cellClip: 3 }),
      "options.cellClip: expected none for kind BasicLSTM, got 3",
    ],
    [
      "a forget bias of a GRU",
      () => fromTensorFlow(gru("gru_cell"), "GRU", { forgetBias: 1 }),
      "options.forgetBias: expected none for kind GRU, got 1",
    ],
    [
      "a clip of 0",
      () => fromTensorFlow(good, "LSTM", { cellClip: 0 }),
      "options.cellClip: expected a number ab",
    ],
    [
      "an endless forget bias",
      () => fromTensorFlow(good, "LSTM", { forgetBias: Infinity }),
      "options.forgetBias: expected a finite number, got Infinity",
    ],
    [
      "no layers",
      () => fromTensorFlow(good, "LSTM", { layers: 0 }),
      "options.layers: expected an integer of at",
    ],
  ])("refuses %s", (_, call, message) => {
    expect(call).toThrow(RangeError);
    expect(call).toThrow(message);
  });

  it.each<[string, () => unknown, string]>([
    [
      "another kind",
      () => fromTensorFlow(good, "RNN" as never),
      'kind: expected "BasicLSTM" or "LSTM" or "GRU"',
    ],
    ["no variables", () => fromTensorFlow(null as never, "LSTM"), "variables: expected a Map or a record"],
    [
      "a variable that is no tensor",
      () => fromTensorFlow(plus({ "rnn/lstm_cell/bias": 7 as never }), "LSTM"),
      'variables["rnn/lstm_cell/bias"]: expected a Tensor or { data, shape }, got 7',
    ],
    [
      "names that are numbers",
      () => fromTensorFlow(new Map([[7, good]]) as never, "LSTM"),
      "names that are strings",
    ],
    [
      "a prefix that is none",
      () => fromTensorFlow(good, "LSTM", { prefix: 7 as never }),
      "options.prefix: expected",
    ],
    [
      "an unknown option",
      () => fromTensorFlow(good, "LSTM", { clip: 3 } as never),
      "options.clip: unknown option",
    ],
    [
      "text as clip",
      () => fromTensorFlow(good, "LSTM", { cellClip: "3" as never }),
      "options.cellClip: expected a n",
    ],
    [
      "text as bias",
      () => fromTensorFlow(good, "LSTM", { forgetBias: "1" as never }),
      "options.forgetBias: expected",
    ],
  ])("takes no %s", (_, call, message) => {
    expect(call).toThrow(TypeError);
    expect(call).toThrow(message);
  });
});
