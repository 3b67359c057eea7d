/** The vocabulary of a layer: which number each word has, and what numbers become of them. */

import { show } from "../../../tensor/checks.js";
import type { LayerCall } from "../layer-call.js";
import { fingerprint64 } from "./fingerprint.js";

export type Word = string | number;

export const MODES = ["int", "multi_hot", "count", "tf_idf"] as const;

/** Those of a lookup, which may give a row for each word, too. */
export const LOOKUP_MODES = [...MODES, "one_hot"] as const;

export interface Vocabulary {
  readonly mode: (typeof LOOKUP_MODES)[number];
  /** Numbers of words, with those that stand for no word. */
  readonly indices: ReadonlyMap<Word, number>;
  /** The number of a word that it has not; undefined where these are an error. */
  readonly unknown: ((word: Word) => number) | undefined;
  /** How many places an output has that counts words. */
  readonly depth: number;
  /** What the counts of words are multiplied by. */
  readonly weights: ArrayLike<number> | undefined;
}

/** What stands for a step that does not count, and for a word that is not known. */
export interface Specials {
  readonly mask: Word | undefined;
  readonly unknown: Word;
  readonly unknownCount: number;
  /** Whether numbers are hashed as words are, and not divided. */
  readonly isHashed?: boolean;
}

/** By the layer's config: a layer may be called often. */
const made = new WeakMap<object, Vocabulary>();

export function vocabularyOf(call: LayerCall, mode: Vocabulary["mode"], specials: Specials): Vocabulary {
  const vocabulary = made.get(call.config) ?? makeVocabulary(call, mode, specials);
  made.set(call.config, vocabulary);
  return vocabulary;
}

function makeVocabulary(call: LayerCall, mode: Vocabulary["mode"], specials: Specials): Vocabulary {
  const { mask, unknown, unknownCount } = specials;
  checkCount(call, unknownCount);
  const front = [
    ...(mask !== undefined && mode === "int" ? [mask] : []),
    ...Array.from({ length: unknownCount }, () => unknown),
  ];
  const stated = wordsOf(call, typeof unknown === "number");
  const hasFront = front.length > 0 && front.every((word, at) => stated[at] === word);
  const words = hasFront ? stated.slice(front.length) : stated;
  const indices = new Map<Word, number>(words.map((word, at) => [word, front.length + at]));
  if (indices.size < words.length) call.broken("its vocabulary has a word twice");
  if (mask !== undefined) indices.set(mask, mode === "int" ? 0 : NOWHERE);
  const size = front.length + words.length;
  const depth = call.flag("pad_to_max_tokens") ? call.integer("max_tokens", size, size) : size;
  return {
    mode,
    indices,
    depth,
    unknown:
      unknownCount === 0 ? undefined : (word) => front.length - unknownCount + bucketOf(word, specials),
    weights: mode === "tf_idf" ? weightsOf(call, { size, depth, unknownCount }) : undefined,
  };
}

/** Which of the numbers of unknown words one has. */
function bucketOf(word: Word, { unknownCount: count, isHashed }: Specials): number {
  if (count === 1) return 0;
  if (typeof word === "number" && isHashed !== true) return ((word % count) + count) % count;
  return Number(fingerprint64(String(word)) % BigInt(count));
}

/** More than any vocabulary has that is used. */
const MOST_WORDS = 2 ** 20;

function checkCount(call: LayerCall, count: number): void {
  if (count > MOST_WORDS) call.refuse(`a vocabulary of more than ${MOST_WORDS} words is not supported`);
}

/** The words of the config, or those of a file beside the weights. */
function wordsOf(call: LayerCall, areNumbers: boolean): Word[] {
  const stated = call.field("vocabulary");
  if (Array.isArray(stated)) {
    checkCount(call, stated.length);
    const kind = areNumbers ? "number" : "string";
    const wrong = stated.find((word) => typeof word !== kind);
    if (wrong !== undefined) call.broken(`vocabulary: expected a list of ${kind}s, got ${show(wrong)}`);
    return stated as Word[];
  }
  const text = call.file.vocabulary;
  if (text === undefined) {
    return call.refuse("its vocabulary is not in the file; save the model as .keras, or give it as a list");
  }
  const lines = text.split("\n", MOST_WORDS + 1);
  checkCount(call, lines.length);
  if (!areNumbers) return lines;
  return lines.map((line) =>
    /^-?\d{1,15}$/.test(line)
      ? Number(line)
      : call.broken(`vocabulary: expected integers, got ${show(line)}`),
  );
}

/** What a word has that is counted in no place. */
const NOWHERE = -1;

/** A number for each word, and for places without one where the file has these. */
function weightsOf(
  call: LayerCall,
  {
    size,
    depth,
    unknownCount,
  }: { readonly size: number; readonly depth: number; readonly unknownCount: number },
): ArrayLike<number> {
  const data = call.optional("idf_weights")?.data ?? call.field("idf_weights");
  const isThere =
    data instanceof Float32Array || (Array.isArray(data) && data.every((one) => typeof one === "number"));
  if (!isThere) return call.refuse("its idf_weights are not in the file");
  const numbers = data as ArrayLike<number>;
  // A list of the config is of its words alone: a word that is not known has their mean.
  if (numbers.length > 0 && numbers.length === size - unknownCount) {
    const mean = Array.from(numbers).reduce((sum, one) => sum + one, 0) / numbers.length;
    return [...new Array<number>(unknownCount).fill(mean), ...Array.from(numbers)];
  }
  if (numbers.length !== size && numbers.length !== depth)
    call.broken(`idf_weights: expected ${size} numbers, got ${numbers.length}`);
  return numbers;
}

/** The number of a word. @throws by `missing` for one that it has not */
export function indexOf(
  { indices, unknown }: Vocabulary,
  word: Word,
  missing: (word: Word) => never,
): number {
  return indices.get(word) ?? unknown?.(word) ?? missing(word);
}

/** Numbers of words as one row: how often each occurs, or whether. */
export function counted({ mode, weights }: Vocabulary, indices: readonly number[], row: Float32Array): void {
  for (const index of indices) {
    if (index === NOWHERE) continue;
    if (mode === "multi_hot") row[index] = 1;
    else row[index]!++;
  }
  if (weights === undefined) return;
  for (const index of new Set(indices)) if (index !== NOWHERE) row[index] = row[index]! * weights[index]!;
}
