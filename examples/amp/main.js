/**
 * Plays a WAV file through an amp model, 128 samples at a time as an audio thread would:
 *
 *   node main.js [MODEL [IN.wav [OUT.wav]]]
 */
import { readFileSync, writeFileSync } from "node:fs";
import { readWav, writeWav } from "../wav.js";
import { Amp, readAmp } from "./amp.js";

const BLOCK = 128;
const here = (name) => new URL(name, import.meta.url);
const [modelFile = here("amp.nam"), inputFile = here("riff.wav"), outputFile] = process.argv.slice(2);

const model = readAmp(readFileSync(modelFile, "utf8"));
const { channels, sampleRate } = readWav(readFileSync(inputFile));
if (model.sampleRate !== undefined && model.sampleRate !== sampleRate) {
  throw new RangeError(`the model was trained at ${model.sampleRate} Hz, the file has ${sampleRate} Hz`);
}
const [sound] = channels;
const amp = new Amp(model);
const output = new Float32Array(sound.length);
const begin = performance.now();
for (let at = 0; at < sound.length; at += BLOCK) output.set(amp.process(sound.subarray(at, at + BLOCK)), at);
const seconds = (performance.now() - begin) / 1000;
amp.dispose();

const { kind, numLayers, hiddenSize } = model;
console.log(`${kind}, ${numLayers} layer${numLayers > 1 ? "s" : ""} of ${hiddenSize}, at ${sampleRate} Hz`);
const duration = sound.length / sampleRate;
console.log(
  `${duration.toFixed(2)} s of sound in ${seconds.toFixed(3)} s: ${(duration / seconds).toFixed(0)} times real time`,
);
if (outputFile !== undefined) writeFileSync(outputFile, writeWav(output, sampleRate));
