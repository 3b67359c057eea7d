/** Numbers and tables as text. */

/** Three significant digits. */
export function digits(number) {
  if (number >= 1000) return String(Math.round(number));
  return number.toPrecision(3);
}

export function percent(fraction) {
  return `${Math.round(fraction * 100)} %`;
}

export function times(number) {
  return number === undefined ? "–" : `${digits(number)}×`;
}

export function thousands(number) {
  return number === undefined ? "–" : String(number).replace(/\B(?=(\d{3})+$)/g, " ");
}

export function microseconds(us) {
  return us >= 1000 ? `${digits(us / 1000)} ms` : `${digits(us)} µs`;
}

export function markdownTable(header, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = header.map((_, column) => (column === 0 ? "---" : "---:"));
  return [line(header), line(rule), ...rows.map(line)].join("\n");
}

/** The same table for a terminal. */
export function plainTable(header, rows) {
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column].length)));
  const line = (cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join("  ");
  return [header, ...rows].map(line).join("\n");
}
