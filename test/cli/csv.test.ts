/** Tables as input and output of lstm-wasm run, and the numbers of .npy. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readCsv, writeCsv } from "../../src/cli/csv.js";
import { readNpy } from "../../src/cli/npy.js";
import { writeSafetensors } from "../../src/formats/index.js";
import { GRU, Linear, Tensor } from "../../src/index.js";
import { apart, CLOSE, command, folder, net, netFile, npy, write } from "../support/cli.js";

const table = (text: string) => readCsv(new TextEncoder().encode(text));
const rows = [
  [1, -2.5, 3e-3],
  [0.25, 5, -6],
];
const expected = Tensor.from(rows);

describe("a table", () => {
  it.each([
    ["commas", "1,-2.5,3e-3\n.25,5.,-6\n"],
    ["semicolons", "1;-2.5;3E-3\n0.25;5;-6"],
    ["tabs", "1\t-2.5\t0.003\n0.25\t5\t-6\n"],
    ["a header", "time,left,right\n1,-2.5,3e-3\n.25,5,-6\n"],
    ["a header in quotes, with separators", '"a,b","c;d;e;f","g"\n1,-2.5,3e-3\n.25,5,-6\n'],
    ["a header whose first name is empty", ",a,b\n1,-2.5,3e-3\n.25,5,-6\n"],
    ["Windows' ends of lines and a byte order mark", "\ufeff1,-2.5,3e-3\r\n.25,5,-6\r\n"],
    ["spaces, quotes, signs and empty lines", '\n 1 , "-2.5" ,+3e-3\n\n .25, 5,-6\n\n'],
  ])("is read with %s", (_, text) => {
    expect(table(text)).toEqual(expected);
  });

  it("may have one column, and numbers that are none", () => {
    expect(table("loudness\n1\n2\n3\n")).toEqual(Tensor.from([[1], [2], [3]]));
    expect(table("nan,inf\n-Infinity,NaN\n").data).toEqual(
      Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN),
    );
  });

  it.each([
    ["nothing", "", "csv: expected rows of numbers, got none"],
    ["a header alone", "a,b\n", "csv: expected rows of numbers, got none"],
    ["text", "1,2\n3,x\n", 'csv: line 2, column 2: expected a number, got "x"'],
    ["text in what might be a header", "1,y\n3,4\n", 'csv: line 1, column 2: expected a number, got "y"'],
    ["a second header", "a,b\nc,d\n", 'csv: line 2, column 1: expected a number, got "c"'],
    ["a hole", "a,b\n1,\n", "csv: line 2, column 2: expected a number, got nothing"],
    ["a hole at a tab", "1\t2\n3\t\n", "csv: line 2, column 2: expected a number, got nothing"],
    ["a row too short", "1,2\n\n3\n", "csv: line 3: expected 2 columns, got 1"],
    ["a row too long", "1,2\n3,4,5\n", "csv: line 2: expected 2 columns, got 3"],
    [
      "decimal commas",
      "a;b\n0,5;1\n",
      'csv: line 2, column 1: expected a number with a decimal point, got "0,5"',
    ],
    ["hexadecimal", "1\n0x10\n", 'csv: line 2, column 1: expected a number, got "0x10"'],
    [
      "a number beyond float32",
      "1\n1e39\n",
      'csv: line 2, column 1: expected a number that float32 has, got "1e39"',
    ],
    ["columns that spaces part", "1 2\n3 4\n", 'csv: line 2, column 1: expected a number, got "3 4"'],
  ])("is refused with %s", (_, text, message) => {
    expect(() => table(text)).toThrow(new RangeError(message));
  });

  it("grows to any length", () => {
    const large = Tensor.randn([20_000, 7], 5);
    expect(readCsv(writeCsv(large, ","))).toEqual(large);
  });

  it("is written with as many digits as read back as the same bits", () => {
    const values = [0.1, -0, 1 / 3, 16_777_216, 1e-45, 3.4028235e38, -1.17549435e-38, 123456.79];
    const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e21];
    const tensor = new Tensor(Float32Array.from([...values, ...special]), [3, 4]);
    const text = new TextDecoder().decode(writeCsv(tensor, ";"));
    expect(text).toBe(
      "0.1;-0;0.33333334;16777216\n1.4013e-45;3.4028235e+38;-1.1754944e-38;123456.79\nnan;inf;-inf;1e+21\n",
    );
    expect(table(text).data).toEqual(tensor.data);
  });
});

describe("run with tables", () => {
  const x = Tensor.randn([30, 4], 6);
  const xFile = write("x.csv", writeCsv(x, ","));
  const run = (input: string, output: string, ...more: string[]) =>
    command("run", netFile, "--prefix", "lstm", "--input", input, "--output", output, "--force", ...more);
  const read = (path: string) => readCsv(new Uint8Array(readFileSync(path)));

  it.each(["y.csv", "Y.CSV", "y.tsv"])("reads one and writes %s", (name) => {
    const path = join(folder, name);
    expect(run(xFile, path)).toMatchObject({ code: 0, error: "" });
    expect(readFileSync(path, "utf8").includes("\t")).toBe(name === "y.tsv");
    expect(apart(read(path), net.lstm.forward(x)[0])).toBeLessThan(CLOSE);
  });

  it("takes an .npy file for what it is, whatever its name", () => {
    const path = join(folder, "y.csv");
    expect(run(write("npy.csv", npy(x)), path).code).toBe(0);
    expect(apart(read(path), net.lstm.forward(x)[0])).toBeLessThan(CLOSE);
  });

  it("leaves out axes of 1, and refuses two axes of rows before the work", () => {
    const path = join(folder, "batch.csv");
    const input = (...shape: number[]) => write("in.npy", npy(new Tensor(x.data, shape)));
    expect(run(input(30, 1, 4), path).code).toBe(0);
    expect(read(path).shape).toEqual([30, 9]);
    expect(run(input(1, 30, 4), path, "--batch-first").code).toBe(0);
    expect(read(path).shape).toEqual([30, 9]);
    const other = join(folder, "other.csv");
    const { code, out, error } = run(input(10, 3, 4), other);
    expect([code, out]).toEqual([5, ""]);
    expect(error).toContain("input.shape: expected rows and columns for a .csv output, got [10, 3, 4]");
    expect(existsSync(other)).toBe(false);
  });

  it("writes a vector as one row", () => {
    const path = join(folder, "vector.csv");
    const head = write("head.safetensors", writeSafetensors(net.head.stateDict()));
    const args = ["--input", write("in.npy", npy(Tensor.zeros([9]))), "--output", path, "--force"];
    expect(command("run", head, ...args).code).toBe(0);
    expect(read(path).shape).toEqual([1, 2]);
  });

  it("names the file, the line and the column", () => {
    const path = write("wrong.csv", "a,b,c,d\n1,2,3,4\n1,2,three,4\n");
    const { code, error } = run(path, join(folder, "none.csv"));
    expect([code, error]).toEqual([
      4,
      `lstm-wasm: ${path}: csv: line 3, column 3: expected a number, got "three"\n`,
    ]);
    expect(run(write("table.txt", "1,2,3,4\n"), join(folder, "none.csv")).error).toContain(
      "not an .npy file; a table is read from a file whose name ends with .csv",
    );
  });

  it("is a sample and an input of quantize", () => {
    const args = ["--prefix", "lstm", "--sample", xFile, "--input", xFile, "--force"];
    expect(command("quantize", netFile, join(folder, "q.safetensors"), ...args)).toMatchObject({ code: 0 });
  });
});

describe("numbers of .npy", () => {
  const values = [0, 1, 2, 3, 100, 127];
  const set: Record<string, (view: DataView, at: number, value: number, little: boolean) => void> = {
    f2: (view, at, value, little) => view.setUint16(at, HALVES.get(value)!, little),
    f4: (view, at, value, little) => view.setFloat32(at, value, little),
    f8: (view, at, value, little) => view.setFloat64(at, value, little),
    i1: (view, at, value) => view.setInt8(at, value),
    i2: (view, at, value, little) => view.setInt16(at, value, little),
    i4: (view, at, value, little) => view.setInt32(at, value, little),
    i8: (view, at, value, little) => view.setBigInt64(at, BigInt(value), little),
    u1: (view, at, value) => view.setUint8(at, value),
    u2: (view, at, value, little) => view.setUint16(at, value, little),
    u4: (view, at, value, little) => view.setUint32(at, value, little),
    u8: (view, at, value, little) => view.setBigUint64(at, BigInt(value), little),
    b1: (view, at, value) => view.setUint8(at, value),
  };
  /** As NumPy has them: np.float16(value).view(np.uint16). */
  const HALVES = new Map([
    [0, 0x0000],
    [1, 0x3c00],
    [2, 0x4000],
    [3, 0x4200],
    [100, 0x5640],
    [127, 0x57f0],
  ]);
  const cases = Object.keys(set).flatMap((type) =>
    (type.endsWith("1") ? ["|"] : ["<", ">"]).flatMap((order) =>
      ["False", "True"].map((fortran) => [`${order}${type}`, fortran] as const),
    ),
  );

  it.each(cases)("are read as %s, in Fortran order: %s", (descr, fortran) => {
    const width = Number(descr[2]);
    const bytes = new Uint8Array(6 * width);
    const view = new DataView(bytes.buffer);
    for (const [at, value] of values.entries()) {
      set[descr.slice(1)]!(view, at * width, value, descr[0] !== ">");
    }
    const file = npy({ data: bytes, shape: [2, 3] }, descr, fortran);
    const order = fortran === "True" ? [0, 2, 100, 1, 3, 127] : values;
    expect(readNpy(file)).toEqual(new Tensor(Float32Array.from(order), [2, 3]));
  });

  it("are float16 of every kind", () => {
    const bits = Uint16Array.of(0x8000, 0x0001, 0x83ff, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x3555);
    const halves = new Uint8Array(bits.buffer);
    expect(readNpy(npy({ data: halves, shape: [8] }, "<f2")).data).toEqual(
      Float32Array.of(
        -0,
        2 ** -24,
        -1023 * 2 ** -24,
        65504,
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
        Number.NaN,
        0.333251953125,
      ),
    );
  });

  it.each([
    ["<c8", "complex numbers"],
    ["<f16", "floats of more than 8 bytes"],
    ["|O", "Python objects"],
    ["<U7", "text"],
    ["<M8[s]", "dates"],
    ["|V2", "raw bytes, as of bfloat16"],
  ])("are refused as %s by name", (descr, what) => {
    expect(() => readNpy(npy({ data: new Uint8Array(8), shape: [1] }, descr))).toThrow(
      `numpy: dtype ${descr}, ${what}, is not supported; supported are f2, f4, f8, i1, i2, i4, i8, u1, u2, u4, u8, b1`,
    );
  });

  it("are refused in records", () => {
    const file = Buffer.from(npy({ data: new Uint8Array(8), shape: [2] }, "<f4"));
    file.write("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2,), }", 10);
    expect(() => readNpy(file)).toThrow("numpy: a structured dtype is not supported");
  });
});

it("runs a GRU and a Linear on a table of one column", () => {
  const gru = new GRU({ inputSize: 1, hiddenSize: 2 });
  const head = new Linear({ inFeatures: 1, outFeatures: 3 });
  for (const module of [gru, head]) {
    const file = write("one.safetensors", writeSafetensors(module.stateDict()));
    const input = write("one.csv", "value\n1\n2\n");
    expect(command("run", file, "--input", input).out).toContain(`[2, 1] -> [2, ${module === gru ? 2 : 3}]`);
  }
});
