/**
 * Prints when there is speech in WAV files, heard one after the other, and draws it:
 *
 *   node main.js FILE.wav... [--svg OUT.svg] [--threshold 0.5]
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { concat, hear, model, SAMPLE_RATE, wholeFrames } from "./hear.js";
import { plot } from "./plot.js";
import { speechSegments } from "./segments.js";
import { SileroVad } from "./vad.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { svg: { type: "string" }, threshold: { type: "string", default: "0.5" } },
});
const threshold = Number(values.threshold);
if (positionals.length === 0 || !(threshold > 0 && threshold < 1)) {
  console.error("usage: node main.js FILE.wav... [--svg OUT.svg] [--threshold between 0 and 1]");
  process.exit(2);
}

const sounds = positionals.map((file) => hear([file]));
const samples = concat(sounds);
const vad = new SileroVad(readFileSync(model));
const begin = performance.now();
const probabilities = [...vad.process(wholeFrames(samples, vad.frame))];
const took = performance.now() - begin;
vad.model.dispose();

const frame = vad.frame / SAMPLE_RATE;
const segments = speechSegments(probabilities, { frame, threshold });
for (const { from, to } of segments) console.log(`speech ${from.toFixed(2)} s to ${to.toFixed(2)} s`);
if (segments.length === 0) console.log("no speech");
const seconds = samples.length / SAMPLE_RATE;
console.log(
  `${seconds.toFixed(1)} s of sound in ${took.toFixed(0)} ms: ${(took / probabilities.length).toFixed(3)} ms per 32 ms frame`,
);
if (values.svg !== undefined) {
  let from = 0;
  const parts = positionals.map((file, at) => {
    const part = { name: basename(file), from };
    from += sounds[at].length / SAMPLE_RATE;
    return part;
  });
  const title = `Silero VAD's speech probability over the waveform of ${parts.map(({ name }) => name).join(", ")}`;
  writeFileSync(
    values.svg,
    plot({ title, samples, sampleRate: SAMPLE_RATE, probabilities, frame, threshold, segments, parts }),
  );
}
