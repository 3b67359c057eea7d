/** Percentages of several series as a table and as bars, side by side over the same columns. */

const MARGIN = 6;
const COLUMN = 5;

/**
 * @typedef {object} Series
 * @property {string} name at most MARGIN - 1 characters
 * @property {string} mark the character of its bars
 * @property {number} colour one of the 256 colours
 * @property {readonly number[]} values from 0 to 1, one per column
 */

/**
 * @param {string} name what the columns are
 * @param {readonly (number | string)[]} columns
 * @param {readonly Series[]} series
 * @returns {string[]} lines
 */
export function table(name, columns, series) {
  const line = (/** @type {string} */ label, /** @type {readonly (number | string)[]} */ cells) =>
    label.padEnd(MARGIN) + cells.map((cell) => String(cell).padStart(COLUMN)).join("");
  return [line(name, columns), ...series.map(({ name, values }) => line(name, values.map(percent)))];
}

/**
 * Bars of all series, a group for each column.
 * @param {readonly (number | string)[]} columns
 * @param {readonly Series[]} series two, so that a group fits its column
 * @param {import("./terminal.js").Terminal} terminal
 * @param {number} [height] in lines, of 100 %
 * @returns {string[]} lines
 */
export function plot(columns, series, terminal, height = 10) {
  const lines = [];
  for (let line = height; line >= 1; line--) {
    const label = line === height || line === height / 2 ? percent(line / height) : "";
    const groups = columns.map((_, at) => {
      const bars = series.map(({ values, mark, colour }) => {
        const filled = Math.round(values[at] * height) >= line;
        return terminal.colour((filled ? mark : " ").repeat(2), colour);
      });
      return ` ${bars.join("")}`;
    });
    lines.push(`${label.padStart(MARGIN - 2)} |${groups.join("")}`);
  }
  const margin = " ".repeat(MARGIN);
  const labels = columns.map((column) => `${String(column).padStart(COLUMN - 1)} `);
  const legend = series.map(({ name, mark, colour }) => terminal.colour(`${mark.repeat(2)} ${name}`, colour));
  lines.push(`${" ".repeat(MARGIN - 1)}+${"-".repeat(columns.length * COLUMN)}`);
  lines.push(margin + labels.join(""), `${margin} ${legend.join("  ")}`);
  return lines;
}

/** @param {number} value from 0 to 1 */
export function percent(value) {
  return `${Math.round(100 * value)}%`;
}
