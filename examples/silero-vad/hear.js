/** What the scripts here share: WAV files as one channel at 16 kHz, speech to hear, and where npm put the model. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resample } from "../resample.js";
import { readWav } from "../wav.js";

export const SAMPLE_RATE = 16000;

// The package's main file stands beside the model.
const main = createRequire(import.meta.url).resolve("@ricky0123/vad-web");

/** The path of silero_vad_v5.onnx. */
export const model = join(main, "..", "silero_vad_v5.onnx");

/** Debian's spoken samples (package alsa-utils). */
export const SOUNDS = "/usr/share/sounds/alsa";
const SENTENCE =
  "The quick brown fox jumps over the lazy dog. And now, after a short pause, it does so once again.";

/** The spoken samples, and a sentence by espeak-ng. */
export function speech() {
  const files = readdirSync(SOUNDS)
    .filter((name) => name.endsWith(".wav"))
    .map((name) => join(SOUNDS, name));
  return concat([hear(files), spoken(SENTENCE)]);
}

/** What espeak-ng makes of a sentence; `options` are its own. */
export function spoken(sentence, options = []) {
  const folder = mkdtempSync(join(tmpdir(), "silero-vad-"));
  const file = join(folder, "sentence.wav");
  try {
    execFileSync("espeak-ng", [...options, "-w", file, sentence]);
    return hear([file]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The files one after the other, channels averaged. */
export function hear(files) {
  return concat(
    files.map((file) => {
      const { sampleRate, channels } = readWav(readFileSync(file));
      const mono = channels[0].map(
        (_, at) => channels.reduce((sum, one) => sum + one[at], 0) / channels.length,
      );
      return resample(mono, sampleRate, SAMPLE_RATE);
    }),
  );
}

/** With silence at the end, so that the last frame is whole. */
export function wholeFrames(samples, frame) {
  return concat([samples, new Float32Array((frame - (samples.length % frame)) % frame)]);
}

/** @param {readonly Float32Array[]} parts */
export function concat(parts) {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
