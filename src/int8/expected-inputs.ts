/**
 * What the products of a matrix's inputs are expected to be. The error of what a row gives, squared, is expected to be the
 * sum of e[i] e[j] E[x[i] x[j]], over the errors e of its weights and all pairs of inputs x; round-weights.ts makes it least.
 */

/**
 * How much all inputs of a row have in common, where nothing else is known: their mean, squared, over their variance. 0.12
 * for the features that Silero VAD's LSTM reads, 0.04 for its h; from 0.03 to 0.1 it makes little difference, and 0.05 was
 * taken for the least mean error on that example's 609 frames, before likeness was made use of; they are no independent
 * measure of it.
 */
const COMMON = 0.05;
/**
 * Columns whose likeness to each other is made use of, at most. Time grows with it: at 128 a matrix of 2048 x 512 takes
 * 0.3 s, of which the scales are 0.1 s. Silero VAD's 128 columns have 77 % of the error that they have without likeness;
 * in blocks of 64 it is 80 %, of 43 84 %.
 */
const LIKENESS_BLOCK = 128;
/** The same for a sample. */
const SAMPLE_BLOCK = 512;
/**
 * What is added to the expected square of every input, as a share of their mean: inputs that a sample leaves at 0 are not
 * free to have any error. Silero VAD's error is the same from 0.001 to 0.01.
 */
const LEAST_SQUARE = 0.01;

/** E[x[i] x[j]]: `common` for every pair, and `products` on top for those of one block. Their unit does not matter. */
export interface InputProducts {
  readonly common: number;
  readonly blocks: readonly ProductBlock[];
}

/** Columns `begin` .. `begin + size - 1`. */
export interface ProductBlock {
  readonly begin: number;
  readonly size: number;
  /** [size, size]: the expected product of every two inputs without what is common. */
  readonly products: Float64Array;
}

/**
 * What weights tell of their inputs: gradients are sums of inputs, and so two columns of trained weights are alike where
 * their inputs were. E[x[i] x[j]] is taken to be 1 for i = j, and a share of the cosine of the columns i and j on top;
 * then COMMON of all this for every pair. Against COMMON alone, the mean errors of the trained networks in bench/int8 are
 * 22 to 32 % less, averaged over 12 drawn sets of scales; a sample makes them about half.
 *
 * The share (see {@link shareOf}) is 0.9 or more for most trained matrices, and 0 to 0.07 for drawn ones, which are
 * therefore rounded nearly as if there were no likeness.
 */
export function productsOfWeights(data: Float32Array, rows: number, columns: number): InputProducts {
  const blocks = blocksOf(columns, LIKENESS_BLOCK).map(({ begin, size }) => {
    return { begin, size, products: cosines(sumProducts(data, columns, begin, size), size) };
  });
  const share = shareOf(blocks, rows);
  for (const { size, products } of blocks) {
    for (let at = 0; at < products.length; at++) products[at] = products[at]! * share;
    for (let at = 0; at < size; at++) products[at * size + at] = 1 + share;
  }
  return { common: COMMON * (1 + share), blocks };
}

/**
 * What rows of inputs tell, for a mean square of 1: the products of the inputs' means, and of how different inputs vary
 * together the share that is not chance (see {@link shareOf}). Undefined where one is not finite.
 */
export function productsOfSample(data: Float32Array, columns: number): InputProducts | undefined {
  const rows = data.length / columns;
  const squares = data.reduce((sum, x) => sum + x * x, 0);
  if (!Number.isFinite(squares)) return undefined;
  const means = new Float64Array(columns);
  data.forEach((x, at) => {
    means[at % columns] = means[at % columns]! + x / rows;
  });
  const blocks = blocksOf(columns, SAMPLE_BLOCK).map(({ begin, size }) => {
    const products = sumProducts(data, columns, begin, size).map(
      (sum, at) => sum / rows - means[begin + (at % size)]! * means[begin + Math.floor(at / size)]!,
    );
    return { begin, size, products };
  });
  const share = shareOf(blocks, rows);
  // Inputs that are all 0 have no products; every error is then as good as another, and the nearest integers stay.
  const factor = squares > 0 ? data.length / squares : 0;
  for (const { begin, size, products } of blocks) {
    for (let one = 0; one < size; one++) {
      for (let other = 0; other < size; other++) {
        const at = one * size + other;
        const together = products[at]! * (one === other ? 1 : share);
        products[at] = (means[begin + one]! * means[begin + other]! + together) * factor;
      }
      products[one * size + one] = products[one * size + one]! + LEAST_SQUARE;
    }
  }
  return { common: 0, blocks };
}

/**
 * The part of the squared cosines of different columns that chance does not explain, which gives 1 / rows. 200 rows of
 * drawn inputs have none; taken for what they seem, they would make the error of a Linear of 256 inputs 1.3 times as large.
 */
function shareOf(blocks: readonly ProductBlock[], rows: number): number {
  let pairs = 0;
  let squares = 0;
  for (const { size, products } of blocks) {
    for (let one = 0; one < size; one++) {
      for (let other = 0; other < size; other++) {
        const both = products[one * size + one]! * products[other * size + other]!;
        // Columns that are always the same are in no pair.
        if (one === other || !(both > 0)) continue;
        pairs++;
        squares += products[one * size + other]! ** 2 / both;
      }
    }
  }
  return Math.max(0, 1 - pairs / (rows * Math.max(squares, Number.MIN_VALUE)));
}

/** The columns in blocks of nearly the same size, at most `most`. */
function blocksOf(columns: number, most: number): { begin: number; size: number }[] {
  const count = Math.ceil(columns / most);
  return Array.from({ length: count }, (_, block) => {
    const begin = Math.floor((block * columns) / count);
    return { begin, size: Math.floor(((block + 1) * columns) / count) - begin };
  });
}

type Four = [Float64Array, Float64Array, Float64Array, Float64Array];

/** The sum over all rows of the product of every two of some columns. Four rows at a time: 1.2x over the whole. */
function sumProducts(data: Float32Array, columns: number, begin: number, size: number): Float64Array {
  const result = new Float64Array(size * size);
  const [first, second, third, fourth] = Array.from({ length: 4 }, () => new Float64Array(size)) as Four;
  for (let from = begin; from < data.length; from += 4 * columns) {
    [first, second, third, fourth].forEach((weights, row) => {
      // Rows after the last are zeros.
      for (let at = 0; at < size; at++) weights[at] = data[from + row * columns + at] ?? 0;
    });
    for (let one = 0; one < size; one++) {
      const line = one * size;
      const [a, b, c, d] = [first[one]!, second[one]!, third[one]!, fourth[one]!];
      for (let other = 0; other <= one; other++) {
        const more = a * first[other]! + b * second[other]! + (c * third[other]! + d * fourth[other]!);
        result[line + other] = result[line + other]! + more;
      }
    }
  }
  for (let one = 0; one < size; one++) {
    for (let other = 0; other < one; other++) result[other * size + one] = result[one * size + other]!;
  }
  return result;
}

/** Products of columns to their cosines, in place; 1 for a column with itself, and 0 beside a column of zeros. */
function cosines(products: Float64Array, size: number): Float64Array {
  const lengths = Float64Array.from({ length: size }, (_, at) => Math.sqrt(products[at * size + at]!));
  for (let one = 0; one < size; one++) {
    for (let other = 0; other < size; other++) {
      const both = lengths[one]! * lengths[other]!;
      const at = one * size + other;
      products[at] = one === other ? 1 : both === 0 ? 0 : products[at]! / both;
    }
  }
  return products;
}
