/** What operators of matrices, indices and moves give, computed by hand, and what they refuse. */
import { describe } from "vitest";
import {
  floats as f,
  ints,
  itGives,
  itRefuses,
  of,
  ones,
  type Result,
  row,
} from "../support/operator-cases.js";

const square = f([2, 2], 1, 2, 3, 4);
const other = f([2, 2], 5, 6, 7, 8);

describe("a product of matrices", () => {
  itGives([
    ["a vector by a matrix", "MatMul", [row(1, 2), square], {}, 20, [2], [7, 10]],
    ["a matrix by a vector", "MatMul", [square, row(5, 6)], {}, 20, [2], [17, 39]],
    ["a vector by a vector", "MatMul", [row(1, 2), row(3, 4)], {}, 20, [], [11]],
    [
      "a batch by one matrix",
      "MatMul",
      [f([2, 1, 2], 1, 2, 3, 4), other],
      {},
      20,
      [2, 1, 2],
      [19, 22, 43, 50],
    ],
    [
      "bytes without zero points",
      "MatMulInteger",
      [of("uint8", [1, 2], 200, 2), of("int8", [2, 1], -3, 4)],
      {},
      20,
      [1, 1],
      [-592],
    ],
    [
      "bytes less a zero point for each row",
      "MatMulInteger",
      [of("uint8", [2, 2], 1, 2, 3, 4), of("int8", [2, 1], 1, 1), of("uint8", [2], 1, 2)],
      {},
      20,
      [2, 1],
      [1, 3],
    ],
    [
      "bytes less a zero point for each column",
      "MatMulInteger",
      [of("uint8", [1, 2], 1, 2), of("int8", [2, 3], 1, 2, 3, 4, 5, 6), undefined, of("int8", [3], 1, 2, 3)],
      {},
      20,
      [1, 3],
      [6, 6, 6],
    ],
    [
      "bytes less a zero point for each matrix",
      "MatMulInteger",
      [of("uint8", [2, 1, 2], 1, 2, 3, 4), of("uint8", [2, 1], 1, 1), of("uint8", [2, 1, 1], 1, 2)],
      {},
      20,
      [2, 1, 1],
      [1, 3],
    ],
    ["a transposed A", "Gemm", [square, other], { transA: 1 }, 20, [2, 2], [26, 30, 38, 44]],
    [
      "a transposed B and a bias",
      "Gemm",
      [square, other, row(1, 10)],
      { transB: 1, beta: { float: 2 } },
      20,
      [2, 2],
      [19, 43, 41, 73],
    ],
    [
      "integers towards zero",
      "Gemm",
      [of("int32", [2, 1], 3, -3), of("int32", [1, 1], 1)],
      { alpha: { float: 0.5 } },
      20,
      [2, 1],
      [1, -1],
    ],
    ["a product", "Einsum", [square, other], { equation: "ij, jk -> ik" }, 20, [2, 2], [19, 22, 43, 50]],
    [
      "letters in their order",
      "Einsum",
      [square, other],
      { equation: "bj,ja" },
      20,
      [2, 2],
      [19, 43, 22, 50],
    ],
    ["a dot product", "Einsum", [row(1, 2), row(3, 4)], { equation: "i,i->" }, 20, [], [11]],
    ["a number by a vector", "Einsum", [f([], 3), row(1, 2)], { equation: ",i->i" }, 20, [2], [3, 6]],
    ["two numbers", "Einsum", [f([], 3), f([], 2)], { equation: "," }, 20, [], [6]],
    // 3 + 15 in 32 bits: as floats the products have no such bits.
    ...(["MatMul", "Gemm", "Einsum"] as const).map(
      (operator): Result => [
        "products that wrap",
        operator,
        [of("int32", [1, 2], 2147483647, 3), of("int32", [2, 1], 2147483645, 5)],
        operator === "Einsum" ? { equation: "ij,jk->ik" } : {},
        20,
        [1, 1],
        [18],
      ],
    ),
    ["an outer product", "Einsum", [row(1, 2), row(3, 4)], { equation: "i,j->ji" }, 20, [2, 2], [3, 6, 4, 8]],
  ]);

  const noSuch = (text: string) =>
    `attribute equation: ${text} is not supported; two operands with different letters are`;
  itRefuses([
    ["MatMul", [f([], 1), square], {}, 20, "a product of a scalar"],
    ["MatMul", [square, f([], 1)], {}, 20, "a product of a scalar"],
    ["MatMul", [row(1, 2), row(1, 2, 3)], {}, 20, "shapes [2] and [3] have no product"],
    ["MatMul", [ones(2, 1, 1), ones(3, 1, 1)], {}, 20, "shapes [2, 1, 1] and [3, 1, 1] have no product"],
    ["MatMul", [square, of("int32", [2, 2], 1, 2, 3, 4)], {}, 20, "input 1 of int32 is not supported"],
    [
      "MatMulInteger",
      [of("uint8", [2, 2], 1, 2, 3, 4), of("uint8", [2, 1], 1, 1), of("uint8", [3], 1, 1, 1)],
      {},
      20,
      "input 2 does not fit input 0",
    ],
    ["Gemm", [square, row(1, 2)], {}, 20, "inputs that are no matrices"],
    ["Gemm", [square, ones(3, 2)], {}, 20, "a product over 2 and 3 numbers"],
    ["Gemm", [square, other, row(1, 2, 3)], {}, 20, "input 2 of shape [3] does not fit [2, 2]"],
    ["Gemm", [square, other, ones(1, 2, 2)], {}, 20, "input 2 of shape [1, 2, 2] does not fit [2, 2]"],
    ["Einsum", [square, other], {}, 20, noSuch("")],
    ["Einsum", [square, other], { equation: "ii,ij->j" }, 20, noSuch("ii,ij->j")],
    ["Einsum", [square, other], { equation: "...i,ij" }, 20, noSuch("...i,ij")],
    ["Einsum", [square, other, other], { equation: "ij,jk" }, 20, noSuch("ij,jk")],
    [
      "Einsum",
      [square, other],
      { equation: "ij,jk->iz" },
      20,
      "attribute equation: ij,jk->iz has no such output",
    ],
    [
      "Einsum",
      [square, other],
      { equation: "ij,jk->ii" },
      20,
      "attribute equation: ij,jk->ii has no such output",
    ],
    ["Einsum", [row(1, 2), other], { equation: "ij,jk->ik" }, 20, "input 0 of 1 axes for ij"],
    ["Einsum", [square, ones(3, 2)], { equation: "ij,jk->ik" }, 20, "two sizes for j"],
  ]);
});

describe("a move", () => {
  const six = f([2, 3], 1, 2, 3, 4, 5, 6);
  // (2, 3, 1, 20), whose rows are copied as a whole.
  const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);
  const rows = f([2, 3, 1, 20], ...upTo(0, 120));
  itGives([
    [
      "whole rows of a slice",
      "Slice",
      [rows, ints(1), ints(3), ints(1)],
      {},
      20,
      [2, 2, 1, 20],
      [...upTo(20, 60), ...upTo(80, 120)],
    ],
    [
      "a part of each row",
      "Slice",
      [rows, ints(2), ints(19), ints(3)],
      {},
      20,
      [2, 3, 1, 17],
      [0, 20, 40, 60, 80, 100].flatMap((row) => upTo(row + 2, row + 19)),
    ],
    [
      "rows that change places",
      "Transpose",
      [rows],
      { perm: [1, 2, 0, 3] },
      20,
      [3, 1, 2, 20],
      [0, 60, 20, 80, 40, 100].flatMap((row) => upTo(row, row + 20)),
    ],
    [
      "a row that is repeated",
      "Expand",
      [f([1, 20], ...upTo(0, 20)), ints(2, 2, 20)],
      {},
      20,
      [2, 2, 20],
      [0, 0, 0, 0].flatMap(() => upTo(0, 20)),
    ],
    ["axes reversed", "Transpose", [six], {}, 20, [3, 2], [1, 4, 2, 5, 3, 6]],
    ["a slice of attributes", "Slice", [six], { starts: [1], ends: [3], axes: [1] }, 9, [2, 2], [2, 3, 5, 6]],
    ["a slice of the first axes", "Slice", [six], { starts: [1], ends: [9] }, 9, [1, 3], [4, 5, 6]],
    [
      "a slice backwards",
      "Slice",
      [row(1, 2, 3, 4), ints(-1), ints(-100), ints(0), ints(-2)],
      {},
      20,
      [2],
      [4, 2],
    ],
    ["nothing of nothing", "Slice", [row(), ints(-1), ints(-100), ints(0), ints(-1)], {}, 20, [0], []],
    ["a part of stated size", "Split", [six], { axis: 1, split: [3] }, 11, [2, 3], [1, 2, 3, 4, 5, 6]],
    ["the larger part first", "Split", [row(1, 2, 3)], { num_outputs: 2 }, 20, [2], [1, 2]],
    [
      "a join along the last axis",
      "Concat",
      [six, six],
      { axis: -1 },
      20,
      [2, 6],
      [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6],
    ],
    ["repeats", "Tile", [f([2, 1], 1, 2), ints(1, 3)], {}, 20, [2, 3], [1, 1, 1, 2, 2, 2]],
    ["more axes", "Expand", [row(1, 2), ints(2, 1)], {}, 20, [2, 2], [1, 2, 1, 2]],
    ["an upper triangle", "Trilu", [square], {}, 20, [2, 2], [1, 2, 0, 4]],
    ["less than a lower one", "Trilu", [square, of("int64", [], -1)], { upper: 0 }, 20, [2, 2], [0, 0, 3, 0]],
  ]);

  const notEqual = "starts, ends, axes and steps are not equally many";
  itRefuses([
    ["Transpose", [six], { perm: [0] }, 20, "attribute perm [0] is not of 2 axes"],
    ["Transpose", [six], { perm: [0, 0] }, 20, "axes [0, 0] repeat one"],
    ["Slice", [six], { starts: [1] }, 9, "no starts or no ends are given"],
    ["Slice", [six], { ends: [1] }, 9, "no starts or no ends are given"],
    ["Slice", [six, ints(0), ints(1, 1)], {}, 20, notEqual],
    ["Slice", [six, ints(0), ints(1), ints(0, 1)], {}, 20, notEqual],
    ["Slice", [six, ints(0), ints(1), ints(0), ints(0)], {}, 20, "a step of 0"],
    ["Slice", [six, row(0), ints(1)], {}, 20, "input 1 of float32 is not supported"],
    ["Split", [six, ints(1, 2)], {}, 20, "parts [1, 2] of an axis of size 2"],
    ["Split", [six, ints(3, -1)], {}, 20, "parts [3, -1] of an axis of size 2"],
    ["Split", [six], { num_outputs: 0 }, 20, "0 outputs"],
    ["Split", [six], { num_outputs: 100_001 }, 20, "100001 outputs"],
    ["Concat", [six, square], { axis: 0 }, 20, "input 1 of shape [2, 2] does not fit the first"],
    ["Concat", [six, row(1)], { axis: 0 }, 20, "input 1 of shape [1] does not fit the first"],
    ["Tile", [six, ints(2)], {}, 20, "1 repeats for 2 axes"],
    ["Expand", [six, ints(2)], {}, 20, "shape [2, 3] does not fit the one to expand to"],
    ["Expand", [six, ints(-1, 3)], {}, 20, "no such shape: [-1, 3]"],
    ["Trilu", [row(1)], {}, 20, "an input of fewer than two axes"],
    ["Trilu", [square, ints(1, 2)], {}, 20, "input 1: expected one number, got shape [2]"],
  ]);
});

describe("numbers by their index", () => {
  const base = row(1, 2, 3, 4);
  const places = of("int64", [2, 1], 1, -1);
  const scatter = (reduction: string, numbers: number[]): Result => [
    reduction,
    "ScatterND",
    [base, places, row(3, 2)],
    { reduction },
    20,
    [4],
    numbers,
  ];
  itGives([
    ["the last one", "Gather", [base, of("int64", [], -1)], {}, 20, [], [4]],
    scatter("none", [1, 3, 3, 2]),
    scatter("add", [1, 5, 3, 6]),
    scatter("mul", [1, 6, 3, 8]),
    scatter("max", [1, 3, 3, 4]),
    scatter("min", [1, 2, 3, 2]),
    [
      "where it is not zero, NaN and -0 among it",
      "NonZero",
      [f([2, 3], 0, 1, Number.NaN, -0, 0, -2)],
      {},
      20,
      [2, 3],
      [0, 0, 1, 1, 2, 2],
    ],
    ["where no axis is", "NonZero", [f([], 5)], {}, 20, [0, 1], []],
    [
      "padding of an attribute",
      "Pad",
      [row(1, 2)],
      { pads: [1, 1], value: { float: 7 } },
      10,
      [4],
      [7, 1, 2, 7],
    ],
    ["padding of the oldest attribute", "Pad", [row(1, 2)], { paddings: [0, 1] }, 10, [3], [1, 2, 0]],
    [
      "padding of one axis",
      "Pad",
      [square, ints(1, 0), f([], 9), ints(-1)],
      {},
      20,
      [2, 3],
      [9, 1, 2, 9, 3, 4],
    ],
    ["less than there is", "Pad", [base, ints(-1, -2)], {}, 20, [1], [2]],
    ["edges", "Pad", [row(1, 2), ints(2, 1)], { mode: "edge" }, 20, [5], [1, 1, 1, 2, 2]],
    ["the other end", "Pad", [row(1, 2, 3), ints(2, 1)], { mode: "wrap" }, 20, [6], [2, 3, 1, 2, 3, 1]],
    ["a mirror", "Pad", [row(1, 2, 3), ints(2, 1)], { mode: "reflect" }, 20, [6], [3, 2, 1, 2, 3, 2]],
    ["a mirror of one number", "Pad", [row(5), ints(1, 1)], { mode: "reflect" }, 20, [3], [5, 5, 5]],
  ]);
  itRefuses([
    ["Gather", [base, ints(4)], {}, 20, "index 4 is not in an axis of size 4"],
    ["Gather", [base, ints(-5)], {}, 20, "index -5 is not in an axis of size 4"],
    ["ScatterND", [base, places, row(1)], {}, 20, "updates of shape [1]; expected [2]"],
    ["ScatterND", [base, of("int64", [], 0), row(1)], {}, 20, "updates of shape [1]; expected [4]"],
    ["ScatterND", [base, of("int64", [1, 2], 0, 0), row(1)], {}, 20, "updates of shape [1]; expected [1]"],
    [
      "ScatterND",
      [base, places, row(1, 2)],
      { reduction: "mean" },
      20,
      "attribute reduction: mean is not supported",
    ],
    ["Pad", [base], {}, 10, "no pads are given"],
    ["Pad", [base, ints(1)], {}, 20, "1 pads for 1 axes"],
    ["Pad", [square, ints(1, 1, 1, 1), undefined, ints(0, -2)], {}, 20, "axes [0, -2] repeat one"],
    ["Pad", [base, ints(1, 1)], { mode: "odd" }, 20, "attribute mode: odd is not supported"],
    ["Pad", [row(), ints(1, 1)], { mode: "edge" }, 20, "mode edge of an axis of size 0"],
  ]);
});
