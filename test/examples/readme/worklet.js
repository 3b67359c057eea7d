/**
 * Plays a sound through the README's AudioWorklet: `worklet.js FOLDER SOUND EXPECTED`. build/ of the folder has its page
 * and its processor, bundled. What both ask of a browser is made up here; a value that crosses is cloned as there.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { readWav } from "../../../examples/wav.js";

const [folder, sound, expectedFile] = process.argv.slice(2);
const address = (name) => pathToFileURL(join(folder, name)).href;
const BLOCK = 128;

const processors = new Map();
globalThis.AudioWorkletProcessor = class {};
globalThis.registerProcessor = (name, Processor) => processors.set(name, Processor);

class Node {
  connect(next) {
    return next;
  }
}
const made = [];
let started = false;
globalThis.OscillatorNode = class extends Node {
  start() {
    started = true;
  }
};
globalThis.AudioWorkletNode = class extends Node {
  constructor(context, name, options) {
    super();
    if (context.sampleRate !== 48000) throw new Error(`expected the model's rate, got ${context.sampleRate}`);
    made.push({ name, options: structuredClone(options) });
  }
};
globalThis.AudioContext = class {
  constructor({ sampleRate }) {
    this.sampleRate = sampleRate;
  }
  destination = new Node();
  audioWorklet = { addModule: (name) => import(address(name)) };
};
globalThis.fetch = async (name) => new Response(readFileSync(join(folder, name)));

// An assignment to a name that nothing declares is a page's handler, and an error in a module.
globalThis.onclick = undefined;
await import(address("build/page.js"));
await globalThis.onclick();
if (!started) throw new Error("nothing plays");
const [{ name, options }] = made;
const { sampleRate } = options.processorOptions.model;
const processor = new (processors.get(name))(options);

function play(samples) {
  const output = new Float32Array(samples.length);
  for (let at = 0; at < samples.length; at += BLOCK) {
    const block = output.subarray(at, at + BLOCK);
    if (processor.process([[samples.subarray(at, at + BLOCK)]], [[block]]) !== true)
      throw new Error("it ends");
  }
  return output;
}

// As NAM's player does before it begins: half a second of silence, from an input that nothing is connected to.
for (let left = sampleRate / 2; left > 0; left -= BLOCK) {
  processor.process([[]], [[new Float32Array(Math.min(left, BLOCK))]]);
}
const output = play(readWav(readFileSync(sound)).channels[0]);
const { step, "amp.nam": expected } = JSON.parse(readFileSync(expectedFile, "utf8"));
expected.forEach((value, at) => {
  if (!(Math.abs(output[at * step] - value) < 1e-5)) {
    throw new Error(`sample ${at * step}: expected ${value}, got ${output[at * step]}`);
  }
});
console.log(`${expected.length} samples agree`);
