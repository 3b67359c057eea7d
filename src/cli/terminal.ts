/**
 * Text on its way to the terminal. Names come from files, which may be hostile: an escape sequence in one would move
 * the cursor, write the clipboard or hide what follows, and a bidi override would turn it around.
 */

/** Columns of a name in a table, and characters of a line of a message. */
const MOST_NAME = 60;
const MOST_LINE = 1000;

/** Controls (C0, DEL, C1), formats (bidi, zero width, BOM), lone surrogates, separators but the space, fillers. */
const UNPRINTABLE = /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/gu;

/** The text with what is not printable as JavaScript writes it in a string: `\x1b`, `\u202e`. Newlines stay. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => (character === "\n" ? character : escaped(character)));
}

/** A name from a file for a table: printable, on one line, and of 60 columns: its beginning, `...`, its end. */
export function printableName(name: string): string {
  return escapedAndCut(name, MOST_NAME);
}

/** A path as the user gave it: on one line. */
export function printablePath(path: string): string {
  return path.replace(UNPRINTABLE, escaped);
}

/** A message of the library, whose names come from a file: printable and on one line. */
export function printableMessage(message: string): string {
  return escapedAndCut(message, MOST_LINE);
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\u{${code.toString(16)}}`;
}

/** Both ends of a text, with whole escapes, and `...` between them where it is longer than `most`. */
function escapedAndCut(text: string, most: number): string {
  const ends = text.length <= 2 * most ? [text] : [text.slice(0, most), text.slice(-most)];
  const parts = ends.flatMap((end) =>
    Array.from(end, (character) => character.replace(UNPRINTABLE, escaped)),
  );
  if (ends.length === 1 && parts.join("").length <= most) return parts.join("");
  const half = (from: readonly string[], room: number) => {
    let kept = 0;
    let width = 0;
    for (const part of from) {
      if (width + part.length > room) break;
      width += part.length;
      kept++;
    }
    return kept;
  };
  const head = half(parts, most / 2 - 2);
  const tail = half([...parts].reverse(), most / 2 - 1);
  return `${parts.slice(0, head).join("")}...${parts.slice(parts.length - tail).join("")}`;
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
