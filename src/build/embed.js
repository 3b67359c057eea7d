/**
 * A binary as the text that a bundle embeds; src/bundle/embedded.ts makes the bytes again.
 *
 * The text is ASCII. Its first character is the marker, a byte that the binary does not have. Each byte is a character;
 * one of 128 or more is a marker, and the byte with its eighth bit flipped, and those of the second character, so
 * that none becomes the marker. gzip takes the text to two thirds of what base64 takes: what the two binaries have in
 * common stays alike, markers too.
 */
export function embeddedText(binary) {
  const codes = Array.from({ length: 128 }, (_, at) => at);
  const marker = codes.findLast((code) => !binary.includes(code));
  const flip = codes.find((code) => !binary.includes(128 | (marker ^ code)));
  if (marker === undefined || flip === undefined) {
    throw new RangeError("binary: expected a byte on either side of 128 that does not occur, got all");
  }
  const characters = Array.from(binary, (byte) => (byte > 127 ? [marker, (byte & 127) ^ flip] : byte)).flat();
  return String.fromCharCode(marker, flip, ...characters);
}
