/**
 * A binary as the text that a bundle embeds; src/bundle/embedded.ts makes the bytes again.
 *
 * The text is ASCII: the number of bytes, a newline, the low seven bits of each byte, and the distances from one byte
 * whose eighth bit is set to the next, the first one from the beginning. Each is a character; 127 is "127 and what
 * follows". gzip takes it to three quarters of what base64 takes.
 */
export function embeddedText(binary) {
  const distances = [];
  let last = 0;
  binary.forEach((byte, at) => {
    if (byte < 128) return;
    let distance = at - last;
    for (; distance >= 127; distance -= 127) distances.push(127);
    distances.push(distance);
    last = at;
  });
  const characters = [...Array.from(binary, (byte) => byte & 127), ...distances];
  return `${binary.length}\n${String.fromCharCode(...characters)}`;
}
