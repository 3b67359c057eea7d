/** Names of variables in code, made of a file's names. */

/** Words that no variable may be called, and what the code calls by these names. */
const TAKEN = (
  "arguments await break case catch class const continue debugger default delete do else enum eval export extends " +
  "false finally for function if implements import in instanceof interface let new null package private protected " +
  "public return static super switch this throw true try typeof undefined var void while with yield async of get set " +
  "amp at bytes console data description encoding fetch hidden layers name names output readFile state tensors value " +
  "weights x"
).split(" ");
const MOST_LETTERS = 40;

export class Names {
  /** What is taken, and by each name how many made of it there are. */
  readonly #counts = new Map(TAKEN.map((name) => [name, 1]));

  /**
   * A variable for `name` as the file has it: `encoder.rnn.` becomes encoderRnn, and a second one encoderRnn2. Names
   * that do not begin with a letter begin with `kind`: `0.` becomes linear0.
   */
  unique(name: string, kind: string): string {
    const words: string[] = name.match(/[A-Za-z]+\d*|\d+/g) ?? [];
    if (!/^[A-Za-z]/.test(words[0] ?? "")) words.unshift(kind);
    const joined = words.map((word, at) => (at === 0 ? lowerFirst(word) : upperFirst(word))).join("");
    return this.claim(joined.slice(0, MOST_LETTERS));
  }

  /** The name, or with a number that makes it unique. */
  claim(base: string): string {
    const separator = /\d$/.test(base) ? "_" : "";
    for (let count = this.#counts.get(base) ?? 0; ; count++) {
      const made = count === 0 ? base : `${base}${separator}${count + 1}`;
      if (count > 0 && this.#counts.has(made)) continue;
      this.#counts.set(base, count + 1);
      if (made !== base) this.#counts.set(made, 1);
      return made;
    }
  }
}

/** `LSTM` as lstm, `GRUCell` as gruCell, `Encoder` as encoder. */
function lowerFirst(word: string): string {
  return word.replace(/^[A-Z]+(?![a-z])|^[A-Z]/, (letters) => letters.toLowerCase());
}

function upperFirst(word: string): string {
  const lower = lowerFirst(word);
  return lower.charAt(0).toUpperCase() + lower.slice(1);
}
