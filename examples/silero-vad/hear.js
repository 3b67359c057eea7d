/** What the scripts here share: WAV files as one channel at 16 kHz, and where npm put the model. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { readWav } from "../wav.js";
import { resample } from "./resample.js";
import { SAMPLE_RATE } from "./vad.js";

// The package's main file stands beside the model.
const main = createRequire(import.meta.url).resolve("@ricky0123/vad-web");

/** The path of silero_vad_v5.onnx. */
export const model = join(main, "..", "silero_vad_v5.onnx");

/** The files one after the other, channels averaged. */
export function hear(files) {
  const parts = files.map((file) => {
    const { sampleRate, channels } = readWav(readFileSync(file));
    const mono = channels[0].map(
      (_, at) => channels.reduce((sum, one) => sum + one[at], 0) / channels.length,
    );
    return resample(mono, sampleRate, SAMPLE_RATE);
  });
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
