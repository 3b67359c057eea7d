/**
 * Text on its way to the terminal. Names come from files, which may be hostile: an escape sequence in one would move
 * the cursor, write the clipboard or hide what follows, and a bidi override would turn it around.
 */

/** Columns of a name in a table, and characters of a line of a message. */
const MOST_NAME = 60;
const MOST_LINE = 1000;

/** Controls (C0, DEL, C1), formats (bidi, zero width, BOM), line and paragraph separators, lone surrogates. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** The text with what is not printable as JavaScript writes it in a string: `\x1b`, `\u202e`. Newlines stay. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => (character === "\n" ? character : escaped(character)));
}

/** A name from a file for a table: printable, on one line, and of 60 columns: its beginning, `...`, its end. */
export function printableName(name: string): string {
  return cut(shortened(name, MOST_NAME * 2).replace(UNPRINTABLE, escaped), MOST_NAME);
}

/** A message of the library, whose names come from a file: printable and on one line. */
export function printableMessage(message: string): string {
  return cut(shortened(message, MOST_LINE * 2).replace(UNPRINTABLE, escaped), MOST_LINE);
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\u{${code.toString(16)}}`;
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most / 2 - 2)}...${text.slice(1 - most / 2)}`;
}

/** Both ends of a long text, so that a megabyte is not escaped for the sake of 60 columns. */
function shortened(text: string, most: number): string {
  return text.length <= 2 * most ? text : `${text.slice(0, most)}${text.slice(-most)}`;
}

/** Prints what a command has to say. */
export function print(text: string): void {
  process.stdout.write(printable(text));
}

/** Rows below each other, in columns that are as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const shown = rows.map((row) => row.map(printableName));
  // Not by a spread: a file may have more names than a call has arguments.
  const widths: number[] = [];
  for (const row of shown) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return shown.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at]!)).join("  ")}`.trimEnd());
}

/** Items that a message lists: a file may have 100,000 layers. */
const MOST_LISTED = 40;

/** The first items, each after `separator`, and how many more there are. */
export function listed(items: readonly string[], separator: string): string {
  const more = items.length - MOST_LISTED;
  const shown = items.slice(0, MOST_LISTED).map((item) => `${separator}${printableMessage(item)}`);
  return `${shown.join("")}${more > 0 ? `${separator}and ${more} more` : ""}`;
}
