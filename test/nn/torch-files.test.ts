/** Files of current PyTorch: each layer that they hold computes what PyTorch computes with it. */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  type FileDict,
  quantizeStateDict,
  readSafetensors,
  readTorch,
  type StateDict,
} from "../../src/formats/index.js";
import { Conv1d, Embedding, GRU, GRUCell, Linear, LSTM, LSTMCell, RNN, RNNCell } from "../../src/index.js";
import { Tensor } from "../../src/tensor/tensor.js";

const FOLDER = new URL("../formats/files/torch-current/", import.meta.url);

interface Numbers {
  readonly shape: number[];
  readonly data: number[];
}

const CLASSES = { Conv1d, Embedding, GRU, GRUCell, LSTM, LSTMCell, Linear, RNN, RNNCell };
type Kind = keyof typeof CLASSES;

/** By prefix, what make_torch_current.py says of a layer. */
type Layers = Record<string, { readonly kind: Kind; readonly input: Numbers; readonly output: Numbers }>;

interface File {
  readonly layers: Layers;
  readonly skipped?: readonly string[];
  /** By name, what PyTorch's quantised weights consist of. */
  readonly integers?: Record<string, { readonly integers: number[]; readonly scales: number[] }>;
}

const EXPECTED: Record<string, File> = Object.assign(
  {},
  ...["expected.json", "expected-2.4.json"].map((name) =>
    JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")),
  ),
);

const bytesOf = (name: string) => new Uint8Array(readFileSync(new URL(name, FOLDER)));

function read(name: string): FileDict {
  return (name.endsWith(".safetensors") ? readSafetensors : readTorch)(bytesOf(name));
}

/** The same with floats in place of int8 weights. */
function inFloats(dict: StateDict): StateDict {
  const floats: StateDict = new Map();
  for (const [name, tensor] of dict) {
    const { data, shape } = tensor;
    const scales = dict.get(`${name}_scale`)?.data as Float32Array | undefined;
    if (scales === undefined) {
      if (!name.endsWith("_scale")) floats.set(name, tensor);
      continue;
    }
    const numbers = Float32Array.from(
      data as Int8Array,
      (value, at) => value * scales[Math.floor(at / shape[1]!)]!,
    );
    floats.set(name, new Tensor(numbers, shape));
  }
  return floats;
}

/** The output of one layer, the first where there are several. */
function outputOf(kind: Kind, dict: StateDict, prefix: string, { data, shape }: Numbers): Tensor {
  const layer = (CLASSES[kind] as typeof LSTM).fromStateDict(dict, { prefix });
  const input = kind === "Embedding" ? data : new Tensor(Float32Array.from(data), shape);
  const output = layer.forward(input as Tensor) as unknown as Tensor | Tensor[];
  layer.dispose();
  return Array.isArray(output) ? output[0]! : output;
}

describe("files of current PyTorch", () => {
  it("are those that the script describes", () => {
    const files = readdirSync(FOLDER).filter((name) => !name.endsWith(".json"));
    expect(files).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(Object.keys(EXPECTED))("%s: tells what was skipped, and that is no entry", (file) => {
    const dict = read(file);
    expect(dict.skipped.map(({ name }) => name).sort()).toEqual([...(EXPECTED[file]!.skipped ?? [])].sort());
    for (const { name } of dict.skipped) expect(dict.has(name)).toBe(false);
    expect(Object.keys(dict)).toEqual([]);
    expect(quantizeStateDict(dict).skipped).toEqual(dict.skipped);
  });

  const cases = Object.entries(EXPECTED).flatMap(([file, { layers }]) =>
    Object.keys(layers).map((prefix) => [file, prefix] as const),
  );

  it.each(cases)("%s, %s: computes what PyTorch computes", (file, prefix) => {
    const { kind, input, output } = EXPECTED[file]!.layers[prefix]!;
    const dict = read(file);
    const isInt8 = [...dict].some(([name, { data }]) => name.startsWith(prefix) && data instanceof Int8Array);
    const got = outputOf(kind, isInt8 ? inFloats(dict) : dict, prefix, input);
    expect(got.shape).toEqual(output.shape);
    // A spectral norm of almost 0 makes outputs of 25.
    const most = Math.max(2e-6, 4e-7 * Math.max(...output.data.map(Math.abs)));
    for (const [at, value] of got.data.entries()) {
      expect(Math.abs(value - output.data[at]!)).toBeLessThan(most);
    }
  });

  const quantised = Object.keys(EXPECTED).filter((file) => EXPECTED[file]!.integers !== undefined);

  it.each(quantised)(
    "%s: has PyTorch's integers and scales, and int8 layers take them as they are",
    (file) => {
      const { integers: expected, layers } = EXPECTED[file]!;
      const dict = read(file);
      const names = [...dict].filter(([, { data }]) => data instanceof Int8Array).map(([name]) => name);
      expect(names.sort()).toEqual(Object.keys(expected!).sort());
      for (const [name, { integers, scales }] of Object.entries(expected!)) {
        expect([name, Array.from(dict.get(name)!.data as Int8Array)]).toEqual([name, integers]);
        expect([name, dict.get(`${name}_scale`)!.data]).toEqual([name, Float32Array.from(scales)]);
      }
      const floats = inFloats(dict);
      for (const [prefix, { kind, input, output }] of Object.entries(layers)) {
        if (!names.some((name) => name.startsWith(prefix))) continue;
        const layer = (CLASSES[kind] as typeof LSTM).fromStateDict(dict, { prefix });
        expect(layer.precision).toBe("int8");
        for (const [name, { data }] of layer.stateDict<Float32Array | Int8Array>()) {
          expect([name, data]).toEqual([name, dict.get(prefix + name)!.data]);
        }
        layer.dispose();
        const [got, close] = [dict, floats].map((weights) => outputOf(kind, weights, prefix, input));
        expect(got!.shape).toEqual(output.shape);
        for (const [at, value] of got!.data.entries()) {
          // Inputs and states are rounded to 14 bits.
          expect(Math.abs(value - close!.data[at]!)).toBeLessThan(1e-3);
        }
      }
    },
  );

  it("have a weight of -128, which PyTorch writes", () => {
    const { data } = read("quantised-tensor.pt").get("lstm.weight_hh_l0")!;
    expect(data).toContain(-128);
  });

  it("name what was skipped and the way on", () => {
    const complex = "it is complex; save torch.view_as_real(tensor)";
    const sparse = "it is sparse; save tensor.to_dense()";
    const reasons = (file: string) =>
      Object.fromEntries(read(file).skipped.map(({ name, reason }) => [name, reason]));
    const expected = {
      freqs: complex,
      conj: complex,
      neg: "it is stored with its sign inverted; save tensor.resolve_neg()",
      fp8: "its dtype torch.float8_e4m3fn is not supported",
      coo: sparse,
      csr: sparse,
      nested: "it is nested; save tensor.to_padded_tensor(0)",
      jagged:
        "it is of torch.nested._internal.nested_tensor.NestedTensor, a subclass of Tensor; save tensor.to_padded_tensor(0)",
      meta: "it is on the meta device, without numbers",
    };
    expect(reasons("beside-2.4.pt")).toEqual(expected);
    const torchao =
      "it is of torchao.quantization.Int8Tensor, a subclass of Tensor; save tensor.dequantize()";
    expect(reasons("beside.pt")).toEqual({ ...expected, "head.weight": torchao });
    for (const file of ["beside.safetensors", "beside-2.4.safetensors"]) {
      expect(reasons(file)).toEqual({
        freqs: "its dtype C64 is not supported; save torch.view_as_real(tensor)",
        fp8: "its dtype F8_E4M3 is not supported; save tensor.float()",
      });
    }
  });

  it.each(["lazy.pt", "lazy-2.4.pt"])("%s: skips the parameters of lazy modules that never ran", (file) => {
    const reason = "it is of a lazy module that never ran; call the module once, then save it again";
    const names = ["head.weight", "head.bias"].concat(
      ["weight", "bias", "running_mean", "running_var"].map((name) => `norm.${name}`),
    );
    expect(read(file).skipped).toEqual(names.map((name) => ({ name, reason })));
  });

  it.each([
    ["skipped-weight-2.4.pt", "it is complex; save torch.view_as_real(tensor)"],
    ["skipped-weight.pt", "it is complex; save torch.view_as_real(tensor)"],
    [
      "orthogonal.pt",
      "it is computed by an orthogonal parametrization; call " +
        'torch.nn.utils.parametrize.remove_parametrizations(module, "weight_hh_l1"), and save again',
    ],
  ])("%s: the reason is thrown where the weight is asked for", (file, reason) => {
    const dict = read(file);
    const error = expect.objectContaining({
      message: `lstm.weight_hh_l1: ${reason}`,
      code: "LSTM_WASM_UNSUPPORTED",
    });
    expect(() => LSTM.fromStateDict(dict, { prefix: "lstm." })).toThrow(error);
    const lstm = new LSTM({ inputSize: 2, hiddenSize: 3, numLayers: 2, bidirectional: true });
    expect(() => lstm.loadStateDict(dict, { prefix: "lstm.", strict: false })).toThrow(error);
    lstm.dispose();
  });

  it("refuse a list of skipped tensors that is none", () => {
    const dict = Object.assign(new Map([["weight", Tensor.zeros([1, 1])]]), { skipped: 1 as never });
    expect(() => Linear.fromStateDict(dict)).toThrow(
      expect.objectContaining({ message: expect.stringContaining("dict.skipped"), code: "LSTM_WASM_TYPE" }),
    );
  });
});

it("makes the layers of a program of torch.export with the options of its graph", () => {
  const file = new URL("../formats/files/torch-2/exported-mixed.pt2", import.meta.url);
  const program = () => readTorch(new Uint8Array(readFileSync(file)));
  using first = GRU.fromStateDict(program(), { prefix: "first." });
  expect(first).toMatchObject({ batchFirst: true, bidirectional: true });
  using last = RNN.fromStateDict(program(), { prefix: "last." });
  expect(last).toMatchObject({ batchFirst: false, nonlinearity: "relu" });
  expect(() => RNN.fromStateDict(program(), { prefix: "last.", nonlinearity: "tanh" })).toThrow(
    'options.nonlinearity: expected "relu" as dict.metadata has it',
  );
});
