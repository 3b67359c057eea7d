/** What modules print: PyTorch 2.15.0's own text for the same module, and tables of parameters. */
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import {
  Conv1d,
  Dropout,
  Embedding,
  elu,
  GRU,
  GRUCell,
  GroupNorm,
  LayerNorm,
  Linear,
  LSTM,
  LSTMCell,
  leakyRelu,
  maxPool1d,
  RNN,
  RNNCell,
  relu,
  Sequential,
  sigmoid,
  type Tensor,
  tanh,
} from "../../src/index.js";

const SIZES = { inputSize: 3, hiddenSize: 5 };

/** With options that PyTorch has not, in the same way. */
const PRINTED_OPTIONS = {
  "LSTM(3, 5, activation=softsign, cell_clip=2, peepholes=True)": () =>
    new LSTM({ ...SIZES, activation: "softsign", peepholes: true, cellClip: 2 }),
  "GRU(3, 5, recurrent_activation=hardSigmoid(alpha=0.2, beta=0.5), reset_after=False)": () =>
    new GRU({
      ...SIZES,
      resetAfter: false,
      recurrentActivation: { name: "hardSigmoid", alpha: 0.2, beta: 0.5 },
    }),
  "RNN(3, 5, nonlinearity=elu(alpha=0.5), clip=1.5, go_backwards=True)": () =>
    new RNN({ ...SIZES, nonlinearity: { name: "elu", alpha: 0.5 }, clip: 1.5, goBackwards: true }),
  "LSTMCell(3, 5, input_forget=True)": () => new LSTMCell({ ...SIZES, inputForget: true }),
};

/** `print(module)` of PyTorch 2.15.0, and the module here. */
const PRINTED = {
  "LSTM(40, 64, num_layers=2, batch_first=True)": () =>
    new LSTM({ inputSize: 40, hiddenSize: 64, numLayers: 2, batchFirst: true }),
  "LSTM(3, 5)": () => new LSTM(SIZES),
  "LSTM(3, 5, proj_size=2, num_layers=2, bias=False, batch_first=True, dropout=0.25, bidirectional=True)":
    () =>
      new LSTM({
        ...{ bidirectional: true, dropout: 0.25, batchFirst: true, bias: false, numLayers: 2, projSize: 2 },
        ...SIZES,
      }),
  "LSTM(3, 5, num_layers=2, dropout=1.0)": () => new LSTM({ ...SIZES, numLayers: 2, dropout: 1 }),
  "GRU(3, 5, num_layers=3, bidirectional=True)": () =>
    new GRU({ ...SIZES, numLayers: 3, bidirectional: true }),
  "RNN(3, 5)": () => new RNN(SIZES),
  "RNN(3, 5, bias=False)": () => new RNN({ ...SIZES, bias: false }),
  "LSTMCell(3, 5)": () => new LSTMCell(SIZES),
  "LSTMCell(3, 5, bias=False)": () => new LSTMCell({ ...SIZES, bias: false }),
  "GRUCell(3, 5, bias=False)": () => new GRUCell({ ...SIZES, bias: false }),
  "RNNCell(3, 5)": () => new RNNCell(SIZES),
  "RNNCell(3, 5, bias=False, nonlinearity=relu)": () =>
    new RNNCell({ ...SIZES, bias: false, nonlinearity: "relu" }),
  "Linear(in_features=64, out_features=1, bias=True)": () => new Linear({ inFeatures: 64, outFeatures: 1 }),
  "Linear(in_features=64, out_features=1, bias=False)": () =>
    new Linear({ inFeatures: 64, outFeatures: 1, bias: false }),
  "Embedding(10, 3)": () => new Embedding({ numEmbeddings: 10, embeddingDim: 3 }),
  "Embedding(10, 3, padding_idx=0)": () =>
    new Embedding({ numEmbeddings: 10, embeddingDim: 3, paddingIdx: 0 }),
  "Embedding(10, 3, padding_idx=9)": () =>
    new Embedding({ numEmbeddings: 10, embeddingDim: 3, paddingIdx: -1 }),
  "Conv1d(1, 8, kernel_size=(3,), stride=(1,))": () =>
    new Conv1d({ inChannels: 1, outChannels: 8, kernelSize: 3 }),
  "Conv1d(4, 8, kernel_size=(3,), stride=(2,), padding=(1,), dilation=(2,), groups=2, bias=False)": () =>
    new Conv1d({
      ...{ bias: false, groups: 2, dilation: 2, padding: 1, stride: 2 },
      ...{ inChannels: 4, outChannels: 8, kernelSize: 3 },
    }),
  "Conv1d(4, 8, kernel_size=(3,), stride=(1,), padding=same)": () =>
    new Conv1d({ inChannels: 4, outChannels: 8, kernelSize: 3, padding: "same" }),
  "Conv1d(4, 8, kernel_size=(3,), stride=(1,), padding=valid)": () =>
    new Conv1d({ inChannels: 4, outChannels: 8, kernelSize: 3, padding: "valid" }),
  "Conv1d(4, 8, kernel_size=(3,), stride=(1,), padding=(2,), padding_mode=reflect)": () =>
    new Conv1d({ inChannels: 4, outChannels: 8, kernelSize: 3, padding: 2, paddingMode: "reflect" }),
  "LayerNorm((8,), eps=1e-05, elementwise_affine=True, bias=True)": () =>
    new LayerNorm({ normalizedShape: 8 }),
  "LayerNorm((4, 8), eps=1e-06, elementwise_affine=False, bias=False)": () =>
    new LayerNorm({ normalizedShape: [4, 8], eps: 1e-6, elementwiseAffine: false }),
  "LayerNorm((8,), eps=1.5e-07, elementwise_affine=True, bias=False)": () =>
    new LayerNorm({ normalizedShape: [8], eps: 1.5e-7, bias: false }),
  "LayerNorm((8,), eps=0.00012, elementwise_affine=True, bias=True)": () =>
    new LayerNorm({ normalizedShape: 8, eps: 0.00012 }),
  "LayerNorm((8,), eps=1e-12, elementwise_affine=True, bias=True)": () =>
    new LayerNorm({ normalizedShape: 8, eps: 1e-12 }),
  "LayerNorm((8,), eps=0.0, elementwise_affine=True, bias=True)": () =>
    new LayerNorm({ normalizedShape: 8, eps: 0 }),
  "GroupNorm(2, 8, eps=1e-05, affine=True, bias=True)": () => new GroupNorm({ numGroups: 2, numChannels: 8 }),
  "GroupNorm(2, 8, eps=0.001, affine=False, bias=False)": () =>
    new GroupNorm({ numGroups: 2, numChannels: 8, eps: 1e-3, affine: false }),
  "GroupNorm(2, 8, eps=1e-05, affine=True, bias=False)": () =>
    new GroupNorm({ numGroups: 2, numChannels: 8, bias: false }),
  "Dropout(p=0.5, inplace=False)": () => new Dropout(),
  "Dropout(p=0.1, inplace=True)": () => new Dropout({ p: 0.1, inplace: true }),
  "Sequential()": () => new Sequential(),
  [`Sequential(
  (0): Embedding(100, 8)
  (1): LSTM(8, 16)
  (2): Sequential(
    (0): Linear(in_features=16, out_features=2, bias=True)
    (1): ReLU()
    (2): ELU(alpha=1.0)
    (3): Tanh()
    (4): Sigmoid()
    (5): LeakyReLU(negative_slope=0.01)
  )
)`]: () =>
    new Sequential(
      new Embedding({ numEmbeddings: 100, embeddingDim: 8 }),
      new LSTM({ inputSize: 8, hiddenSize: 16 }),
      new Sequential(new Linear({ inFeatures: 16, outFeatures: 2 }), relu, elu, tanh, sigmoid, leakyRelu),
    ),
  [`Sequential(
  (embed): Embedding(100, 8)
  (head): Sequential(
    (0): Linear(in_features=2, out_features=2, bias=True)
  )
  (empty): Sequential()
)`]: () =>
    new Sequential({
      embed: new Embedding({ numEmbeddings: 100, embeddingDim: 8 }),
      head: new Sequential(new Linear({ inFeatures: 2, outFeatures: 2 })),
      empty: new Sequential(),
    }),
};

describe("modules print as PyTorch's", () => {
  it.each(Object.entries({ ...PRINTED, ...PRINTED_OPTIONS }))("%s", (text, make) => {
    const module = make();
    expect(String(module)).toBe(text);
    expect(`${module}`).toBe(text);
    expect(inspect(module)).toBe(text);
    module.dispose();
    expect(inspect(module)).toBe(text);
  });

  it("and with what PyTorch has no word for", () => {
    using lstm = new LSTM({ ...SIZES, bidirectional: true, precision: "int8" });
    expect(String(lstm)).toBe("LSTM(3, 5, bidirectional=True, precision=int8)");
    using linear = new Linear({ inFeatures: 3, outFeatures: 4, precision: "int8" });
    expect(String(linear)).toBe("Linear(in_features=3, out_features=4, bias=True, precision=int8)");
    // PyTorch leaves it out of an RNN, and has it in an RNNCell: two RNNs that compute otherwise print the same.
    using rnn = new RNN({ ...SIZES, nonlinearity: "relu" });
    expect(String(rnn)).toBe("RNN(3, 5, nonlinearity=relu)");
    const thirds = (x: Tensor) => maxPool1d(x, 3);
    const unnamed = Object.defineProperty((x: Tensor) => x, "name", { value: Symbol("x") });
    using chain = new Sequential([thirds, (x) => maxPool1d(x, 2), unnamed]);
    expect(String(chain)).toBe("Sequential(\n  (0): thirds()\n  (1): function()\n  (2): Symbol(x)()\n)");
  });

  it("by the name of a user's class", () => {
    class Encoder extends GRU {
      depth = 1;
    }
    class Net extends Sequential {}
    using net = new Net(new Encoder({ ...SIZES, batchFirst: true }));
    expect(String(net)).toBe("Net(\n  (0): Encoder(3, 5, batch_first=True)\n)");
  });

  it("inside other objects, and streams by their module", () => {
    using chain = new Sequential(new GRU(SIZES));
    using stream = new LSTM(SIZES).stream({ batchSize: 2 });
    expect(inspect({ chain, stream })).toBe(`{
  chain: Sequential(
    (0): GRU(3, 5)
  ),
  stream: Stream(LSTM(3, 5), batch_size=2)
}`);
  });
});

describe("numParameters", () => {
  it("is how many numbers the parameters have, as PyTorch counts them", () => {
    for (const make of Object.values(PRINTED)) {
      using module = make();
      const numbers = [...module.stateDict().values()].reduce((sum, { data }) => sum + data.length, 0);
      expect(module.numParameters).toBe(numbers);
    }
    // sum(p.numel() for p in torch.nn.LSTM(40, 64, num_layers=2).parameters())
    using lstm = new LSTM({ inputSize: 40, hiddenSize: 64, numLayers: 2 });
    expect(lstm.numParameters).toBe(60416);
    lstm.dispose();
    expect(lstm.numParameters).toBe(60416);
  });

  it("counts int8 weights, not their scales, and what is used twice once", () => {
    using linear = new Linear({ inFeatures: 3, outFeatures: 4, precision: "int8" });
    expect(linear.numParameters).toBe(16);
    using chain = new Sequential(
      linear,
      relu,
      new Sequential(linear, new Linear({ inFeatures: 4, outFeatures: 1 })),
    );
    expect(chain.numParameters).toBe(21);
  });
});

describe("summary", () => {
  it("of a module", () => {
    using lstm = new LSTM({ inputSize: 40, hiddenSize: 64, numLayers: 2, batchFirst: true });
    expect(lstm.summary()).toBe(
      [
        " parameters        bytes  layer",
        "      60416       241664  LSTM(40, 64, num_layers=2, batch_first=True)",
        "      60416       241664  total",
      ].join("\n"),
    );
  });

  it("of a Sequential has its parts, also after dispose", () => {
    const linear = new Linear({ inFeatures: 3, outFeatures: 4, precision: "int8" });
    const tail = new Sequential({ norm: new LayerNorm({ normalizedShape: 4 }), again: linear });
    using chain = new Sequential([new GRU(SIZES), relu, linear, tail, tail]);
    const summary = chain.summary();
    expect(summary).toBe(
      [
        " parameters        bytes  layer",
        "        150          600  (0): GRU(3, 5)",
        "          0            0  (1): ReLU()",
        "         16           44  (2): Linear(in_features=3, out_features=4, bias=True, precision=int8)",
        "          8           32  (3.norm): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)",
        "          0            0  (3.again): Linear(in_features=3, out_features=4, bias=True, precision=int8)",
        "          0            0  (4.norm): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)",
        "          0            0  (4.again): Linear(in_features=3, out_features=4, bias=True, precision=int8)",
        "        174          676  total",
      ].join("\n"),
    );
    chain.dispose();
    expect(chain.summary()).toBe(summary);
  });

  it("has the bytes of the state dict", () => {
    for (const module of [
      new LSTM({ ...SIZES, projSize: 2, numLayers: 2, precision: "int8" }),
      new Conv1d({ inChannels: 4, outChannels: 8, kernelSize: 3, groups: 2 }),
      new Embedding({ numEmbeddings: 10, embeddingDim: 3 }),
    ]) {
      const dict = module.stateDict<Float32Array | Int8Array>();
      const bytes = [...dict.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
      expect(module.summary()).toMatch(new RegExp(` ${bytes}  total$`));
      module.dispose();
    }
  });
});
