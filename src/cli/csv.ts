/**
 * Tables as text: a row per time step, columns separated by commas, semicolons or tabs. A first line without a number
 * is a header. What is not a number is refused by its line and column: to skip it would move all that follows.
 */
import { Tensor } from "lstm-wasm";

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const SPECIAL = /^([+-]?)(nan|inf|infinity)$/i;

/** Whether a file's name says that it is a table. */
export function isCsv(path: string): boolean {
  return /\.(csv|tsv)$/i.test(path);
}

/** The table as (rows, columns). @throws RangeError that names the line and the column */
export function readCsv(bytes: Uint8Array): Tensor {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let separator: string | undefined;
  let columns: number | undefined;
  let numbers = new Float32Array(1024);
  let count = 0;
  let line = 0;
  // Line by line, since a string may not be as long as a file.
  for (let from = 0; from < file.length; ) {
    const newline = file.indexOf("\n", from);
    const end = newline < 0 ? file.length : newline;
    const text = file.toString("utf8", from, end).replace(/^\ufeff|\r$/g, "");
    from = end + 1;
    line++;
    if (text.trim() === "") continue;
    const isFirst = separator === undefined;
    separator ??= separatorOf(text);
    const cells = split(text, separator);
    if (isFirst && cells.every((cell) => numberOf(cell) === undefined)) continue;
    columns ??= cells.length;
    if (cells.length !== columns) {
      throw new RangeError(`csv: line ${line}: expected ${columns} columns, got ${cells.length}`);
    }
    if (count + columns > numbers.length) {
      const larger = new Float32Array(2 * (count + columns));
      larger.set(numbers);
      numbers = larger;
    }
    for (const [at, cell] of cells.entries()) {
      const value = numberOf(cell);
      if (value === undefined) throw notANumber(line, at + 1, cell);
      numbers[count++] = value;
    }
  }
  if (columns === undefined) throw new RangeError("csv: expected rows of numbers, got none");
  return new Tensor(numbers.slice(0, count), [count / columns, columns]);
}

/** Which of them the line has most of, outside of quotes. */
function separatorOf(line: string): string {
  let best = ",";
  for (const candidate of [";", "\t"]) {
    if (split(line, candidate).length > split(line, best).length) best = candidate;
  }
  return best;
}

/** The cells of a line, without the quotes and spaces around them. */
function split(line: string, separator: string): string[] {
  const cells: string[] = [];
  let isQuoted = false;
  let from = 0;
  for (let at = 0; at <= line.length; at++) {
    if (line[at] === '"') isQuoted = !isQuoted;
    if (at < line.length && (isQuoted || line[at] !== separator)) continue;
    const cell = line.slice(from, at).trim();
    cells.push(/^".*"$/.test(cell) ? cell.slice(1, -1).trim() : cell);
    from = at + 1;
  }
  return cells;
}

/** Undefined for text that is no number, or one beyond float32. */
function numberOf(cell: string): number | undefined {
  if (NUMBER.test(cell)) {
    const value = Math.fround(Number(cell));
    return Number.isFinite(value) ? value : undefined;
  }
  const [, sign, word] = SPECIAL.exec(cell) ?? [];
  if (word === undefined) return undefined;
  if (word.toLowerCase() === "nan") return Number.NaN;
  return sign === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function notANumber(line: number, column: number, cell: string): RangeError {
  const expected = NUMBER.test(cell)
    ? "a number that float32 has"
    : /^[+-]?\d+,\d+$/.test(cell)
      ? "a number with a decimal point"
      : "a number";
  const got = cell === "" ? "nothing" : JSON.stringify(cell.slice(0, 40));
  return new RangeError(`csv: line ${line}, column ${column}: expected ${expected}, got ${got}`);
}

/** @throws RangeError for a shape with more than one axis beside its columns, apart from those of size 1 */
export function checkTable(shape: readonly number[], name: string): void {
  if (shape.slice(0, -1).filter((size) => size !== 1).length <= 1) return;
  throw new RangeError(
    `${name}.shape: expected rows and columns for a .csv output, got [${shape.join(", ")}]; write .npy`,
  );
}

/** The array as text, a row for each index before its last axis. Each number reads back as the same float32. */
export function writeCsv({ data, shape }: Tensor, separator: string): Uint8Array {
  const columns = shape.at(-1) ?? 1;
  const lines: Buffer[] = [];
  for (let from = 0; from < data.length; from += columns) {
    const cells = Array.from(data.subarray(from, from + columns), shortest);
    lines.push(Buffer.from(`${cells.join(separator)}\n`));
  }
  return new Uint8Array(Buffer.concat(lines));
}

/** Six digits, or as many as give the same float32; nine always do. NumPy and pandas read these words. */
function shortest(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (Object.is(value, -0)) return "-0";
  let digits = 6;
  while (digits < 9 && Math.fround(Number(value.toPrecision(digits))) !== value) digits++;
  return String(Number(value.toPrecision(digits)));
}
