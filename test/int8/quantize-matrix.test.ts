/** quantizeMatrix: the best of its scales, rounding for what inputs have in common, and rows at the edges of float32. */
import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/index.js";
import { productsOfSample } from "../../src/int8/expected-inputs.js";
import { quantizeMatrix } from "../../src/int8/round-weights.js";

const LEVELS = Array.from({ length: 16 }, (_, at) => 115 + at);
/** What is added to the expected product of every two inputs. */
const COMMON = 0.05;
const BLOCK = 128;

const cut = (integer: number) => Math.max(-127, Math.min(127, integer));
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
const squares = (numbers: readonly number[]) => sum(numbers.map((number) => number ** 2));

/**
 * The expected product of every two inputs of a matrix. An input with itself has 1. The cosine of the two columns is
 * added, within blocks of at most BLOCK, by the share that chance does not explain. COMMON of the diagonal is added to all.
 */
function expectedProducts(data: Float32Array, rows: number): number[][] {
  const columns = data.length / rows;
  const blocks = Math.ceil(columns / BLOCK);
  const begins = Array.from({ length: blocks + 1 }, (_, at) => Math.floor((at * columns) / blocks));
  const blockOf = (column: number) => begins.findIndex((begin) => begin > column);
  const vectors = Array.from({ length: columns }, (_, at) =>
    Array.from({ length: rows }, (_, row) => data[row * columns + at]!),
  );
  const lengths = vectors.map((vector) => Math.sqrt(squares(vector)));
  const cosines = vectors.map((one, i) =>
    vectors.map((other, j) => {
      if (i === j) return 1;
      const length = lengths[i]! * lengths[j]!;
      return blockOf(i) !== blockOf(j) || length === 0
        ? 0
        : sum(one.map((x, row) => x * other[row]!)) / length;
    }),
  );
  const pairs = sum(begins.slice(1).map((end, at) => (end - begins[at]!) * (end - begins[at]! - 1)));
  const above = squares(cosines.flat()) - columns;
  const share = above > 0 ? Math.max(0, 1 - pairs / (rows * above)) : 0;
  return cosines.map((line, i) =>
    line.map((cosine, j) => (i === j ? 1 : 0) + share * cosine + COMMON * (1 + share)),
  );
}

/** The rows of a matrix, each with its integers, its scale, and its errors in units of that. */
function quantizedRows(data: Float32Array, rows: number) {
  const { values, scales, problem } = quantizeMatrix(data, rows);
  expect(problem).toBeUndefined();
  const columns = data.length / rows;
  return Array.from(scales, (scale, row) => {
    const weights = [...data.slice(row * columns, (row + 1) * columns)];
    const integers = [...values.slice(row * columns, (row + 1) * columns)];
    return { weights, integers, scale, errors: weights.map((weight, at) => weight / scale - integers[at]!) };
  });
}

const uniform = ({ data }: Tensor) => data.map((x) => Math.abs(x % 1) * 2 - 1);
/** Weights of 8 bits that were clipped: those at the limit have no integer to be turned to. */
const clipped = Float32Array.from({ length: 512 }, (_, at) => (at < 20 ? 128 : (at % 9) - 4));
const MATRICES: [string, number, Float32Array][] = [1, 2, 5, 16, 40, 128, 300].flatMap((columns) => {
  const normal = Tensor.randn([40, columns], columns);
  return [
    [`normal, ${columns} columns`, 40, normal.data],
    [`uniform, ${columns} columns`, 40, uniform(normal)],
    [`above zero, ${columns} columns`, 40, normal.data.map(Math.abs)],
    [`heavy tails, ${columns} columns`, 40, normal.data.map((x) => x ** 5)],
  ];
});
MATRICES.push(["clipped above", 1, clipped], ["clipped below", 1, clipped.map((x) => -x)]);

/** Columns that have much in common, as those of trained weights: 5 directions in 40 rows, and noise. */
function alike(columns: number): Float32Array {
  const [rows, count] = [40, 5];
  const parts = [Tensor.randn([rows, count], 6).data, Tensor.randn([columns, count], 7).data];
  const { data } = Tensor.randn([rows, columns], 8);
  return data.map((x, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    const directions = Array.from(
      { length: count },
      (_, k) => parts[0]![row * count + k]! * parts[1]![column * count + k]!,
    );
    return 0.5 * x + sum(directions);
  });
}
for (const columns of [5, 40, 300]) MATRICES.push([`alike, ${columns} columns`, 40, alike(columns)]);

describe.each(MATRICES)("%s", (_, rows, data) => {
  it("takes the scale with the least squared error", () => {
    for (const { weights, scale } of quantizedRows(data, rows)) {
      const largest = Math.max(...weights.map(Math.abs));
      const errorOf = (by: number) => squares(weights.map((x) => x - by * cut(Math.round(x / by))));
      const scales = LEVELS.map((level) => Math.fround(largest / level));
      expect(scales).toContain(scale);
      const least = Math.min(...scales.map(errorOf));
      expect(errorOf(scale)).toBeLessThanOrEqual(least * (1 + 1e-9) + largest ** 2 * 1e-20);
    }
  });

  it("rounds to neighbours, and no other rounding of one weight would be better", () => {
    const products = expectedProducts(data, rows);
    for (const { integers, errors } of quantizedRows(data, rows)) {
      const changes = integers.flatMap((integer, at) => {
        const slope = sum(products[at]!.map((product, other) => product * errors[other]!));
        const turns = [-1, 1].filter(
          (turn) => cut(integer + turn) === integer + turn && Math.abs(errors[at]! - turn) < 1 - 1e-4,
        );
        return turns.map((turn) => products[at]![at]! - 2 * turn * slope);
      });
      expect(Math.min(0, ...changes)).toBeGreaterThan(-1e-6);
      expect(integers).toEqual(integers.map(cut));
      const uncut = errors.filter((_, at) => Math.abs(integers[at]!) < 127);
      expect(Math.max(0, ...uncut.map(Math.abs))).toBeLessThan(1);
    }
  });

  it("finds its own integers again", () => {
    const { values, scales } = quantizeMatrix(data, rows);
    const columns = data.length / rows;
    const again = quantizeMatrix(
      Float32Array.from(values, (value, at) => value * scales[Math.floor(at / columns)]!),
      rows,
    );
    // One or two numbers are themselves at several scales.
    if (columns <= 2) return;
    expect(again.values).toEqual(values);
    const ratios = scales.map((scale, row) => again.scales[row]! / scale);
    expect(Math.max(...ratios.map((ratio) => Math.abs(ratio - 1)))).toBeLessThan(2 ** -22);
  });
});

it("is nearer than with the largest weight at 127, and keeps sums far better", () => {
  const [rows, columns] = [200, 128];
  const { data } = Tensor.randn([rows, columns], 3);
  const found = quantizedRows(data, rows).map(({ weights, scale, errors }) => {
    const plain = Math.fround(Math.max(...weights.map(Math.abs)) / 127);
    const plainErrors = weights.map((weight) => weight / plain - Math.round(weight / plain));
    return {
      error: squares(errors) * scale ** 2,
      plain: squares(plainErrors) * plain ** 2,
      sum: sum(errors) ** 2,
      plainSum: sum(plainErrors) ** 2,
    };
  });
  const total = (of: keyof (typeof found)[number]) => sum(found.map((row) => row[of]));
  expect(total("error")).toBeLessThan(0.95 * total("plain"));
  expect(total("sum")).toBeLessThan(0.1 * total("plainSum"));
});

describe.each([
  ["related inputs", 60, 40, alike(40)],
  ["drawn inputs, fewer than columns", 20, 40, Tensor.randn([20, 40], 9).data],
  ["an input that is always 0", 40, 5, alike(5).map((x, at) => (at % 5 === 3 ? 0 : x))],
  ["two blocks", 3, 700, Tensor.randn([3, 700], 10).data],
])("products of a sample: %s", (_, rows, columns, data) => {
  const sample = data.slice(0, rows * columns);
  const found = productsOfSample(sample, columns)!;
  const count = sample.length / columns;
  const column = (at: number) => Array.from({ length: count }, (_, row) => sample[row * columns + at]!);
  const lines = Array.from({ length: columns }, (_, at) => column(at));
  const dot = (i: number, j: number) => sum(lines[i]!.map((x, row) => x * lines[j]![row]!));
  const blocks = columns > 512 ? [columns / 2, columns / 2] : [columns];

  it("are those of the means, and what chance does not explain of the covariances", () => {
    expect(found.common).toBe(0);
    expect(found.blocks.map(({ size }) => size)).toEqual(blocks);
    const means = lines.map((line) => sum(line) / count);
    const covariance = (i: number, j: number) => dot(i, j) / count - means[i]! * means[j]!;
    const pairs: number[] = [];
    for (const { begin, size } of found.blocks) {
      for (let i = begin; i < begin + size; i++) {
        for (let j = begin; j < begin + size; j++) {
          const both = covariance(i, i) * covariance(j, j);
          if (i !== j && both > 0) pairs.push(covariance(i, j) ** 2 / both);
        }
      }
    }
    const share = Math.max(0, 1 - pairs.length / (count * sum(pairs)));
    const unit = sum(lines.map((_, at) => dot(at, at))) / count / columns;
    for (const { begin, size, products } of found.blocks) {
      for (let i = 0; i < size; i += 7) {
        for (let j = 0; j < size; j += 3) {
          const together = covariance(begin + i, begin + j) * (i === j ? 1 : share);
          const product = (means[begin + i]! * means[begin + j]! + together) / unit;
          expect(products[i * size + j]).toBeCloseTo(product + (i === j ? 0.01 : 0), 8);
        }
      }
    }
  });

  it("decide the rounding", () => {
    const weights = Tensor.randn([5, columns], 12).data;
    const { values, scales } = quantizeMatrix(weights, 5, found);
    scales.forEach((scale, row) => {
      const errorsOf = ({ begin, size }: { begin: number; size: number }) =>
        Array.from({ length: size }, (_, at) => {
          const place = row * columns + begin + at;
          return weights[place]! / scale - values[place]!;
        });
      for (const block of found.blocks) {
        const errors = errorsOf(block);
        errors.forEach((error, at) => {
          const line = block.products.subarray(at * block.size, (at + 1) * block.size);
          const slope = sum(errors.map((other, to) => other * line[to]!));
          const integer = values[row * columns + block.begin + at]!;
          for (const turn of [-1, 1]) {
            if (cut(integer + turn) !== integer + turn || Math.abs(error - turn) >= 1 - 1e-4) continue;
            expect(line[at]! - 2 * turn * slope).toBeGreaterThan(-1e-6);
          }
        });
      }
    });
  });
});

it("products of a sample: none where a number is not finite", () => {
  expect(productsOfSample(Float32Array.of(1, 2, Number.NaN, 3), 2)).toBeUndefined();
  expect(productsOfSample(Float32Array.of(1, Number.POSITIVE_INFINITY), 2)).toBeUndefined();
});

describe("rows at the edges", () => {
  const rowOf = (...weights: number[]) => quantizedRows(Float32Array.from(weights), 1)[0]!;

  it("zeros have the scale 1, and stay zeros among other numbers", () => {
    expect(rowOf(0, -0, 0)).toMatchObject({ integers: [0, 0, 0], scale: 1 });
    const { data } = Tensor.randn([1, 100], 4);
    const sparse = Array.from(data, (x, at) => (at % 3 === 0 ? x : 0));
    rowOf(...sparse).integers.forEach((integer, at) => {
      if (sparse[at] === 0) expect(integer).toBe(0);
    });
  });

  it("fractions of each other are exact", () => {
    const { errors } = rowOf(-2, 1, 0.5, 0.25);
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(1e-5);
    expect(Math.max(...rowOf(3, 3, -3).errors.map(Math.abs))).toBeLessThan(1e-5);
  });

  it.each([3.4028234663852886e38, 2 ** -126, 1e-40, 3e-43, 2 ** -149])("largest weight %d", (largest) => {
    const { errors, scale } = rowOf(largest, -largest / 3, largest / 7, 0);
    expect(scale).toBeGreaterThan(0);
    expect(scale).toBeLessThan(Number.POSITIVE_INFINITY);
    // A subnormal scale has few bits, so that the largest weights may be cut by more than a half.
    for (const error of errors)
      expect(Math.abs(error) * scale).toBeLessThanOrEqual(largest * 0.01 + 2 ** -149);
  });

  it("many equal errors are turned one by one", () => {
    const { errors } = rowOf(1, ...new Array<number>(5000).fill(0.7777));
    // Turning an error of nothing costs 1, and is worth it down to this sum.
    expect(Math.abs(sum(errors))).toBeLessThan(0.5 + 0.5 / COMMON);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("%d has no integer", (number) => {
    const { problem } = quantizeMatrix(Float32Array.of(1, 2, 3, number, 5, 6), 3);
    expect(problem).toBe(`[1][1]: expected a finite number to quantise, got ${number}`);
  });
});
