/**
 * What real models hear, see and read: speech at 16 kHz, its windows and spectra, texts as images, and sentences. Speech
 * is that of Debian's alsa-utils and espeak-ng; without them a synthetic voice takes its place.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resample } from "../../examples/resample.js";
import { readWav } from "../../examples/wav.js";

const RATE = 16000;
const SECONDS = 24;
const SOUNDS = "/usr/share/sounds/alsa";

export const SENTENCES = [
  "The quick brown fox jumps over the lazy dog. And now, after a short pause, it does so once again.",
  "This is a test This is another test sentence. And so on it goes with the words",
  "It was raining when we left the house in the morning we had no umbrella",
  "Where are you going? I am going home. It is late and the shops are closed",
  "She bought three apples, two pears and a melon then she walked to the station",
  "Dr. Smith arrived at 5 p.m. on Monday. Nobody had expected him before Tuesday.",
  "I don't know what you mean please say it again",
  "The model reads bytes. It says after each of them whether a sentence ends there.",
  "We measured it twice the second time it was slower than the first",
  "Is it true? Yes! Well, almost. There is one exception, which nobody mentions.",
  "The train to Berlin leaves from platform nine the one to Paris from platform four",
  "He opened the door. The room was empty. On the table lay a letter.",
  "Numbers such as 3.14 or 2,000 are no ends of sentences neither is e.g. this one",
  "Please call me back when you can my number has not changed since last year",
  "The cat slept all day in the evening it went out to hunt mice in the barn",
  "What a day! First the car would not start, then the bus was late.",
  "Some people write without any punctuation others put a comma, everywhere",
  "They were told to wait outside. After an hour they were let in.",
  "Version 2.0 was released in May. It fixed the bug that we found in version 1.9",
  "Good night. Sleep well. See you tomorrow at breakfast we will make plans",
];

let heard;

/** Speech of SECONDS, as { samples, source }. */
export function speech() {
  heard ??= spoken() ?? { samples: voice(SECONDS * RATE), source: "a synthetic voice" };
  return heard;
}

/** The recordings and the first sentences, over and over; undefined without the programs. */
function spoken() {
  if (!existsSync(SOUNDS)) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "lstm-wasm-speech-"));
  try {
    const files = readdirSync(SOUNDS)
      .filter((name) => name.endsWith(".wav"))
      .map((name) => join(SOUNDS, name));
    for (const [at, sentence] of SENTENCES.slice(0, 3).entries()) {
      const file = join(folder, `${at}.wav`);
      execFileSync("espeak-ng", ["-w", file, sentence]);
      files.push(file);
    }
    const parts = files.map((file) => {
      const { sampleRate, channels } = readWav(readFileSync(file));
      return resample(channels[0], sampleRate, RATE);
    });
    return { samples: repeated(parts), source: "alsa-utils and espeak-ng" };
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function repeated(parts) {
  const samples = new Float32Array(SECONDS * RATE);
  for (let at = 0, part = 0; at < samples.length; part++) {
    const from = parts[part % parts.length];
    samples.set(from.subarray(0, samples.length - at), at);
    at += from.length;
  }
  return samples;
}

/** Syllables: harmonics of a gliding pitch below an envelope, pauses, and a breath of noise. */
function voice(length) {
  const random = randomNumbers(1);
  let phase = 0;
  return Float32Array.from({ length }, (_, at) => {
    const time = at / RATE;
    const loud = time % 3 < 2 ? Math.max(0, Math.sin(2 * Math.PI * 3.5 * time)) : 0;
    phase += (2 * Math.PI * (120 + 40 * Math.sin(time * 5))) / RATE;
    let sum = 0;
    for (let harmonic = 1; harmonic < 20; harmonic++) {
      const near = Math.exp(-(((harmonic * 140 - 700 - 500 * Math.sin(time * 9)) / 900) ** 2));
      sum += Math.sin(harmonic * phase) * near;
    }
    return 0.15 * loud * sum + 0.004 * (random() - 0.5);
  });
}

/** Numbers in 0 .. 1, the same for the same seed. */
export function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  };
}

/** Normal numbers. */
export function normal(length, seed) {
  const random = randomNumbers(seed + 1);
  return Float32Array.from(
    { length },
    () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random()),
  );
}

/** `count` windows of `size` samples, each after `context` samples of the one before. */
export function windows(count, size, { context = 0, rate = RATE } = {}) {
  const samples = rate === RATE ? speech().samples : resample(speech().samples, RATE, rate);
  const padded = new Float32Array(context + samples.length);
  padded.set(samples, context);
  return Array.from({ length: count }, (_, at) => {
    const from = (at * size) % (samples.length - size);
    return padded.slice(from, from + context + size);
  });
}

/** Spectra of `count` windows of 512 samples, `hop` apart: [re, im] of 257 bins. */
export function spectra(count, hop = 256) {
  const { samples } = speech();
  return Array.from({ length: count }, (_, at) => {
    const from = (at * hop) % (samples.length - 512);
    const re = Float64Array.from({ length: 512 }, (_, k) => {
      return samples[from + k] * Math.sqrt(0.5 - 0.5 * Math.cos((2 * Math.PI * k) / 512));
    });
    const im = new Float64Array(512);
    fourier(re, im);
    return { re: re.subarray(0, 257), im: im.subarray(0, 257) };
  });
}

/** The logarithm of the power of `bins` bins, from `floor` decibels, 0 being loud and -1 being `floor`. */
export function loudness(count, bins, floor = 120) {
  const rows = new Float32Array(count * bins);
  for (const [row, { re, im }] of spectra(count).entries()) {
    for (let bin = 0; bin < bins; bin++) {
      const decibels = 10 * Math.log10(re[bin] ** 2 + im[bin] ** 2 + 1e-20);
      rows[row * bins + bin] = Math.max(-1, decibels / floor);
    }
  }
  return rows;
}

/** The Fourier transform in place, of a power of two. */
function fourier(re, im) {
  const size = re.length;
  for (let at = 1, to = 0; at < size; at++) {
    let bit = size >> 1;
    for (; to & bit; bit >>= 1) to ^= bit;
    to ^= bit;
    if (at < to) {
      [re[at], re[to]] = [re[to], re[at]];
      [im[at], im[to]] = [im[to], im[at]];
    }
  }
  for (let half = 1; half < size; half *= 2) {
    for (let k = 0; k < half; k++) {
      const [c, s] = [Math.cos((-Math.PI * k) / half), Math.sin((-Math.PI * k) / half)];
      for (let at = k; at < size; at += 2 * half) {
        const other = at + half;
        const [x, y] = [re[other] * c - im[other] * s, re[other] * s + im[other] * c];
        [re[other], im[other]] = [re[at] - x, im[at] - y];
        re[at] += x;
        im[at] += y;
      }
    }
  }
}

/** Glyphs of 5 x 7 dots: a row is five bits. */
const GLYPHS = {
  0: [14, 17, 19, 21, 25, 17, 14],
  1: [4, 12, 4, 4, 4, 4, 14],
  2: [14, 17, 1, 2, 4, 8, 31],
  3: [31, 2, 4, 2, 1, 17, 14],
  4: [2, 6, 10, 18, 31, 2, 2],
  5: [31, 16, 30, 1, 1, 17, 14],
  6: [6, 8, 16, 30, 17, 17, 14],
  7: [31, 1, 2, 4, 8, 8, 8],
  8: [14, 17, 17, 14, 17, 17, 14],
  9: [14, 17, 17, 15, 1, 2, 12],
  A: [14, 17, 17, 31, 17, 17, 17],
  E: [31, 16, 16, 30, 16, 16, 31],
  H: [17, 17, 17, 31, 17, 17, 17],
  K: [17, 18, 20, 24, 20, 18, 17],
  T: [31, 4, 4, 4, 4, 4, 4],
  X: [17, 17, 10, 4, 10, 17, 17],
};

/** A picture of some glyphs with a stroke and noise over them: dark on light, 0 .. 1, [height, width]. */
export function captcha(height, width, seed) {
  const random = randomNumbers(seed + 17);
  const image = Float32Array.from({ length: height * width }, () => 0.9 + 0.1 * random());
  const dot = height / 11;
  const names = Object.keys(GLYPHS);
  for (let left = dot; left + 6 * dot < width; left += 6.5 * dot) {
    const glyph = GLYPHS[names[Math.floor(random() * names.length)]];
    const top = dot * (1 + 2 * random());
    const slant = 0.3 * (random() - 0.5);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const row = Math.floor((y - top) / dot);
        const column = Math.floor((x - left - slant * (y - top)) / dot);
        if (column >= 0 && column < 5 && (glyph[row] >> (4 - column)) & 1)
          image[y * width + x] = 0.2 * random();
      }
    }
  }
  for (let x = 0; x < width; x++) {
    const y = Math.floor(height * (0.5 + 0.3 * Math.sin(x / 20 + seed)));
    image[y * width + x] = 0.3;
  }
  return image;
}
