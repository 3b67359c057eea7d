/** Products on the kernels of matrices, beside their evaluation on the host. */
import { describe, expect, it } from "vitest";
import { compileEinsum, compileGemm, compileMatMul } from "../../../src/models/kernels/matmul.js";
import type { FusedActivation } from "../../../src/models/operator.js";
import { checkKernels, integers, type KernelCase, onHost, random, runKernels } from "./harness.js";

/** Sums of numbers of either sign lose digits of the largest term, which is about 16. */
const SUMS = { absolute: 1e-4 };

type Shapes = readonly [readonly number[], readonly number[]];

const matMul = ([a, b]: Shapes, constants: readonly number[]): KernelCase => ({
  operator: "MatMul",
  inputs: [random(a, 1), random(b, 2)],
  constants,
});

const SHAPES: readonly Shapes[] = [
  [
    [3, 4],
    [4, 5],
  ],
  [
    [1, 64],
    [64, 32],
  ],
  [
    [7, 10],
    [10, 64],
  ],
  [
    [300, 6],
    [6, 33],
  ],
  [
    [2, 3, 4],
    [4, 5],
  ],
  [
    [2, 1, 9, 4],
    [3, 4, 17],
  ],
  [
    [2, 3, 10, 8],
    [2, 3, 8, 20],
  ],
  [
    [10, 8],
    [3, 8, 20],
  ],
  [[4], [4, 5]],
  [[3, 4], [4]],
  [[2, 3, 4], [4]],
  [[4], [4]],
  [[4], [2, 4, 3]],
  [
    [1, 1],
    [1, 1],
  ],
  [
    [0, 4],
    [4, 5],
  ],
  [
    [3, 4],
    [4, 0],
  ],
  [
    [2, 40, 3],
    [1, 3, 40],
  ],
];

describe("MatMul", () => {
  it.each([
    ["of two that are made at run time", []],
    ["by a constant on the right", [1]],
    ["by a constant on the left", [0]],
  ] as const)("multiplies %s", (_, constants) => {
    for (const shapes of SHAPES) checkKernels(matMul(shapes, constants), compileMatMul, SUMS);
  });

  it("multiplies many random shapes", () => {
    const below = integers(5);
    for (let time = 0; time < 100; time++) {
      const [rows, depth, columns] = [1 + below(50), 1 + below(20), 1 + below(40)];
      const batch = Array.from({ length: below(3) }, () => 1 + below(3));
      const part = () => batch.slice(below(batch.length + 1)).map((size) => (below(3) === 0 ? 1 : size));
      const shapes: Shapes = [
        [...part(), rows, depth],
        [...part(), depth, columns],
      ];
      checkKernels(matMul(shapes, [[], [0], [1]][below(3)]!), compileMatMul, SUMS);
    }
  });

  it("has weights of eight bits where that is asked for, but those that have no such form", () => {
    const node = matMul(
      [
        [5, 60],
        [60, 40],
      ],
      [1],
    );
    checkKernels({ ...node, precision: "int8" }, compileMatMul, { absolute: 0.5 });
    expect(runKernels({ ...node, precision: "int8" }, compileMatMul)).not.toEqual(
      runKernels(node, compileMatMul),
    );
    node.inputs[1]!.data[7] = Number.POSITIVE_INFINITY;
    expect(runKernels({ ...node, precision: "int8" }, compileMatMul)).toEqual(
      runKernels(node, compileMatMul),
    );
  });

  it("adds a third input, which a rewrite gives it", () => {
    const node = matMul(
      [
        [2, 3, 8],
        [8, 5],
      ],
      [1],
    );
    const row = random([5], 3);
    const [plain] = onHost(node);
    const expected = plain!.data.map((x: number, at: number) => x + row.data[at % 5]!);
    const [result] = runKernels(node, (compiling) => {
      Object.assign(compiling.call, { inputs: [...compiling.call.inputs, row] });
      return compileMatMul(compiling);
    })!;
    for (const [at, x] of expected.entries()) expect(result!.data[at]).toBeCloseTo(x, 4);
  });

  it("is evaluated on the host where that would be added to the rows of a product with a vector", () => {
    const node = matMul([[2, 3, 8], [8]], [1]);
    const result = runKernels(node, (compiling) => {
      Object.assign(compiling.call, { inputs: [...compiling.call.inputs, random([3], 3)] });
      return compileMatMul(compiling);
    });
    expect(result).toBeUndefined();
  });

  it("acts on what it gives", () => {
    const activations: FusedActivation[] = [
      { name: "Relu", alpha: 0, beta: 0 },
      { name: "Sigmoid", alpha: 0, beta: 0 },
      { name: "Tanh", alpha: 0, beta: 0 },
      { name: "LeakyRelu", alpha: 0.2, beta: 0 },
    ];
    const shapes: Shapes[] = [
      [
        [3, 4],
        [4, 32],
      ],
      [
        [3, 4],
        [4, 5],
      ],
      [
        [30, 4],
        [4, 21],
      ],
    ];
    for (const activation of activations) {
      for (const each of shapes) {
        for (const constants of [[], [1]]) {
          checkKernels({ ...matMul(each, constants), activation }, compileMatMul, SUMS);
        }
      }
    }
    const unknown = { name: "Celu", alpha: 1, beta: 0 };
    expect(
      runKernels(
        {
          ...matMul(
            [
              [3, 4],
              [4, 5],
            ],
            [],
          ),
          activation: unknown,
        },
        compileMatMul,
      ),
    ).toBeUndefined();
  });

  it("is evaluated on the host for other types", () => {
    for (const dtype of ["float16", "bfloat16", "int32", "int64"] as const) {
      const inputs = [random([2, 3], 1, dtype), random([3, 2], 2, dtype)];
      expect(runKernels({ operator: "MatMul", inputs }, compileMatMul)).toBeUndefined();
    }
  });
});

describe("Gemm", () => {
  const gemm = (
    [rows, depth, columns]: readonly [number, number, number],
    { transA = 0, transB = 0, alpha = 1, beta = 1 }: Record<string, number>,
    added: readonly number[] | undefined,
    constants: readonly number[],
  ): KernelCase => ({
    operator: "Gemm",
    attributes: { transA, transB, alpha, beta },
    inputs: [
      random(transA ? [depth, rows] : [rows, depth], 1),
      random(transB ? [columns, depth] : [depth, columns], 2),
      added && random(added, 3),
    ],
    constants,
  });

  it("multiplies in every form, with constants and without", () => {
    for (const transA of [0, 1]) {
      for (const transB of [0, 1]) {
        for (const constants of [[], [1], [1, 2], [0, 1], [2]]) {
          for (const [alpha, beta] of [
            [1, 1],
            [0.5, 2],
          ] as const) {
            for (const sizes of [
              [1, 12, 32],
              [9, 7, 18],
              [150, 3, 5],
            ] as const) {
              const [rows, , columns] = sizes;
              for (const c of [undefined, [columns], [1, columns], [rows, 1], [rows, columns], [1], []]) {
                const offset = constants.length;
                const node = gemm(sizes, { transA, transB, alpha, beta }, c, constants);
                checkKernels({ ...node, offset }, compileGemm, SUMS);
              }
            }
          }
        }
      }
    }
  });

  it("of no depth is evaluated on the host", () => {
    expect(runKernels(gemm([3, 0, 4], { beta: 2 }, [4], [1, 2]), compileGemm)).toBeUndefined();
    expect(
      runKernels(
        matMul(
          [
            [2, 0],
            [0, 3],
          ],
          [],
        ),
        compileMatMul,
      ),
    ).toBeUndefined();
  });

  it("acts on what it gives, with a bias", () => {
    const activation = { name: "Relu", alpha: 0, beta: 0 };
    for (const constants of [[], [1, 2]]) {
      checkKernels({ ...gemm([5, 6, 7], {}, [7], constants), activation }, compileGemm, SUMS);
    }
  });

  it("has weights of eight bits where that is asked for", () => {
    const node = gemm([5, 60, 40], { transB: 1 }, [40], [1, 2]);
    checkKernels({ ...node, precision: "int8" }, compileGemm, { absolute: 0.5 });
  });
});

describe("Einsum", () => {
  const einsum = (equation: string, [a, b]: Shapes, constants: readonly number[]): KernelCase => ({
    operator: "Einsum",
    attributes: { equation },
    inputs: [random(a, 1), random(b, 2)],
    constants,
  });

  it.each([
    [
      "ij,jk->ik",
      [
        [9, 4],
        [4, 17],
      ],
    ],
    [
      "ij,jk->ki",
      [
        [9, 4],
        [4, 17],
      ],
    ],
    [
      "ij,kj->ik",
      [
        [9, 4],
        [17, 4],
      ],
    ],
    [
      "ij,kj",
      [
        [9, 4],
        [17, 4],
      ],
    ],
    [
      "ji,jk->ik",
      [
        [4, 9],
        [4, 17],
      ],
    ],
    [
      "bij,bjk->bik",
      [
        [2, 9, 4],
        [2, 4, 17],
      ],
    ],
    [
      "bhid,bhjd->bhij",
      [
        [2, 3, 9, 4],
        [2, 3, 10, 4],
      ],
    ],
    [
      "bihd,bjhd->bhij",
      [
        [2, 9, 3, 4],
        [2, 10, 3, 4],
      ],
    ],
    [
      "bhij,bjhd->bihd",
      [
        [2, 3, 9, 4],
        [2, 4, 3, 6],
      ],
    ],
    [
      "btgi,gih->btgh",
      [
        [2, 5, 3, 4],
        [3, 4, 6],
      ],
    ],
    ["i,j->ij", [[3], [4]]],
    ["i,i->", [[5], [5]]],
    ["i,i->i", [[5], [5]]],
    [
      "ijk,jkl->il",
      [
        [3, 4, 5],
        [4, 5, 6],
      ],
    ],
    [
      "aij,jk->aik",
      [
        [1, 3, 4],
        [4, 5],
      ],
    ],
  ] as const)("multiplies %s", (equation, shapes) => {
    for (const constants of [[], [0], [1]]) {
      checkKernels(einsum(equation, shapes, constants), compileEinsum, SUMS);
    }
  });

  it("is evaluated on the host where it is no product of matrices", () => {
    for (const [equation, shapes] of [
      [
        "ij,jk->k",
        [
          [2, 3],
          [3, 4],
        ],
      ],
      [
        "ijk,kjl->il",
        [
          [2, 3, 4],
          [4, 3, 5],
        ],
      ],
    ] as const) {
      expect(runKernels(einsum(equation, shapes, []), compileEinsum)).toBeUndefined();
    }
  });
});
