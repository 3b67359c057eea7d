import { describe, expect, it } from "vitest";
import { readGuitarML } from "../../src/formats/amp/guitarml.js";
import { readNam } from "../../src/formats/amp/nam.js";
import { readRTNeural } from "../../src/formats/amp/rtneural.js";
import { FormatError } from "../../src/formats/bytes.js";
import { fromKeras } from "../../src/formats/keras/from-keras.js";
import { readWeights } from "../../src/formats/read-weights.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { randomRows, rowsOf, torchLstm } from "../support/reference.js";

const clone = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value));

/** A change to a good file, and what the reader says of it. */
type Refusal<File> = [string, (file: File) => void, string];

const H = 2;
/** Two layers: 4H(1+H) + 6H and 4H(2H) + 6H numbers, and a head of one output. */
const NAM = {
  version: "0.5.2",
  architecture: "LSTM",
  config: { input_size: 1, hidden_size: H, num_layers: 2 },
  weights: Array.from(Tensor.randn([36 + 44 + 3], 1).data),
  sample_rate: 48000 as number | null,
};

describe("readNam", () => {
  it("reads five million numbers of one digit", () => {
    const hidden = 1115;
    const count = 4 * hidden * (1 + hidden) + 6 * hidden + hidden + 1;
    const config = `{"input_size":1,"hidden_size":${hidden},"num_layers":1}`;
    const weights = `[${"7,".repeat(count - 1)}5]`;
    const model = readNam(
      `{"version":"0.5.2","architecture":"LSTM","config":${config},"weights":${weights}}`,
    );
    expect(count).toBeGreaterThan(4.98e6);
    expect(model.recurrent.get("weight_hh_l0")!.data.every((weight) => weight === 7)).toBe(true);
    expect([...model.head.get("bias")!.data]).toEqual([5]);
  });

  it("gives an LSTM that computes what the player does", () => {
    const model = readNam(JSON.stringify(NAM));
    expect(model).toMatchObject({ kind: "LSTM", inputSize: 1, hiddenSize: 2, numLayers: 2, outputSize: 1 });
    expect(model).toMatchObject({ skip: false, inputGain: 1, outputGain: 1, sampleRate: 48000 });
    const [h0, c0] = model.initialState!;
    expect(h0.shape).toEqual([2, 1, H]);
    // The player's own steps, from the flat list: W [x, h] + b, gates i f g o.
    const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));
    const input = [0.7];
    let x = input;
    let next = 0;
    const take = (count: number) => {
      next += count;
      return NAM.weights.slice(next - count, next);
    };
    let ours = input;
    for (const layer of [0, 1]) {
      const w = rowsOf({ data: take(4 * H * (x.length + H)), shape: [4 * H, x.length + H] });
      const b = take(4 * H);
      const [h, c] = [take(H), take(H)];
      expect(Array.from(h0.data.subarray(layer * H, layer * H + H))).toEqual(h);
      expect(Array.from(c0.data.subarray(layer * H, layer * H + H))).toEqual(c);
      [ours] = torchLstm(model.recurrent as never, `l${layer}`, ours, h, c);
      const a = w.map((row, at) =>
        [...x, ...h].reduce((sum, value, column) => sum + row[column]! * value, b[at]!),
      );
      x = h.map((_, unit) => {
        const cell = sigmoid(a[H + unit]!) * c[unit]! + sigmoid(a[unit]!) * Math.tanh(a[2 * H + unit]!);
        return sigmoid(a[3 * H + unit]!) * Math.tanh(cell);
      });
      for (const unit of [0, 1]) expect(ours[unit]).toBeCloseTo(x[unit]!, 12);
    }
    expect(Array.from(model.head.get("weight")!.data as Float32Array)).toEqual(take(H));
    expect(Array.from(model.head.get("bias")!.data as Float32Array)).toEqual(take(1));
    expect(next).toBe(NAM.weights.length);
  });

  it("takes bytes, text and objects, and more outputs", () => {
    const text = JSON.stringify(NAM);
    expect(readNam(NAM)).toEqual(readNam(text));
    expect(readNam(new TextEncoder().encode(text))).toEqual(readNam(text));
    const wide = readNam({ ...NAM, weights: [...NAM.weights, 1, 2, 3], sample_rate: null });
    expect(wide.outputSize).toBe(2);
    expect(wide.head.get("weight")?.shape).toEqual([2, H]);
    expect(wide.sampleRate).toBeUndefined();
    const config = { ...NAM.config, in_channels: 1, out_channels: 1 };
    expect(readNam({ ...NAM, version: "0.7.0", config })).toEqual(readNam(NAM));
  });

  it.each<Refusal<typeof NAM>>([
    [
      "another version",
      (f) => (f.version = "0.8.0"),
      'nam: version: expected "0.5.x" to "0.7.x", got "0.8.0"',
    ],
    [
      "another architecture",
      (f) => (f.architecture = "WaveNet"),
      'nam: architecture "WaveNet" is not supported; supported is "LSTM"',
    ],
    ["no config", (f) => (f.config = 1 as never), "nam: config: expected an object, got 1"],
    [
      "no hidden units",
      (f) => (f.config.hidden_size = 0),
      "nam: config.hidden_size: expected an integer from 1 to 65536, got 0",
    ],
    [
      "many layers",
      (f) => (f.config.num_layers = 1e9),
      "nam: config.num_layers: expected an integer from 1 to 1024, got 1000000000",
    ],
    [
      "few weights",
      (f) => f.weights.pop(),
      "nam: weights: expected 80 numbers for 2 layers and a multiple of 3 for the head, got 82",
    ],
    ["no weights", (f) => (f.weights = []), "got 0"],
    [
      "channels that do not fit",
      (f) => Object.assign(f.config, { in_channels: 2 }),
      "nam: config.in_channels: expected input_size 1, got 2",
    ],
    [
      "outputs that do not fit",
      (f) => Object.assign(f.config, { out_channels: 2 }),
      "nam: config.out_channels: expected 1 as the weights have it, got 2",
    ],
    [
      "a text among the weights",
      (f) => (f.weights[3] = "1" as never),
      'nam: weights[3]: expected a number, got "1"',
    ],
    [
      "nested weights",
      (f) => (f.weights = [f.weights] as never),
      "nam: weights: expected a flat list of numbers",
    ],
    ["a rate of 0", (f) => (f.sample_rate = 0), "nam: sample_rate: expected a rate above 0, got 0"],
  ])("refuses %s", (_, change, message) => {
    const file = clone(NAM);
    change(file);
    expect(() => readNam(file)).toThrow(FormatError);
    expect(() => readNam(file)).toThrow(message);
  });

  it("refuses what is not JSON, and what is no source", () => {
    expect(() => readNam("{")).toThrow("nam: not valid JSON: ");
    expect(() => readNam("[]")).toThrow("nam: expected an object, got an array of length 0");
    expect(() => readNam(1 as never)).toThrow(TypeError);
    const loop: unknown[] = [];
    loop.push(loop);
    expect(() => readNam({ ...NAM, weights: loop })).toThrow("nam: weights: expected fewer dimensions");
  });
});

const GUITARML = {
  model_data: {
    model: "SimpleRNN",
    input_size: 2,
    skip: 1,
    output_size: 1,
    unit_type: "GRU",
    num_layers: 1,
    hidden_size: H,
    bias_fl: true,
  },
  state_dict: {
    "rec.weight_ih_l0": randomRows(6, 2, 1),
    "rec.weight_hh_l0": randomRows(6, 2, 2),
    "rec.bias_ih_l0": randomRows(1, 6, 3)[0],
    "rec.bias_hh_l0": randomRows(1, 6, 4)[0],
    "lin.weight": randomRows(1, 2, 5),
    "lin.bias": [0.5],
  } as Record<string, unknown>,
};

describe("readGuitarML", () => {
  it("gives the tensors under PyTorch's names", () => {
    const model = readGuitarML(JSON.stringify(GUITARML));
    expect(model).toMatchObject({
      kind: "GRU",
      inputSize: 2,
      hiddenSize: 2,
      numLayers: 1,
      outputSize: 1,
      skip: true,
    });
    expect([...model.recurrent.keys()]).toEqual(["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]);
    expect(rowsOf(model.recurrent.get("weight_ih_l0") as never)).toEqual(
      GUITARML.state_dict["rec.weight_ih_l0"],
    );
    expect([...model.head.keys()]).toEqual(["weight", "bias"]);
    expect(model.initialState).toBeUndefined();
  });

  it("takes an LSTM of two layers without a bias in its head", () => {
    const state_dict: Record<string, unknown> = { "lin.weight": [[1, 2]] };
    for (const layer of [0, 1]) {
      state_dict[`rec.weight_ih_l${layer}`] = randomRows(8, layer === 0 ? 1 : 2, 1);
      state_dict[`rec.weight_hh_l${layer}`] = randomRows(8, 2, 2);
      state_dict[`rec.bias_ih_l${layer}`] = randomRows(1, 8, 3)[0];
      state_dict[`rec.bias_hh_l${layer}`] = randomRows(1, 8, 4)[0];
    }
    const data = {
      ...GUITARML.model_data,
      unit_type: "LSTM",
      input_size: 1,
      num_layers: 2,
      skip: 0,
      bias_fl: false,
    };
    const model = readGuitarML({ model_data: data, state_dict });
    expect(model).toMatchObject({ kind: "LSTM", numLayers: 2, skip: false });
    expect(model.recurrent.size).toBe(8);
    expect([...model.head.keys()]).toEqual(["weight"]);
  });

  it.each<Refusal<typeof GUITARML>>([
    [
      "another network",
      (f) => (f.model_data.model = "ConvNet"),
      'guitarml: model_data.model: expected "SimpleRNN", got "ConvNet"',
    ],
    [
      "another unit",
      (f) => (f.model_data.unit_type = "RNN"),
      'guitarml: model_data.unit_type: expected "LSTM" or "GRU", got "RNN"',
    ],
    [
      "a skip of several channels",
      (f) => (f.model_data.skip = 2),
      "guitarml: model_data.skip: expected an integer from 0 to 1, got 2",
    ],
    [
      "a missing tensor",
      (f) => delete f.state_dict["rec.bias_hh_l0"],
      "guitarml: state_dict.rec.bias_hh_l0: expected an array of numbers, got undefined",
    ],
    [
      "a tensor too many",
      (f) => (f.state_dict["rec.weight_ih_l1"] = [[1]]),
      'guitarml: state_dict: tensor "rec.weight_ih_l1" is unexpected',
    ],
    [
      "a wrong shape",
      (f) => (f.state_dict["lin.weight"] = [[1, 2, 3]]),
      "guitarml: state_dict.lin.weight: expected shape [1, 2], got [1, 3]",
    ],
    [
      "rows of unequal length",
      (f) => (f.state_dict["rec.weight_hh_l0"] = [[1, 2], [3], [], [], [], []]),
      "guitarml: state_dict.rec.weight_hh_l0[1]: expected an array of length 2, got an array of length 1",
    ],
  ])("refuses %s", (_, change, message) => {
    const file = clone(GUITARML);
    change(file);
    expect(() => readGuitarML(file)).toThrow(FormatError);
    expect(() => readGuitarML(file)).toThrow(message);
  });
});

const LSTM = [randomRows(1, 8, 1), randomRows(2, 8, 2), randomRows(1, 8, 3)[0]];
const RTNEURAL = {
  in_shape: [null, null, 1],
  layers: [
    { type: "lstm", activation: "tanh", shape: [null, null, 2], weights: LSTM as unknown[] },
    {
      type: "dense",
      activation: "",
      shape: [null, null, 3],
      weights: [
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        [7, 8, 9],
      ] as unknown[],
    },
  ],
  in_skip: 1,
  in_gain: -6,
  metadata: { samplerate: "x" as unknown },
};

describe("readRTNeural", () => {
  const good = () => ({ ...clone(RTNEURAL), metadata: { samplerate: 44100 as unknown } });

  it("turns Keras' layout into PyTorch's", () => {
    const model = readRTNeural(JSON.stringify(good()));
    expect(model).toMatchObject({ kind: "LSTM", inputSize: 1, hiddenSize: 2, numLayers: 1, outputSize: 3 });
    expect(model).toMatchObject({ skip: true, outputGain: 1, sampleRate: 44100 });
    expect(model.inputGain).toBeCloseTo(0.501187, 6);
    const [kernel, recurrentKernel, bias] = LSTM as never[];
    expect(model.recurrent).toEqual(
      fromKeras({ kernel: kernel!, recurrentKernel: recurrentKernel!, bias: bias! }, "LSTM"),
    );
    expect(rowsOf(model.head.get("weight") as never)).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
    expect(model.head.get("bias")?.data).toEqual(Float32Array.of(7, 8, 9));
  });

  it("stacks GRU layers, and takes files without skip, gains and rate", () => {
    const gru = (inputs: number) => ({
      type: "gru",
      activation: "",
      weights: [randomRows(inputs, 6, 1), randomRows(2, 6, 2), randomRows(2, 6, 3)],
    });
    const model = readRTNeural({
      in_shape: [null, null, 1],
      layers: [gru(1), gru(2), { ...RTNEURAL.layers[1], type: "time-distributed-dense" }],
      out_gain: -100,
    });
    expect(model).toMatchObject({ kind: "GRU", numLayers: 2, skip: false, inputGain: 1, outputGain: 0 });
    expect(model.sampleRate).toBeUndefined();
    expect([...model.recurrent.keys()].filter((name) => name.startsWith("weight_ih"))).toEqual([
      "weight_ih_l0",
      "weight_ih_l1",
    ]);
  });

  it("takes numbers that are texts, as AIDA-X writes the sample rate", () => {
    const file = {
      ...good(),
      in_shape: [null, null, "1"],
      in_skip: "0",
      in_gain: "-6.0",
      samplerate: "48000",
    };
    const model = readRTNeural({ ...file, metadata: {} });
    expect(model).toMatchObject({ inputSize: 1, skip: false, sampleRate: 48000 });
    expect(model.inputGain).toBeCloseTo(0.501187, 6);
    expect(readRTNeural({ ...file, metadata: { samplerate: "44100" } }).sampleRate).toBe(44100);
    for (const samplerate of ["", " 48000", "0x10", "Infinity", "1".repeat(33)]) {
      expect(() => readRTNeural({ ...file, metadata: {}, samplerate })).toThrow(
        "samplerate: expected a number",
      );
    }
  });

  const stateDict = () => ({
    "lstm.weight_ih_l0": randomRows(8, 1, 1),
    "lstm.weight_hh_l0": randomRows(8, 2, 2),
    "lstm.bias_ih_l0": randomRows(1, 8, 3)[0] as unknown,
    "lstm.bias_hh_l0": randomRows(1, 8, 4)[0],
    "dense.weight": randomRows(1, 2, 5),
    "dense.bias": [0.5],
    samplerate: "48000",
  });

  it("reads a PyTorch state dict that was written as JSON", () => {
    const dict = stateDict();
    const model = readRTNeural(JSON.stringify(dict));
    expect(model).toMatchObject({ kind: "LSTM", inputSize: 1, hiddenSize: 2, numLayers: 1, outputSize: 1 });
    expect(model).toMatchObject({ skip: false, inputGain: 1, outputGain: 1, sampleRate: 48000 });
    expect(rowsOf(model.recurrent.get("weight_hh_l0") as never)).toEqual(
      dict["lstm.weight_hh_l0"].map((row) => row.map(Math.fround)),
    );
    expect([...model.recurrent.keys()].sort()).toEqual([
      "bias_hh_l0",
      "bias_ih_l0",
      "weight_hh_l0",
      "weight_ih_l0",
    ]);
    expect(model.head.get("bias")?.data).toEqual(Float32Array.of(0.5));
    const bytes = new TextEncoder().encode(JSON.stringify(dict));
    expect(readWeights(bytes)).toEqual({ format: "rtneural", value: model });
  });

  it.each<Refusal<Record<string, unknown>>>([
    [
      "two heads",
      (f) => (f["out.weight"] = [[1]]),
      'rtneural: expected one LSTM or GRU and one Linear layer, got LSTM "lstm.", Linear "dense.", Linear "out."',
    ],
    [
      "no layer",
      (f) => (f["lstm.weight_hh_l0"] = 1),
      'rtneural: expected one LSTM or GRU and one Linear layer, got Linear "dense."',
    ],
    ["a row that is short", (f) => (f["dense.weight"] = [[1, 2], [3]]), "expected an array of length 2"],
    [
      "a head of another size",
      (f) => (f["dense.weight"] = [[1, 2, 3]]),
      "rtneural: dense.weight: expected shape [out, 2], got [1, 3]",
    ],
    [
      "both directions",
      (f) => (f["lstm.weight_ih_l0_reverse"] = f["lstm.weight_ih_l0"]),
      'rtneural: LSTM "lstm.": expected one direction without a projection',
    ],
    [
      "one bias",
      (f) => delete f["lstm.bias_hh_l0"],
      "rtneural: lstm.bias_hh_l0: expected shape [8], got none",
    ],
    [
      "a layer without its weights",
      (f) => (f["lstm.bias_ih_l1"] = f["lstm.bias_ih_l0"]),
      "rtneural: lstm.: 1 tensors of layers without their weights",
    ],
  ])("refuses a state dict with %s", (_, change, message) => {
    const dict = stateDict();
    change(dict);
    expect(() => readRTNeural(dict)).toThrow(FormatError);
    expect(() => readRTNeural(dict)).toThrow(message);
  });

  it.each<Refusal<ReturnType<typeof good>>>([
    ["no input shape", (f) => (f.in_shape = []), "rtneural: in_shape: expected at least one size"],
    ["no layers", (f) => (f.layers = []), "rtneural: layers: expected recurrent layers and a dense one"],
    [
      "an unknown layer",
      (f) => (f.layers[0]!.type = "conv1d"),
      'rtneural: layers[0].type: expected "lstm" or "gru", got "conv1d"',
    ],
    [
      "another activation",
      (f) => (f.layers[0]!.activation = "relu"),
      'rtneural: layers[0].activation: expected "" or "tanh", got "relu"',
    ],
    [
      "an activation of the head",
      (f) => (f.layers[1]!.activation = "tanh"),
      'rtneural: layers[1].activation: expected "" or "linear", got "tanh"',
    ],
    [
      "another layer at the end",
      (f) => (f.layers[1]!.type = "lstm"),
      'rtneural: layers[1].type: expected "dense" or "time-distributed-dense", got "lstm"',
    ],
    [
      "a missing bias",
      (f) => f.layers[0]!.weights.pop(),
      "rtneural: layers[0].weights: expected [kernel, recurrent, bias], got an array of length 2",
    ],
    [
      "a bias of the wrong length",
      (f) => (f.layers[0]!.weights[2] = [1]),
      "rtneural: layers[0]: bias: expected shape [8], got [1]",
    ],
    [
      "inputs that do not fit",
      (f) => (f.in_shape = [null, null, 2 as never]),
      "rtneural: layers[0]: expected 2 inputs, got 1",
    ],
    [
      "a head that does not fit",
      (f) => (f.layers[1]!.weights[0] = [[1, 2, 3]]),
      "rtneural: layers[1]: kernel: expected shape [2, out], got [1, 3]",
    ],
    [
      "a head's bias that does not fit",
      (f) => (f.layers[1]!.weights[1] = [1]),
      "rtneural: layers[1]: bias: expected shape [3], got [1]",
    ],
    [
      "a head without a bias",
      (f) => f.layers[1]!.weights.pop(),
      "rtneural: layers[1].weights: expected [kernel, bias], got an array of length 1",
    ],
    [
      "a head without weights",
      (f) => (f.layers[1]!.weights = []),
      "rtneural: layers[1].weights: expected [kernel, bias], got an array of length 0",
    ],
    [
      "a gain of 121 dB",
      (f) => (f.in_gain = 121),
      "rtneural: in_gain: expected at most 120 decibels, got 121",
    ],
    ["a skip of 2", (f) => (f.in_skip = 2), "rtneural: in_skip: expected an integer from 0 to 1, got 2"],
    [
      "a rate that is text",
      (f) => (f.metadata.samplerate = "x"),
      "rtneural: metadata.samplerate: expected a number",
    ],
  ])("refuses %s", (_, change, message) => {
    const file = good();
    change(file);
    expect(() => readRTNeural(file)).toThrow(FormatError);
    expect(() => readRTNeural(file)).toThrow(message);
  });

  it("refuses layers of different sizes", () => {
    const file = good();
    const lstm = {
      ...file.layers[0]!,
      weights: [randomRows(2, 4, 1), randomRows(1, 4, 2), randomRows(1, 4, 3)[0]],
    };
    file.layers.splice(1, 0, lstm);
    expect(() => readRTNeural(file)).toThrow(
      "rtneural: layers[1]: expected hidden size 2 as the layer before, got 1",
    );
  });
});
