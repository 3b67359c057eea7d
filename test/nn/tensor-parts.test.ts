/** at, select, slice, reshape, transpose, argmax, topk and concat: PyTorch 1.13's answers, and what is refused. */
import { describe, expect, it } from "vitest";
import { argmax, concat, Tensor, topk } from "../../src/index.js";

const I = Number.POSITIVE_INFINITY;
const N = Number.NaN;
const X = Tensor.from([
  [
    [3, -1, 2, 2],
    [0, N, 5, 1],
    [-I, I, 4, N],
  ],
  [
    [7, 7, -7, 0],
    [1, 2, 3, 4],
    [-0.5, 6, 6, 5],
  ],
]);
const A = new Tensor(BigInt64Array.of(0n, 1n, 2n, 3n, 4n, 5n), [2, 3]);
const B = new Tensor(BigInt64Array.of(10n, 11n, 12n, 13n), [2, 2]);
const MASK = new Tensor(Uint8Array.of(1, 0, 0, 1), [2, 2], { dtype: "bool" });
const SCALAR = Tensor.from(5);
const EMPTY = Tensor.zeros([2, 0]);

describe("PyTorch's answers", () => {
  it("at", () => {
    expect([X.at(0, 2, 1), X.at(-1, -3, -2), X.at(1, 2, 0)]).toEqual([I, -7, -0.5]);
    expect(A.at(1, -1)).toBe(5n);
    expect(MASK.at(0, 0)).toBe(1);
    expect(SCALAR.at()).toBe(5);
  });

  it("select", () => {
    expect(X.select(1, -1).toArray()).toEqual([
      [-I, I, 4, N],
      [-0.5, 6, 6, 5],
    ]);
    expect(X.select(-1, 2).toArray()).toEqual([
      [2, 5, 4],
      [-7, 3, 6],
    ]);
    expect(A.select(0, 1).data).toEqual(BigInt64Array.of(3n, 4n, 5n));
    expect(MASK.select(0, 0)).toEqual(new Tensor(Uint8Array.of(1, 0), [2], { dtype: "bool" }));
    expect(Tensor.from([4, 5]).select(0, 1)).toEqual(SCALAR);
  });

  it("slice", () => {
    expect(X.slice(1, -2, 9).toArray()).toEqual(X.toArray<3>().map((rows) => rows.slice(1)));
    expect(X.slice(2, 3, 1).shape).toEqual([2, 3, 0]);
    expect(X.slice(2, -9, 2).toArray()).toEqual(
      X.toArray<3>().map((rows) => rows.map((row) => row.slice(0, 2))),
    );
    expect(X.slice(0)).toEqual(X);
    expect(X.slice(0, 0, -1).toArray()).toEqual(X.toArray<3>().slice(0, 1));
    expect(MASK.slice(1, 1)).toEqual(new Tensor(Uint8Array.of(0, 1), [2, 1], { dtype: "bool" }));
    expect(EMPTY.slice(0, 1).shape).toEqual([1, 0]);
  });

  it("reshape", () => {
    expect(X.reshape([4, -1]).toArray<2>()[0]).toEqual([3, -1, 2, 2, 0, N]);
    expect(X.reshape([-1]).shape).toEqual([24]);
    expect(X.reshape([3, 1, 8])).toEqual(new Tensor(X.data, [3, 1, 8]));
    expect(SCALAR.reshape([-1]).toArray()).toEqual([5]);
    expect(Tensor.from([5]).reshape([])).toEqual(SCALAR);
    expect(EMPTY.reshape([-1]).shape).toEqual([0]);
    expect(EMPTY.reshape([3, -1]).shape).toEqual([3, 0]);
    expect(MASK.reshape([4]).dtype).toBe("bool");
  });

  it("transpose", () => {
    expect(X.transpose(1, 2).select(0, 0).toArray()).toEqual(
      [0, 1, 2, 3].map((column) => X.toArray<3>()[0]!.map((row) => row[column])),
    );
    expect(X.transpose(0, -1).shape).toEqual([4, 3, 2]);
    expect(A.transpose(0, 1).data).toEqual(BigInt64Array.of(0n, 3n, 1n, 4n, 2n, 5n));
    expect(MASK.transpose(-1, 0)).toEqual(new Tensor(Uint8Array.of(1, 0, 0, 1), [2, 2], { dtype: "bool" }));
    expect(SCALAR.transpose(0, -1)).toEqual(SCALAR);
    expect(EMPTY.transpose(0, 1).shape).toEqual([0, 2]);
  });

  it("argmax", () => {
    const indices = (...data: number[]) => Int32Array.from(data);
    expect(argmax(X, 0).data).toEqual(indices(1, 1, 0, 0, 1, 0, 0, 1, 1, 0, 1, 0));
    expect(argmax(X, 0).shape).toEqual([3, 4]);
    expect(argmax(X, 1)).toEqual(new Tensor(indices(0, 1, 1, 2, 0, 0, 2, 2), [2, 4]));
    expect(argmax(X, -1)).toEqual(new Tensor(indices(0, 1, 3, 0, 3, 1), [2, 3]));
    expect(argmax(X)).toEqual(new Tensor(indices(5), []));
    expect(argmax(X, 1, true).shape).toEqual([2, 1, 4]);
    expect(argmax(X, undefined, true).shape).toEqual([1, 1, 1]);
    expect(argmax(SCALAR, -1, true)).toEqual(new Tensor(indices(0), []));
    expect(argmax(Tensor.zeros([0, 3]), 1).shape).toEqual([0]);
    expect(argmax(Tensor.from([-0, 0]), 0).at()).toBe(0);
  });

  // PyTorch's own order of equals varies: of [7, 7, -7, 0] it gives 1 before 0.
  it("topk", () => {
    const [values, indices] = topk(X, 2);
    expect(values.toArray()).toEqual([
      [
        [3, 2],
        [N, 5],
        [N, I],
      ],
      [
        [7, 7],
        [4, 3],
        [6, 6],
      ],
    ]);
    expect(indices.data).toEqual(Int32Array.of(0, 2, 1, 2, 3, 1, 0, 1, 3, 2, 1, 2));
    expect(topk(X, 2, 1).map((tensor) => tensor.toArray())).toEqual([
      [
        [
          [3, N, 5, N],
          [0, I, 4, 2],
        ],
        [
          [7, 7, 6, 5],
          [1, 6, 3, 4],
        ],
      ],
      [
        [
          [0, 1, 1, 2],
          [1, 2, 2, 0],
        ],
        [
          [0, 0, 2, 2],
          [1, 2, 1, 1],
        ],
      ],
    ]);
    expect(topk(X, 1, 0)[1].data).toEqual(Int32Array.of(1, 1, 0, 0, 1, 0, 0, 1, 1, 0, 1, 0));
    expect(topk(SCALAR, 1)).toEqual([SCALAR, new Tensor(Int32Array.of(0), [])]);
    expect(topk(Tensor.zeros([2, 3]), 0)[0].shape).toEqual([2, 0]);
    expect(topk(EMPTY, 0)[1].shape).toEqual([2, 0]);
    expect(topk(Tensor.zeros([0, 3]), 2)[0].shape).toEqual([0, 2]);
  });

  it("concat", () => {
    const joined = concat([A, B], 1);
    expect(joined).toEqual(new Tensor(BigInt64Array.of(0n, 1n, 2n, 10n, 11n, 3n, 4n, 5n, 12n, 13n), [2, 5]));
    expect(concat([A, A.slice(0, 0, 1)]).toArray<2>()).toEqual([
      [0n, 1n, 2n],
      [3n, 4n, 5n],
      [0n, 1n, 2n],
    ]);
    expect(concat([MASK]).dtype).toBe("bool");
    expect(concat([EMPTY, Tensor.zeros([2, 3]), EMPTY], -1).shape).toEqual([2, 3]);
    expect(concat([SCALAR, SCALAR]).toArray()).toEqual([5, 5]);
  });
});

describe("whatever the dtype", () => {
  it("integers are compared as integers, of 64 bits too", () => {
    const wide = new Tensor(BigInt64Array.of(2n ** 60n, 2n ** 60n + 1n, -1n), [3]);
    expect(argmax(wide).at()).toBe(1);
    expect(topk(wide, 2)[0].data).toEqual(BigInt64Array.of(2n ** 60n + 1n, 2n ** 60n));
    expect(argmax({ data: Int32Array.of(2 ** 30, 2 ** 30 + 1), shape: [2] }).at()).toBe(1);
    const [values, indices] = topk(MASK, 1, 0);
    expect([values.dtype, indices.dtype]).toEqual(["bool", "int32"]);
    expect(concat([{ data: Uint8Array.of(1), dims: [1], dtype: "bool" }, MASK.select(0, 0)]).dtype).toBe(
      "bool",
    );
  });

  it("plain and float64 numbers become float32", () => {
    expect(argmax({ data: [1, 3, 2], dims: [3] }).at()).toBe(1);
    expect(topk({ data: [1, 3, 2], shape: [3] }, 1)[0].dtype).toBe("float32");
    expect(concat([{ data: Float64Array.of(1), shape: [1] }, Tensor.from([2])]).toArray()).toEqual([1, 2]);
  });
});

describe("copies", () => {
  it("share nothing with what they are made from", () => {
    const source = Tensor.from([[1, 2]]);
    const made = [
      source.select(0, 0),
      source.slice(0),
      source.reshape([2]),
      source.transpose(0, 0),
      concat([source]),
      topk(source, 2)[0],
    ];
    source.data.fill(9);
    for (const { data } of made) expect([...data].sort()).toEqual([1, 2]);
  });
});

describe("refusals", () => {
  it.each<[string, () => unknown, ErrorConstructor, string]>([
    ["too few indices", () => A.at(1), RangeError, "indices.length: expected 2, got 1"],
    ["an index beyond", () => A.at(0, 3), RangeError, "indices[1]: expected an integer from -3 to 2, got 3"],
    ["an index of text", () => A.at(0, "1" as never), TypeError, 'indices[1]: expected a number, got "1"'],
    [
      "half an index",
      () => A.at(0.5, 0),
      RangeError,
      "indices[0]: expected an integer from -2 to 1, got 0.5",
    ],
    ["select beyond", () => A.select(0, 2), RangeError, "index: expected an integer from -2 to 1, got 2"],
    [
      "select of no dimension",
      () => A.select(2, 0),
      RangeError,
      "dim: expected an integer from -2 to 1, got 2",
    ],
    ["slice of no dimension", () => A.slice(-3), RangeError, "dim: expected an integer from -2 to 1, got -3"],
    ["half a place", () => A.slice(0, 0.5), RangeError, "from: expected an integer"],
    ["a place of text", () => A.slice(0, 0, "1" as never), TypeError, 'to: expected a number, got "1"'],
    [
      "transpose of no dimension",
      () => A.transpose(0, 2),
      RangeError,
      "dim1: expected an integer from -2 to 1, got 2",
    ],
    ["other sizes", () => A.reshape([4, 2]), RangeError, "shape: expected one of 6 elements, got [4, 2]"],
    [
      "a size too many",
      () => A.reshape([4, -1]),
      RangeError,
      "shape: expected one of 6 elements, got [4, -1]",
    ],
    [
      "-1 of nothing",
      () => EMPTY.reshape([0, -1]),
      RangeError,
      "shape: expected one of 0 elements, got [0, -1]",
    ],
    [
      "-1 twice",
      () => A.reshape([-1, -1]),
      RangeError,
      "shape[1]: expected an integer of at least 0, got -1",
    ],
    ["no shape", () => A.reshape(6 as never), TypeError, "shape: expected an array of sizes, got 6"],
    [
      "argmax of none",
      () => argmax(EMPTY, 1),
      RangeError,
      "input.shape[1]: expected an integer of at least 1, got 0",
    ],
    [
      "argmax of none at all",
      () => argmax(EMPTY),
      RangeError,
      "input.data.length: expected an integer of at least 1, got 0",
    ],
    [
      "argmax of no dimension",
      () => argmax(A, 2),
      RangeError,
      "dim: expected an integer from -2 to 1, got 2",
    ],
    ["keepdim 1", () => argmax(A, 1, 1 as never), TypeError, "keepdim: expected true or false, got 1"],
    [
      "argmax of a number",
      () => argmax(1 as never),
      TypeError,
      "input: expected a Tensor or { data, shape }, got 1",
    ],
    ["a k too large", () => topk(A, 4), RangeError, "k: expected an integer from 0 to 3, got 4"],
    ["a k below 0", () => topk(A, -1, 0), RangeError, "k: expected an integer from 0 to 2, got -1"],
    ["no k", () => topk(A, undefined as never), TypeError, "k: expected a number, got undefined"],
    ["topk of no dimension", () => topk(A, 1, 3), RangeError, "dim: expected an integer from -2 to 1, got 3"],
    ["two of a scalar", () => topk(SCALAR, 2), RangeError, "k: expected an integer from 1 to 1, got 2"],
    ["concat of none", () => concat([]), RangeError, "tensors.length: expected at least 1, got 0"],
    [
      "concat of one",
      () => concat(A as never),
      TypeError,
      "tensors: expected an array of tensors, got an Object",
    ],
    [
      "concat of numbers",
      () => concat([A, 1 as never]),
      TypeError,
      "tensors[1]: expected a Tensor or { data, shape }, got 1",
    ],
    [
      "concat of dtypes",
      () => concat([A, Tensor.zeros([2, 3]) as never]),
      TypeError,
      'tensors[1].dtype: expected "int64" as in tensors[0], got "float32"',
    ],
    [
      "concat of truth values and bytes",
      () => concat([MASK, new Tensor(new Uint8Array(4), [2, 2])]),
      TypeError,
      'tensors[1].dtype: expected "bool" as in tensors[0], got "uint8"',
    ],
    [
      "concat of other sizes",
      () => concat([A, A, B]),
      RangeError,
      "tensors[2].shape[1]: expected 3 as in tensors[0], got 2",
    ],
    [
      "concat of other ranks",
      () => concat([A, A.reshape([6])]),
      RangeError,
      "tensors[1].shape: expected 2 dimensions as in tensors[0], got [6]",
    ],
    [
      "concat of no dimension",
      () => concat([A], 2),
      RangeError,
      "dim: expected an integer from -2 to 1, got 2",
    ],
  ])("%s", (_, call, type, message) => {
    expect(call).toThrow(type);
    expect(call).toThrow(message);
  });

  it("say what became of a tensor's own fields", () => {
    const gone = Tensor.from([1, 2]);
    structuredClone(gone.data.buffer, { transfer: [gone.data.buffer as ArrayBuffer] });
    for (const call of [
      () => gone.at(0),
      () => gone.select(0, 0),
      () => gone.slice(0),
      () => gone.reshape([2]),
    ]) {
      expect(call).toThrow(new RangeError("data.length: expected 2 for shape [2], got 0"));
    }
  });
});
