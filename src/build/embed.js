/**
 * What the bundle embeds of the binaries: `node src/build/embed.js NAME...` makes build/NAME.txt of build/NAME.wasm, and
 * embedded.ts the bytes again.
 *
 * The text is ASCII: the number of bytes, a newline, the low seven bits of each byte, and the distances from one byte
 * whose eighth bit is set to the next, the first one from the beginning; each a character, 127 for "127 and what follows".
 */
import { readFileSync, writeFileSync } from "node:fs";

for (const name of process.argv.slice(2)) {
  const bytes = [...readFileSync(`build/${name}.wasm`)];
  const distances = [];
  let last = 0;
  bytes.forEach((byte, at) => {
    if (byte < 128) return;
    let distance = at - last;
    for (; distance >= 127; distance -= 127) distances.push(127);
    distances.push(distance);
    last = at;
  });
  const characters = [...bytes.map((byte) => byte & 127), ...distances];
  writeFileSync(`build/${name}.txt`, `${bytes.length}\n${String.fromCharCode(...characters)}`);
}
