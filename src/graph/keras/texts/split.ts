/** What TensorFlow's operators on strings make of a text: bytes are looked at, so that only ASCII letters have cases. */

export const STANDARDS = ["lower_and_strip_punctuation", "lower", "strip_punctuation"] as const;
export const SPLITS = ["whitespace", "character"] as const;

const PUNCTUATION = /[!"#$%&()*+,\-./:;<=>?@[\\\]^_`{|}~']/g;

export function standardized(text: string, standard: (typeof STANDARDS)[number] | undefined): string {
  if (standard === undefined) return text;
  const lower = standard.startsWith("lower")
    ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
    : text;
  return standard.endsWith("punctuation") ? lower.replace(PUNCTUATION, "") : lower;
}

/** The words, or the characters, of a text. Spaces of Unicode are letters. */
export function split(text: string, how: (typeof SPLITS)[number]): string[] {
  if (how === "character") return Array.from(text);
  return text.split(/[ \t\n\v\f\r]+/).filter((word) => word !== "");
}

/** The words that follow one another, so many together, for each of some widths. */
export function ngrams(words: readonly string[], widths: readonly number[]): string[] {
  return widths.flatMap((width) =>
    Array.from({ length: Math.max(0, words.length - width + 1) }, (_, at) =>
      words.slice(at, at + width).join(" "),
    ),
  );
}
