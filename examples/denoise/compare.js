/**
 * Both denoisers beside onnxruntime-web, frame by frame with states fed back:
 *
 *   MODELS=FOLDER node compare.js [IN.wav]
 *
 * The folder has dtln_1.onnx, dtln_2.onnx and gtcrn_simple.onnx; what it has not is left out. onnxruntime-web is that of
 * ../../bench. The other side is written as the projects' own Python is: whole signals, and spectra by the definition.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { resample } from "../resample.js";
import { readWav } from "../wav.js";
import { loadDenoiser, SAMPLE_RATE, SOURCES } from "./denoiser.js";
import { BINS, FRAME } from "./overlap.js";

/** Of the largest sample. */
const BOUND = 1e-5;
const [COSINES, SINES] = [Math.cos, Math.sin].map((of) =>
  Float64Array.from({ length: FRAME }, (_, at) => of((2 * Math.PI * at) / FRAME)),
);
const CASES = [
  { name: "DTLN", files: ["dtln_1.onnx", "dtln_2.onnx"], hop: 128, start: dtln },
  { name: "GTCRN", files: ["gtcrn_simple.onnx"], hop: 256, start: gtcrn },
];

const { MODELS } = process.env;
const sound = process.argv[2] === undefined ? synthetic() : read(process.argv[2]);
let [compared, leftOut] = [0, 0];
for (const { name, files, hop, start } of CASES) {
  const paths = files.map((file) => `${MODELS}/${file}`);
  if (MODELS === undefined || !paths.every((path) => existsSync(path))) {
    const places = SOURCES.filter(({ project }) => project === name);
    for (const { address, sha256 } of places) console.log(`${name}: left out, ${address}, sha256 ${sha256}`);
    leftOut++;
    continue;
  }
  const bytes = paths.map((path) => readFileSync(path));
  const known = SOURCES.map(({ sha256 }) => sha256);
  for (const [at, file] of files.entries()) {
    const sum = createHash("sha256").update(bytes[at]).digest("hex");
    if (!known.includes(sum)) console.log(`${file}: another file, sha256 ${sum}`);
  }
  const ours = loadDenoiser(bytes).process(sound);
  const theirs = await denoise(await start(bytes), hop);
  let [worst, largest] = [0, 0];
  for (let at = FRAME; at < ours.length; at++) {
    worst = Math.max(worst, Math.abs(ours[at] - theirs[at - FRAME]));
    largest = Math.max(largest, Math.abs(theirs[at - FRAME]));
  }
  const frames = Math.floor(sound.length / hop);
  const apart = (worst / largest).toExponential(1);
  console.log(
    `${name}: ${frames} frames, at most ${apart} of the largest sample (${largest.toFixed(2)}) apart`,
  );
  if (!(worst <= BOUND * largest) || frames < 200) process.exitCode = 1;
  compared++;
}
console.log(`${compared} compared, ${leftOut} left out`);

/** Overlap-add over the whole sound. The first frame has one hop of it, after silence. */
async function denoise(change, hop) {
  const result = new Float64Array(sound.length + FRAME);
  for (let end = hop; end <= sound.length; end += hop) {
    const frame = Float64Array.from({ length: FRAME }, (_, at) => sound[end - FRAME + at] ?? 0);
    const changed = await change(frame);
    // What ends before the sound begins is nobody's.
    for (let at = Math.max(0, FRAME - end); at < FRAME; at++) result[end - FRAME + at] += changed[at];
  }
  return result;
}

async function dtln([first, second]) {
  const [ort, masks, waveforms] = await sessions(first, second);
  const zeros = () => new ort.Tensor("float32", new Float32Array(512), [1, 2, 128, 2]);
  let [input_3, input_5] = [zeros(), zeros()];
  return async (frame) => {
    const spectrum = fourier(frame);
    const magnitudes = spectrum.map(([re, im]) => Math.hypot(re, im));
    const masked = await masks.run({ input_2: tensor(ort, magnitudes, [1, 1, BINS]), input_3 });
    input_3 = masked.tf_op_layer_stack_2;
    const mask = masked.activation_2.data;
    const block = inverse(spectrum.map((bin, at) => bin.map((part) => part * mask[at])));
    const cleaned = await waveforms.run({ input_4: tensor(ort, block, [1, 1, FRAME]), input_5 });
    input_5 = cleaned.tf_op_layer_stack_5;
    return cleaned.conv1d_3.data;
  };
}

async function gtcrn([model]) {
  const [ort, session] = await sessions(model);
  const hann = Array.from({ length: FRAME }, (_, at) => 0.5 - 0.5 * Math.cos((2 * Math.PI * at) / FRAME));
  const weigh = (frame) => Float64Array.from(frame, (sample, at) => sample * Math.sqrt(hann[at]));
  const zeros = (...shape) =>
    tensor(ort, new Float32Array(shape.reduce((product, size) => product * size)), shape);
  let caches = {
    conv_cache: zeros(2, 1, 16, 16, 33),
    tra_cache: zeros(2, 3, 1, 1, 16),
    inter_cache: zeros(2, 1, 33, 16),
  };
  return async (frame) => {
    const mix = tensor(ort, fourier(weigh(frame)).flat(), [1, BINS, 1, 2]);
    const { enh, ...outputs } = await session.run({ mix, ...caches });
    caches = Object.fromEntries(Object.keys(caches).map((name) => [name, outputs[`${name}_out`]]));
    return weigh(inverse(Array.from({ length: BINS }, (_, bin) => enh.data.slice(2 * bin, 2 * bin + 2))));
  };
}

async function sessions(...models) {
  const require = createRequire(new URL("../../bench/package.json", import.meta.url));
  const ort = await import(pathToFileURL(require.resolve("onnxruntime-web")).href);
  ort.env.wasm.numThreads = 1;
  return [ort, ...(await Promise.all(models.map((bytes) => ort.InferenceSession.create(bytes))))];
}

function tensor(ort, numbers, shape) {
  return new ort.Tensor("float32", Float32Array.from(numbers), shape);
}

/** [real, imaginary] of each frequency. */
function fourier(frame) {
  return Array.from({ length: BINS }, (_, bin) => {
    let [re, im] = [0, 0];
    for (let at = 0; at < FRAME; at++) {
      re += frame[at] * COSINES[(bin * at) % FRAME];
      im -= frame[at] * SINES[(bin * at) % FRAME];
    }
    return [re, im];
  });
}

function inverse(spectrum) {
  return Float64Array.from({ length: FRAME }, (_, at) => {
    let sum = 0;
    for (const [bin, [re, im]] of spectrum.entries()) {
      const weight = bin === 0 || bin === BINS - 1 ? 1 : 2;
      const step = (bin * at) % FRAME;
      sum += weight * (re * COSINES[step] - im * SINES[step]);
    }
    return sum / FRAME;
  });
}

function read(file) {
  const { channels, sampleRate } = readWav(readFileSync(file));
  return resample(channels[0], sampleRate, SAMPLE_RATE);
}

/** Four seconds like speech in noise: a voice's overtones under two formants, a syllable every quarter of a second. */
function synthetic() {
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    return seed / 2 ** 31;
  };
  return Float32Array.from({ length: 4 * SAMPLE_RATE }, (_, at) => {
    const time = at / SAMPLE_RATE;
    const syllable = Math.max(0, Math.sin(8 * Math.PI * time));
    let voice = 0;
    for (let overtone = 1; overtone <= 24; overtone++) {
      const frequency = 120 * overtone;
      const formants = [600 + 200 * Math.sin(3 * time), 1800 - 500 * Math.sin(2 * time)];
      const loud = formants.reduce(
        (sum, formant) => sum + Math.exp(-(((frequency - formant) / 250) ** 2)),
        0.02,
      );
      voice += loud * Math.sin(2 * Math.PI * frequency * time);
    }
    return 0.15 * syllable * voice + 0.03 * random();
  });
}
