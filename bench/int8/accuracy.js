/**
 * What int8 costs in accuracy, as a table: against our float32, beside PyTorch's quantize_dynamic on the same networks
 * (pytorch.json, by pytorch.py), on the recall example, and on Silero VAD. Needs `npm run build`; Silero is heard only where the example is
 * installed (`npm ci` in examples/silero-vad) and there are sounds to hear, and the table says so where it is not.
 *
 *     node bench/int8/accuracy.js [sound.wav ...]
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GRU, init, Linear, LSTM, Tensor } from "../../dist/index.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const MODULES = { LSTM, GRU };
/** PyTorch's float32 and ours on the same network. */
const SAME_NETWORK = 1e-5;
/** Spoken words of the package alsa-utils. */
const SOUNDS = "/usr/share/sounds/alsa";
const SPEECH = 0.5;

/** pytorch.py's draw: splitmix32 by its upper 24 bits. */
function* draws(seed) {
  for (let counter = seed | 0; ; ) {
    counter = (counter + 0x9e3779b9) | 0;
    let bits = Math.imul(counter ^ (counter >>> 16), 0x21f0aaad);
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
    yield (((bits ^ (bits >>> 15)) >>> 8) - 2 ** 23) / 2 ** 23;
  }
}

function draw(numbers, shape, scale) {
  const tensor = Tensor.zeros(shape);
  for (let at = 0; at < tensor.data.length; at++) tensor.data[at] = numbers.next().value * scale;
  return tensor;
}

function errorsOf(expected, got) {
  const errors = Array.from(expected, (value, at) => Math.abs(got[at] - value));
  return {
    max: errors.reduce((most, error) => Math.max(most, error), 0),
    mean: errors.reduce((sum, error) => sum + error, 0) / errors.length,
  };
}

const show = (error) => error.toExponential(1);

function against({ steps, batch, networks, torch }) {
  console.log(
    `Error against float32, ${steps} steps of ${batch} rows; PyTorch is quantize_dynamic of ${torch}, its`,
  );
  console.log("best engine. Weights uniform in +-1/sqrt(hidden), inputs in +-2.\n");
  console.log("| network | ours: max | mean | PyTorch: max | mean | ours / PyTorch: max | mean |");
  console.log("|---|---|---|---|---|---|---|");
  for (const { module, inputs, hidden, layers, seed, scale, sample, errors } of networks) {
    const numbers = draws(seed);
    const make = (precision) =>
      module === "Linear"
        ? new Linear({ inFeatures: inputs, outFeatures: hidden, precision })
        : new MODULES[module]({ inputSize: inputs, hiddenSize: hidden, numLayers: layers, precision });
    const float = make("float32");
    const dict = new Map();
    for (const [name, { shape }] of float.stateDict()) dict.set(name, draw(numbers, shape, scale));
    const input = draw(numbers, [steps, batch, inputs], 2);
    const [expected, got] = [float, make("int8")].map((one) => {
      const output = one.loadStateDict(dict).forward(input);
      return (output instanceof Tensor ? output : output[0]).data;
    });
    const apart = errorsOf(sample, expected.slice(0, sample.length)).max;
    if (!(apart < SAME_NETWORK)) throw new Error(`${module} ${seed}: not PyTorch's network, off by ${apart}`);
    const ours = errorsOf(expected, got);
    const theirs = {
      max: Math.min(...Object.values(errors).map(({ max }) => max)),
      mean: Math.min(...Object.values(errors).map(({ mean }) => mean)),
    };
    const name = `${module} ${inputs} -> ${hidden}${layers > 1 ? `, ${layers} layers` : ""}`;
    const ratios = ["max", "mean"].map((key) => (ours[key] / theirs[key]).toFixed(2));
    console.log(
      `| ${name} | ${show(ours.max)} | ${show(ours.mean)} | ${show(theirs.max)} | ${show(theirs.mean)} | ${ratios.join(" | ")} |`,
    );
  }
}

/** The recall example's networks, Linear included: right answers by distance. */
async function recall() {
  const { readSafetensors, quantizeStateDict } = await import("../../dist/formats/index.js");
  const { Network } = await import("../../examples/recall/model.js");
  const { accuracyByDistance } = await import("../../examples/recall/evaluate.js");
  const { Vocabulary } = await import("../../examples/recall/text.js");
  const file = (name) => readFileSync(here(`../../examples/recall/data/${name}`));
  const vocabulary = new Vocabulary(JSON.parse(file("vocabulary.json")));
  const tests = JSON.parse(file("test.json")).texts;
  const texts = tests.map(({ text }) => vocabulary.read(text));
  console.log(`\nRecall, ${tests.length} texts; accuracy by distance in percent\n`);
  for (const kind of ["lstm", "rnn"]) {
    const weights = readSafetensors(new Uint8Array(file(`${kind}.safetensors`)));
    const results = [weights, quantizeStateDict(weights)].map((dict) => Network[kind](dict).answer(texts));
    const [expected, got] = results.map((logits) => accuracyByDistance(logits, tests, vocabulary.answers));
    const distances = [...expected.keys()];
    const row = (name, values) => console.log(`| ${name} | ${values.join(" | ")} |`);
    row(`${kind.toUpperCase()}, words`, distances);
    row(
      "---",
      distances.map(() => "---"),
    );
    row(
      "float32",
      distances.map((distance) => (100 * expected.get(distance)).toFixed(1)),
    );
    row(
      "int8",
      distances.map((distance) => (100 * got.get(distance)).toFixed(1)),
    );
    const { max, mean } = errorsOf(results[0].data, results[1].data);
    console.log(`logits off by max ${show(max)}, mean ${show(mean)}\n`);
  }
}

/** Probabilities of all frames of the sounds, with the LSTM in either precision. */
async function silero(sounds) {
  const example = here("../../examples/silero-vad/");
  if (!existsSync(join(example, "node_modules"))) {
    console.log("\nSilero VAD: not measured; run npm ci in examples/silero-vad first");
    return;
  }
  if (sounds.length === 0) {
    console.log(`\nSilero VAD: not measured; no sounds in ${SOUNDS}, and none given`);
    return;
  }
  const { SileroVad } = await import("../../examples/silero-vad/vad.js");
  const { hear, model } = await import("../../examples/silero-vad/hear.js");
  const bytes = new Uint8Array(readFileSync(model));
  const [expected, got] = ["float32", "int8"].map((precision) => {
    const vad = new SileroVad(bytes, { precision });
    return sounds.flatMap((sound) => {
      vad.reset();
      return [...vad.process(hear([sound])), ...vad.flush()];
    });
  });
  const { max, mean } = errorsOf(expected, got);
  const flipped = expected.filter((value, at) => value > SPEECH !== got[at] > SPEECH).length;
  console.log(
    `\nSilero VAD, its LSTM in int8: ${expected.length} frames of ${sounds.length} sounds; probability off by`,
  );
  console.log(`max ${show(max)}, mean ${show(mean)}; ${flipped} decisions flipped`);
}

init();
against(JSON.parse(readFileSync(here("pytorch.json"), "utf8")));
await recall();
const given = process.argv.slice(2);
const installed = existsSync(SOUNDS) ? readdirSync(SOUNDS).map((name) => join(SOUNDS, name)) : [];
await silero(given.length > 0 ? given : installed.filter((path) => path.endsWith(".wav")));
