/** lstm-wasm run. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readTorch, writeSafetensors } from "../../src/formats/index.js";
import { Conv1d, GRU, Linear, LSTM, LSTMCell, RNN, RNNCell, Tensor } from "../../src/index.js";
import { apart, CLOSE, command, FILES, folder, net, netFile, npy, readNpy, write } from "../support/cli.js";

describe("run", () => {
  const x = Tensor.randn([500, 3, 4], 1);
  const xFile = write("x.npy", npy(x));
  const yFile = join(folder, "y.npy");

  it("runs the only recurrent layer of a file, in pieces, and writes the output", () => {
    const { code, out, error } = command("run", "--force", netFile, "--input", xFile, "--output", yFile);
    expect([code, error]).toEqual([0, ""]);
    expect(out).toBe("LSTM 4 -> 9, 2 layers: [500, 3, 4] -> [500, 3, 9]\n");
    expect(apart(readNpy(yFile), net.lstm.forward(x)[0])).toBeLessThan(CLOSE);
  });

  it("shows the range without --output", () => {
    const { out } = command("run", "--force", netFile, "--input", xFile);
    expect(out).toMatch(/\nleast -0\.\d+, mean -?\d\.\d+(e-\d+)?, most 0\.\d+\n$/);
  });

  it.each([
    ["lstm", 4],
    ["lstm.", 4],
    ["head", 9],
  ])("takes the layer that --prefix %s names", (prefix, width) => {
    const input = Tensor.randn([7, width], 2);
    const args = ["--input", write("in.npy", npy(input)), "--output", yFile, "--prefix", prefix];
    expect(command("run", "--force", netFile, ...args).code).toBe(0);
    const expected = prefix === "head" ? net.head.forward(input) : net.lstm.forward(input)[0];
    expect(apart(readNpy(yFile), expected)).toBeLessThan(CLOSE);
  });

  const options = { inputSize: 4, hiddenSize: 5 };
  it.each<[string, GRU | LSTM | RNN, string[]]>([
    ["GRU", new GRU(options), []],
    ["bidirectional LSTM", new LSTM({ ...options, bidirectional: true }), []],
    ["RNN with relu", new RNN({ ...options, nonlinearity: "relu" }), ["--nonlinearity", "relu"]],
  ])("runs a %s", (_, module, args) => {
    const file = write("module.safetensors", writeSafetensors(module.stateDict()));
    expect(command("run", "--force", file, "--input", xFile, "--output", yFile, ...args).code).toBe(0);
    expect(apart(readNpy(yFile), module.forward(x)[0])).toBeLessThan(CLOSE);
  });

  it("takes the batch first, also in pieces", () => {
    const module = new GRU({ ...options, batchFirst: true });
    const input = Tensor.randn([3, 300, 4], 3);
    const file = write("module.safetensors", writeSafetensors(module.stateDict()));
    const inputFile = write("in.npy", npy(input));
    expect(
      command("run", "--force", file, "--input", inputFile, "--output", yFile, "--batch-first").code,
    ).toBe(0);
    expect(apart(readNpy(yFile), module.forward(input)[0])).toBeLessThan(CLOSE);
  });

  it("takes the batch first where a program of torch.export says so", () => {
    const file = join(FILES, "torch-2/exported.pt2");
    const options = { prefix: "lstm.", batchFirst: true };
    const module = LSTM.fromStateDict(readTorch(new Uint8Array(readFileSync(file))), options);
    const input = Tensor.randn([2, 50, 3], 3);
    const { code, error } = command(
      ...["run", "--force", file, "--input", write("in.npy", npy(input)), "--output", yFile],
    );
    expect([code, error]).toEqual([0, ""]);
    expect(apart(readNpy(yFile), module.forward(input)[0])).toBeLessThan(CLOSE);
  });

  it("runs a cell over a sequence", () => {
    const cell = new LSTMCell(options);
    const file = write("cell.safetensors", writeSafetensors(cell.stateDict()));
    const input = Tensor.randn([2, 4], 4);
    expect(
      command("run", "--force", file, "--input", write("in.npy", npy(input)), "--output", yFile).code,
    ).toBe(0);
    const row = (at: number) => new Tensor(input.data.slice(at * 4, at * 4 + 4), [4]);
    const first = cell.forward(row(0));
    const second = cell.forward(row(1), first);
    const expected = new Tensor(Float32Array.of(...first[0].data, ...second[0].data), [2, 5]);
    expect(apart(readNpy(yFile), expected)).toBeLessThan(CLOSE);
  });

  it("runs a cell and a backward layer with the options that the file tells", () => {
    using cell = new RNNCell({ inputSize: 4, hiddenSize: 5, nonlinearity: "relu", clip: 0.5 });
    const shape = { inputSize: 4, hiddenSize: 5 };
    using same = new RNN({ ...shape, nonlinearity: "relu", clip: 0.5 });
    same.loadStateDict(
      new Map([...cell.stateDict()].map(([name, tensor]) => [`${name}_l0`, tensor] as const)),
    );
    const peephole = { ...shape, peepholes: true, inputForget: true };
    using peeping = new LSTMCell(peephole);
    using peeped = new LSTM(peephole);
    peeped.loadStateDict(
      new Map([...peeping.stateDict()].map(([name, tensor]) => [`${name}_l0`, tensor] as const)),
    );
    using backward = new GRU({ ...shape, reverse: true, batchFirst: true });
    // Long enough for several pieces.
    const input = Tensor.randn([3000, 4], 4);
    for (const [module, whole] of [
      [cell, same],
      [peeping, peeped],
      [backward, backward],
    ] as const) {
      const file = write("told.safetensors", writeSafetensors(module.stateDict()));
      const args = ["--input", write("in.npy", npy(input)), "--output", yFile];
      expect(command("run", "--force", file, ...args)).toMatchObject({ code: 0, error: "" });
      expect(apart(readNpy(yFile), whole.forward(input)[0])).toBeLessThan(CLOSE);
    }
  });

  it("reads float64 and newer versions of .npy", () => {
    const data = Float64Array.from(x.data);
    const file = write("x64.npy", npy({ data, shape: x.shape }, "<f8", "False", 2));
    expect(command("run", "--force", netFile, "--input", file, "--output", yFile).code).toBe(0);
    expect(apart(readNpy(yFile), net.lstm.forward(x)[0])).toBeLessThan(CLOSE);
  });

  it.each([
    ["<i8", BigInt64Array],
    ["<i4", Int32Array],
    ["<i2", Int16Array],
    ["|i1", Int8Array],
    ["|u1", Uint8Array],
    ["|b1", Uint8Array],
  ] as const)("reads integers of dtype %s", (descr, { BYTES_PER_ELEMENT: width }) => {
    const bytes = new Uint8Array(12 * width);
    for (let at = 0; at < 12; at++) bytes[at * width] = at % 2;
    const file = write("integers.npy", npy({ data: bytes, shape: [3, 4] }, descr));
    expect(command("run", "--force", netFile, "--input", file, "--output", yFile).code).toBe(0);
    const floats = Tensor.from([
      [0, 1, 0, 1],
      [0, 1, 0, 1],
      [0, 1, 0, 1],
    ]);
    expect(apart(readNpy(yFile), net.lstm.forward(floats)[0])).toBeLessThan(CLOSE);
  });

  it("reads Fortran order, in which NumPy saves a transposed array", () => {
    const [steps, batch, width] = x.shape as [number, number, number];
    const data = x.data.map((_, at) => {
      const [step, row, column] = [
        at % steps,
        Math.floor(at / steps) % batch,
        Math.floor(at / steps / batch),
      ];
      return x.data[(step * batch + row) * width + column]!;
    });
    const file = write("fortran.npy", npy({ data, shape: x.shape }, "<f4", "True"));
    expect(command("run", "--force", netFile, "--input", file, "--output", yFile).code).toBe(0);
    expect(apart(readNpy(yFile), net.lstm.forward(x)[0])).toBeLessThan(CLOSE);
  });

  it("cuts an input without a batch along its time, whichever axis is first in a batch", () => {
    const module = new GRU({ inputSize: 70, hiddenSize: 2, batchFirst: true });
    const input = Tensor.randn([90, 70], 5);
    const file = write("wide.safetensors", writeSafetensors(module.stateDict()));
    const args = ["--input", write("in.npy", npy(input)), "--output", yFile, "--batch-first"];
    expect(command("run", "--force", file, ...args)).toMatchObject({ code: 0, error: "" });
    expect(apart(readNpy(yFile), module.forward(input)[0])).toBeLessThan(CLOSE);
  });

  const one = Tensor.zeros([2, 4]);
  it.each<[string, number, Uint8Array, string]>([
    ["another width", 5, npy(Tensor.zeros([2, 5])), "input.shape[1]: expected inputSize 4, got 5"],
    ["another width, long", 5, npy(Tensor.zeros([200, 2, 5])), "input.shape[2]: expected inputSize 4, got 5"],
    ["too few dimensions", 5, npy(Tensor.zeros([4])), "input.shape"],
    ["complex numbers", 4, npy(one, "<c8"), "numpy: dtype <c8, complex numbers, is not supported"],
    ["numbers missing", 4, npy(one).slice(0, -4), "numpy: expected 32 bytes for shape [2, 4], got 28"],
    [
      "numbers left over",
      4,
      Buffer.concat([npy(one), Buffer.alloc(1)]),
      "numpy: expected 32 bytes for shape [2, 4], got 33",
    ],
    ["a cut header", 4, npy(one).slice(0, 60), "numpy: cut off within the header"],
    ["a size of 10^30", 4, npy({ data: one.data, shape: [2, 1e30] }), "numpy: "],
    ["an unknown version", 4, npy(one).fill(9, 6, 7), "numpy: version 9 is unknown"],
    ["no array", 4, Buffer.from("1 2 3"), "not an .npy file"],
  ])("refuses an input with %s", (_, expected, bytes, message) => {
    const path = write("wrong.npy", bytes);
    const { code, out, error } = command("run", "--force", netFile, "--input", path, "--prefix", "lstm");
    expect([code, out]).toEqual([expected, ""]);
    expect(error).toContain(`${path}: `);
    expect(error).toContain(message);
    expect(error).not.toContain("    at ");
  });

  it("names the layers when it has to choose", () => {
    const { code, error } = command("run", "--force", netFile, "--input", xFile, "--prefix", "encoder");
    expect(code).toBe(2);
    expect(error).toContain('no layer "encoder" in ');
    expect(error).toContain('\n  "head."  Linear 9 -> 2\n  "lstm."  LSTM 4 -> 9, 2 layers');
    const linears = [
      new Linear({ inFeatures: 4, outFeatures: 4 }),
      new Linear({ inFeatures: 4, outFeatures: 4 }),
    ];
    const dict = new Map(
      linears.flatMap((one, at) => [...one.stateDict()].map(([key, value]) => [`${at}.${key}`, value])),
    );
    const file = write("two.safetensors", writeSafetensors(dict as Map<string, Tensor>));
    expect(command("run", "--force", file, "--input", xFile).error).toContain(
      "name a layer with --prefix; there are",
    );
  });

  it("refuses layers that weights do not determine", () => {
    const conv = new Conv1d({ inChannels: 4, outChannels: 2, kernelSize: 3 });
    const file = write("conv.safetensors", writeSafetensors(conv.stateDict()));
    const { code, error } = command("run", "--force", file, "--input", xFile);
    expect(code).toBe(2);
    expect(error).toContain("weights do not tell its stride, padding, dilation and groups");
    expect(command("run", "--force", netFile, "--input", xFile, "--prefix", "embedding").error).toContain(
      "it takes indices",
    );
  });

  it("says on stderr, as quantize does, what the exporter did to the layers of an ONNX model", () => {
    const gru = join(FILES, "onnx-dynamo/gru-onnxscript-0.7.0.onnx");
    const steps = write("gru-x.npy", npy(Tensor.randn([4, 2, 3], 1)));
    const warned = {
      code: 0,
      error: expect.stringMatching(
        /^lstm-wasm: note: onnx: GRU .* left out linear_before_reset = 1 .* by the option \{ gru: "pytorch" \}\n/,
      ),
    };
    expect(command("run", gru, "--input", steps)).toMatchObject(warned);
    expect(command("run", gru, "--input", `x=${steps}`)).toMatchObject(warned);
    expect(command("quantize", gru, join(folder, "gru.safetensors"))).toMatchObject(warned);
  });

  it("says when it cannot read the input or write the output", () => {
    expect(command("run", "--force", netFile, "--input", join(folder, "none.npy"))).toMatchObject({
      code: 3,
      out: "",
    });
    const { code, out, error } = command(
      "run",
      netFile,
      "--input",
      xFile,
      "--output",
      join(folder, "no", "y.npy"),
    );
    expect([code, out]).toEqual([3, ""]);
    expect(error).toContain("y.npy: no such file or folder");
  });
});
