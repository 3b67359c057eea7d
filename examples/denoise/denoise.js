/**
 * Takes the noise out of a WAV file of speech:
 *
 *   node denoise.js MODEL.onnx [MODEL.onnx] IN.wav OUT.wav
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resample } from "../resample.js";
import { readWav, writeWav } from "../wav.js";
import { loadDenoiser, SAMPLE_RATE, SOURCES } from "./denoiser.js";
import { FRAME } from "./overlap.js";

const files = process.argv.slice(2);
const [input, output] = files.splice(-2);
const missing = files.filter((file) => !existsSync(file));
if (files.length === 0 || missing.length > 0) {
  for (const file of missing) console.error(`${file}: no such file`);
  console.error(
    "usage: node denoise.js MODEL.onnx [MODEL.onnx] IN.wav OUT.wav\n\nThe models, under the MIT licence:",
  );
  for (const { project, address, sha256 } of SOURCES)
    console.error(`${project}: ${address}\n  sha256 ${sha256}`);
  process.exit(2);
}

const denoiser = loadDenoiser(files.map((file) => readFileSync(file)));
const { channels, sampleRate } = readWav(readFileSync(input));
const mono = channels[0].map((_, at) => channels.reduce((sum, one) => sum + one[at], 0) / channels.length);
const sound = resample(mono, sampleRate, SAMPLE_RATE);
// The result comes a frame later: silence at the end brings its last samples.
const whole = new Float32Array(sound.length + FRAME);
whole.set(sound);
const begin = performance.now();
const denoised = denoiser.process(whole).subarray(FRAME);
const seconds = (performance.now() - begin) / 1000;
writeFileSync(output, writeWav(denoised, SAMPLE_RATE));
const duration = sound.length / SAMPLE_RATE;
console.log(
  `${duration.toFixed(2)} s of sound in ${seconds.toFixed(3)} s: ${(duration / seconds).toFixed(0)} times real time`,
);
