/**
 * Texts to ids, as corpus.py makes them: lower case, split at white space, punctuation dropped. Letters of every alphabet
 * make a word here, so that a reader's own are shown as unknown words rather than as none.
 */

export const PAD = 0;
export const UNKNOWN = 1;

/**
 * @typedef {object} Word
 * @property {string} shown the word as it was written, punctuation and all
 * @property {number} id its place in the vocabulary, or UNKNOWN
 */

/** The words the networks know, which of them begin the trained texts, and the answers of the last layer. */
export class Vocabulary {
  /** @param {{ words: string[], subjects: string[], answers: string[] }} lists vocabulary.json */
  constructor({ words, subjects, answers }) {
    this.words = words;
    this.subjects = subjects;
    this.answers = answers;
    /** @type {Map<string, number>} */
    this.ids = new Map(words.map((word, id) => [word, id]));
  }

  /**
   * A text's words. What holds neither a letter nor a digit is none.
   * @param {string} text
   * @returns {Word[]}
   */
  read(text) {
    const read = [];
    for (const shown of text.split(/\s+/)) {
      const word = shown.toLowerCase().replace(/[^\p{L}\p{N}']/gu, "");
      if (word !== "") read.push({ shown, id: this.ids.get(word) ?? UNKNOWN });
    }
    return read;
  }
}

/**
 * Texts of different lengths as one batch, filled up with PAD.
 * @param {readonly (readonly Word[])[]} texts N texts, none of them empty
 * @returns {{ indices: { data: Int32Array, shape: number[] }, lengths: number[] }} indices (L, N), L the longest text
 */
export function toBatch(texts) {
  const lengths = texts.map((text) => text.length);
  const longest = Math.max(...lengths);
  const data = new Int32Array(longest * texts.length).fill(PAD);
  texts.forEach((text, row) => {
    text.forEach(({ id }, step) => {
      data[step * texts.length + row] = id;
    });
  });
  return { indices: { data, shape: [longest, texts.length] }, lengths };
}
