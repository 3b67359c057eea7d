/**
 * WAV files: PCM of 16 or 24 bits and float32 in, float32 out. Shared by the examples that hear something.
 * A file is "RIFF", size, "WAVE", then chunks of four letters, size and content; "fmt " describes what "data" holds.
 */

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

/**
 * @param {Uint8Array} bytes
 * @returns {{ sampleRate: number, channels: Float32Array[] }} samples in -1 .. 1, one array per channel
 * @throws RangeError that says what is wrong with the file
 */
export function readWav(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const name = (at) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || name(0) !== "RIFF" || name(8) !== "WAVE")
    throw new RangeError("wav: not a RIFF WAVE file");
  let format;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [id, size, start] = [name(at), view.getUint32(at + 4, true), at + 8];
    if (start + size > bytes.length && id !== "data") throw new RangeError(`wav: chunk ${id} is cut off`);
    if (id === "fmt ") format = readFormat(view, start, size);
    if (id === "data") {
      if (format === undefined) throw new RangeError("wav: chunk data stands before fmt");
      // A file that was streamed or cut off states more than it has.
      return readSamples(view, start, Math.min(size, bytes.length - start), format);
    }
    at = start + size + (size % 2);
  }
  throw new RangeError("wav: no chunk data");
}

function readFormat(view, at, size) {
  if (size < 16) throw new RangeError(`wav: chunk fmt: expected at least 16 bytes, got ${size}`);
  let code = view.getUint16(at, true);
  // The extensible form has the real code at the head of a GUID.
  if (code === EXTENSIBLE && size >= 40) code = view.getUint16(at + 24, true);
  const format = {
    code,
    channels: view.getUint16(at + 2, true),
    sampleRate: view.getUint32(at + 4, true),
    bits: view.getUint16(at + 14, true),
  };
  const { channels, sampleRate, bits } = format;
  if (channels === 0 || sampleRate === 0)
    throw new RangeError(`wav: ${channels} channels at ${sampleRate} Hz`);
  if (!(code === PCM && (bits === 16 || bits === 24)) && !(code === FLOAT && bits === 32)) {
    throw new RangeError(
      `wav: expected PCM of 16 or 24 bits or float of 32, got format ${code} of ${bits} bits`,
    );
  }
  return format;
}

function readSamples(view, start, size, { channels: count, sampleRate, bits }) {
  const width = bits / 8;
  const length = Math.floor(size / (width * count));
  const read = {
    16: (at) => view.getInt16(at, true) / 2 ** 15,
    24: (at) => (view.getUint8(at) | (view.getInt16(at + 1, true) << 8)) / 2 ** 23,
    32: (at) => view.getFloat32(at, true),
  }[bits];
  const channels = Array.from({ length: count }, () => new Float32Array(length));
  for (let frame = 0, at = start; frame < length; frame++) {
    for (const channel of channels) {
      channel[frame] = read(at);
      at += width;
    }
  }
  return { sampleRate, channels };
}

/** One channel as a float32 WAV file. */
export function writeWav(samples, sampleRate) {
  const bytes = new Uint8Array(44 + samples.length * 4);
  const view = new DataView(bytes.buffer);
  const put = (at, text) =>
    bytes.set(
      [...text].map((letter) => letter.charCodeAt(0)),
      at,
    );
  put(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  put(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, FLOAT, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * 4, true);
  view.setUint16(32, 4, true);
  view.setUint16(34, 32, true);
  put(36, "data");
  view.setUint32(40, samples.length * 4, true);
  for (const [at, sample] of samples.entries()) view.setFloat32(44 + at * 4, sample, true);
  return bytes;
}
