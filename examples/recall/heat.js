/** A text with strips of heat under its words, wrapped to the terminal. */

/**
 * @typedef {object} Strip
 * @property {string} name
 * @property {readonly number[]} values one per word, from 0 to 1
 */

/**
 * @param {readonly string[]} words
 * @param {readonly Strip[]} strips
 * @param {import("./terminal.js").Terminal} terminal
 * @returns {string[]} lines
 */
export function heatStrips(words, strips, terminal) {
  const margin = Math.max(...strips.map(({ name }) => name.length)) + 2;
  const room = Math.max(1, terminal.width - margin - 1);
  const lines = [];
  for (const { from, to } of wrap(words, room)) {
    const shown = words.slice(from, to).map((word) => word.slice(0, room));
    lines.push(" ".repeat(margin) + shown.join(" "));
    for (const { name, values } of strips) {
      // the gap after a word belongs to it, so that the strip has no holes
      const bars = shown.map((word, at) => terminal.heat(values[from + at], word.length + 1));
      lines.push(name.padEnd(margin) + bars.join(""));
    }
    lines.push("");
  }
  return lines;
}

/**
 * The words of each line: as many as fit, and at least one.
 * @param {readonly string[]} words
 * @param {number} room
 */
function wrap(words, room) {
  const lines = [];
  let from = 0;
  while (from < words.length) {
    let to = from + 1;
    let used = words[from].length;
    while (to < words.length && used + 1 + words[to].length <= room) used += 1 + words[to++].length;
    lines.push({ from, to });
    from = to;
  }
  return lines;
}
