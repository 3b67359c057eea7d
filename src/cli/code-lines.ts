/** Lines of the code that `inspect` prints. */
import { basename, dirname, join } from "node:path";

/** A name or a message of more characters is of no use in code, and costs work that grows with it. */
export const MOST_PREFIX = 1000;

/** The line that reads a file, and the one for browsers as a comment. */
export function bytesLines(name: string, path: string, fetch: boolean): string[] {
  const url = JSON.stringify(encodeURIComponent(basename(path)));
  const fetched = `const ${name} = await (await fetch(${url})).arrayBuffer();`;
  if (fetch) return [fetched];
  return [`const ${name} = await readFile(${JSON.stringify(path)});`, `// In a browser: ${fetched}`];
}

/** The lines that read the files of a model that is cut into several, by name. */
export function shardLines(names: readonly string[], path: string, fetch: boolean): string[] {
  const fetched = "await (await fetch(encodeURIComponent(name))).arrayBuffer()";
  const read = `await readFile(${JSON.stringify(join(dirname(path), "/"))} + name)`;
  const line = `for (const name of names) bytes[name] = ${fetch ? fetched : read};`;
  const other = fetch ? [] : [`// In a browser: bytes[name] = ${fetched}`];
  return [`const names = ${JSON.stringify(names)};`, "const bytes = {};", line, ...other];
}

/** A message as one line of a comment. */
export function comment(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return `// ${line.length > MOST_PREFIX ? `${line.slice(0, MOST_PREFIX)}...` : line}`;
}
