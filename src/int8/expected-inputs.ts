/**
 * Expected products of a matrix's inputs, E[x[i] x[j]]. They weight the rounding errors of its weights.
 *
 * Let e be the errors of a row's weights. The expected squared error of what the row gives is the sum of
 * e[i] e[j] E[x[i] x[j]] over all pairs of inputs. round-weights.ts makes that sum small. Figures behind the
 * constants: docs/performance.md#int8-rounding.
 */

/**
 * What all inputs of a row have in common where nothing else is known: their squared mean over their
 * variance.
 */
const COMMON = 0.05;
/** The most columns in a block of likeness. Time grows with it: 0.3 s at 128 for a matrix of 2048 x 512. */
const LIKENESS_BLOCK = 128;
/** The most columns in a block of a sample's products. */
const SAMPLE_BLOCK = 512;
/**
 * Added to the expected square of every input, as a share of the mean square. Without it, the weights of
 * inputs that are 0 in a sample could have any error.
 */
const LEAST_SQUARE = 0.01;

/**
 * E[x[i] x[j]]: `common` for every pair, plus `products` for pairs within a block. The unit does not matter.
 */
export interface InputProducts {
  readonly common: number;
  readonly blocks: readonly ProductBlock[];
}

/** Columns `begin` .. `begin + size - 1`. */
export interface ProductBlock {
  readonly begin: number;
  readonly size: number;
  /** [size, size]: the expected product of every two inputs, less what is common. */
  readonly products: Float64Array;
}

/**
 * What the weights alone tell of their inputs. Gradients are sums of inputs, so two columns of trained
 * weights are alike where their inputs were. For i = j, E[x[i] x[j]] is 1, and for every pair a share of the
 * cosine of columns i and j is added. COMMON of all this is added for every pair. Errors of trained networks
 * are 22 to 32 % less than with COMMON alone.
 *
 * The share (see {@link shareOf}) is at least 0.9 for most trained matrices. It is at most 0.07 for random
 * ones, which are therefore rounded nearly as if there were no likeness.
 *
 * @param data [rows, columns], row-major
 */
export function productsOfWeights(data: Float32Array, rows: number, columns: number): InputProducts {
  const blocks = blocksOf(columns, LIKENESS_BLOCK).map(({ begin, size }) => {
    return { begin, size, products: cosines(sumProducts(data, columns, begin, size), size) };
  });
  const share = shareOf(blocks, rows);
  for (const { size, products } of blocks) {
    for (let index = 0; index < products.length; index++) products[index] = products[index]! * share;
    for (let i = 0; i < size; i++) products[i * size + i] = 1 + share;
  }
  return { common: COMMON * (1 + share), blocks };
}

/**
 * What a sample tells of the inputs, scaled to a mean square of 1. It is the product of the two inputs' means
 * plus their covariance; of the covariance of different inputs, only the share that is not chance (see {@link
 * shareOf}).
 *
 * @param data [rows, columns], row-major
 * @returns undefined where a number is not finite
 */
export function productsOfSample(data: Float32Array, columns: number): InputProducts | undefined {
  const rows = data.length / columns;
  const squares = data.reduce((sum, x) => sum + x * x, 0);
  if (!Number.isFinite(squares)) return undefined;
  const means = new Float64Array(columns);
  data.forEach((x, index) => {
    means[index % columns] = means[index % columns]! + x / rows;
  });
  const blocks = blocksOf(columns, SAMPLE_BLOCK).map(({ begin, size }) => {
    const covariances = sumProducts(data, columns, begin, size).map(
      (sum, index) => sum / rows - means[begin + (index % size)]! * means[begin + Math.floor(index / size)]!,
    );
    return { begin, size, products: covariances };
  });
  const share = shareOf(blocks, rows);
  // Inputs that are all 0 have no products. Every error is then as good as another, and the nearest integers
  // stay.
  const factor = squares > 0 ? data.length / squares : 0;
  for (const { begin, size, products } of blocks) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const index = i * size + j;
        const covariance = products[index]! * (i === j ? 1 : share);
        products[index] = (means[begin + i]! * means[begin + j]! + covariance) * factor;
      }
      products[i * size + i] = products[i * size + i]! + LEAST_SQUARE;
    }
  }
  return { common: 0, blocks };
}

/**
 * The share of the squared cosines of different columns that chance does not explain. Chance gives 1 / rows.
 * 200 rows of random inputs have a share of 0; without it, they would make the error of a Linear of 256
 * inputs 1.3 times as large.
 */
function shareOf(blocks: readonly ProductBlock[], rows: number): number {
  let pairs = 0;
  let squaredCosines = 0;
  for (const { size, products } of blocks) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const squaredLengths = products[i * size + i]! * products[j * size + j]!;
        // A column that never varies is in no pair.
        if (i === j || !(squaredLengths > 0)) continue;
        pairs++;
        squaredCosines += products[i * size + j]! ** 2 / squaredLengths;
      }
    }
  }
  return Math.max(0, 1 - pairs / (rows * Math.max(squaredCosines, Number.MIN_VALUE)));
}

/** The columns in blocks of nearly equal size, at most `largest`. */
function blocksOf(columns: number, largest: number): { begin: number; size: number }[] {
  const count = Math.ceil(columns / largest);
  return Array.from({ length: count }, (_, block) => {
    const begin = Math.floor((block * columns) / count);
    return { begin, size: Math.floor(((block + 1) * columns) / count) - begin };
  });
}

type Four = [Float64Array, Float64Array, Float64Array, Float64Array];

/**
 * The products of every two columns, summed over all rows: [size, size]. Four rows at a time: loading is 1.2x
 * as fast.
 */
function sumProducts(data: Float32Array, columns: number, begin: number, size: number): Float64Array {
  const result = new Float64Array(size * size);
  const [first, second, third, fourth] = Array.from({ length: 4 }, () => new Float64Array(size)) as Four;
  for (let from = begin; from < data.length; from += 4 * columns) {
    [first, second, third, fourth].forEach((weights, row) => {
      // Rows after the last are zeros.
      for (let i = 0; i < size; i++) weights[i] = data[from + row * columns + i] ?? 0;
    });
    for (let i = 0; i < size; i++) {
      const line = i * size;
      const [a, b, c, d] = [first[i]!, second[i]!, third[i]!, fourth[i]!];
      for (let j = 0; j <= i; j++) {
        const sum = a * first[j]! + b * second[j]! + (c * third[j]! + d * fourth[j]!);
        result[line + j] = result[line + j]! + sum;
      }
    }
  }
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) result[j * size + i] = result[i * size + j]!;
  }
  return result;
}

/**
 * Turns products of columns into cosines, in place: 1 for a column with itself, 0 beside a column of zeros.
 */
function cosines(products: Float64Array, size: number): Float64Array {
  const lengths = Float64Array.from({ length: size }, (_, i) => Math.sqrt(products[i * size + i]!));
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const length = lengths[i]! * lengths[j]!;
      const index = i * size + j;
      products[index] = i === j ? 1 : length === 0 ? 0 : products[index]! / length;
    }
  }
  return products;
}
