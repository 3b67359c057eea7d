/**
 * The networks whose int8 weights are measured: some with random weights, and the trained ones of the
 * examples. Each is an LSTM or GRU (`rnn`), then a Linear (`head`), and an input. Either module may be
 * missing. Rows of a batch do not depend on each other.
 */
import { readFileSync } from "node:fs";
import { readSafetensors, readTorch } from "../../dist/formats/index.js";
import { Embedding, GRU, Linear, LSTM, Tensor } from "../../dist/index.js";
import { accuracyByDistance } from "../../examples/recall/evaluate.js";
import { toBatch, Vocabulary } from "../../examples/recall/text.js";
import { concat, model, speech, spoken } from "../../examples/silero-vad/hear.js";
import { SileroFeatures, SileroHead, sileroLstm, sileroTensors } from "./silero.js";

/**
 * @typedef {object} Network
 * @property {string} title
 * @property {typeof LSTM | typeof GRU | undefined} rnn
 * @property {Map<string, Tensor>} dict      names begin with `rnn.` and `head.`
 * @property {Tensor} input                  (L, N, width)
 * @property {Tensor} sample                 an input of its kind, for quantizeModule
 * @property {number[]} [sampleLengths]      of its rows
 * @property {(output: Tensor) => Float32Array} read  what counts of the output (L, N, width of the last
 *   module)
 * @property {(numbers: Float32Array) => object} [judge]  what they are worth, beside their error
 */

const here = (path) => new URL(path, import.meta.url);
const bytes = (path) => new Uint8Array(readFileSync(here(path)));
const all = ({ data }) => data;

/** Entries of a dict below a prefix, under another. */
const renamed = (dict, from, to) =>
  [...dict]
    .filter(([name]) => name.startsWith(from))
    .map(([name, tensor]) => [to + name.slice(from.length), tensor]);

/** Weights uniform in +-1/sqrt(hidden), PyTorch's initial values, and inputs in +-2: 50 steps of 4 rows. */
function drawn(seed, Module, inputs, hidden, layers = 1) {
  const next = (shape, scale) => {
    const tensor = Tensor.zeros(shape);
    for (let at = 0; at < tensor.data.length; at++) tensor.data[at] = (2 * random() - 1) * scale;
    return tensor;
  };
  const random = mulberry32(seed);
  const prefix = Module === Linear ? "head." : "rnn.";
  const module =
    Module === Linear
      ? new Linear({ inFeatures: inputs, outFeatures: hidden })
      : new Module({ inputSize: inputs, hiddenSize: hidden, numLayers: layers });
  const scale = 1 / Math.sqrt(Module === Linear ? inputs : hidden);
  const dict = new Map();
  for (const [name, { shape }] of module.stateDict()) dict.set(prefix + name, next(shape, scale));
  module.dispose();
  const title = `${Module.name} ${inputs} → ${hidden}${layers > 1 ? `, ${layers} layers` : ""}`;
  return {
    title,
    rnn: Module === Linear ? undefined : Module,
    dict,
    input: next([50, 4, inputs], 2),
    sample: next([50, 4, inputs], 2),
    read: all,
  };
}

function mulberry32(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The recall example: logits at the end of each of its 520 texts. */
function recall() {
  const weights = readSafetensors(bytes("../../examples/recall/data/lstm.safetensors"));
  const vocabulary = new Vocabulary(
    JSON.parse(readFileSync(here("../../examples/recall/data/vocabulary.json"))),
  );
  const tests = JSON.parse(readFileSync(here("../../examples/recall/data/test.json"))).texts;
  const { indices, lengths } = toBatch(tests.map(({ text }) => vocabulary.read(text)));
  const answers = vocabulary.answers;
  const embedding = Embedding.fromStateDict(weights, { prefix: "embedding." });
  const some = toBatch(tests.filter((_, text) => text % 2 === 0).map(({ text }) => vocabulary.read(text)));
  return {
    title: "recall: LSTM 32 → 64, Linear",
    rnn: LSTM,
    dict: new Map([...renamed(weights, "lstm.", "rnn."), ...renamed(weights, "linear.", "head.")]),
    input: embedding.forward(indices),
    sample: embedding.forward(some.indices),
    sampleLengths: some.lengths,
    read: ({ data, shape: [, texts, width] }) =>
      concat(
        lengths.map((length, text) =>
          data.subarray(((length - 1) * texts + text) * width).subarray(0, width),
        ),
      ),
    judge: (logits) => {
      const shares = accuracyByDistance(new Tensor(logits, [tests.length, answers.length]), tests, answers);
      return { accuracy: Object.fromEntries([...shares].map(([words, share]) => [words, 100 * share])) };
    },
  };
}

/** The character example on a licence that it has not seen. */
function characters() {
  const weights = readTorch(bytes("../../examples/char-rnn/licence.pt"));
  const vocabulary = Array.from(weights.get("vocabulary").data, (code) => String.fromCodePoint(code));
  const embedding = Embedding.fromStateDict(weights, { prefix: "embedding." });
  const read = (licence) => {
    const text = readFileSync(`/usr/share/common-licenses/${licence}`, "utf8");
    const lines = text.split("\n").map((line) => line.trim());
    return [...lines.join("\n")].map((sign) => vocabulary.indexOf(sign)).filter((code) => code >= 0);
  };
  const embed = (codes) => {
    const { data, shape } = embedding.forward(codes);
    return new Tensor(data, [shape[0], 1, shape[1]]);
  };
  const codes = read("GFDL-1.3");
  const next = codes.slice(1);
  return {
    title: "characters: LSTM 16 → 80, 2 layers, Linear",
    rnn: LSTM,
    dict: new Map([...renamed(weights, "lstm.", "rnn."), ...renamed(weights, "head.", "head.")]),
    input: embed(codes.slice(0, -1)),
    sample: embed(read("MPL-2.0")),
    read: all,
    judge: (logits) => ({ characters: next.length, bitsPerCharacter: bitsPerCharacter(logits, next) }),
  };
}

function bitsPerCharacter(logits, targets) {
  const width = logits.length / targets.length;
  let bits = 0;
  targets.forEach((target, at) => {
    const row = logits.subarray(at * width, (at + 1) * width);
    const powers = row.reduce((sum, logit) => sum + Math.exp(logit - row[target]), 0);
    bits += Math.log2(powers);
  });
  return bits / targets.length;
}

/**
 * Silero VAD's LSTM on the features of some speech. Its h is what is compared. The sample is of other speech.
 */
function silero(title, samples, others) {
  const tensors = sileroTensors(new Uint8Array(readFileSync(model)));
  const framesOf = (signal) => {
    const features = new SileroFeatures(tensors);
    return [...features.of(signal), ...features.of(new Float32Array(features.missing))];
  };
  const frames = framesOf(samples);
  const head = new SileroHead(tensors);
  const size = frames[0].length;
  const sequence = (list) => new Tensor(concat(list), [list.length, 1, size]);
  return {
    title: `Silero VAD: LSTM 128 → 128, ${title}`,
    rnn: LSTM,
    dict: new Map(renamed(sileroLstm(tensors), "", "rnn.")),
    input: sequence(frames),
    sample: sequence(framesOf(others)),
    read: all,
    judge: (h) => ({
      probabilities: frames.map((_, frame) => head.forward(h.slice(frame * size, (frame + 1) * size))),
    }),
  };
}

/** Sentences by espeak-ng in voices of three languages, at many speeds. */
function voices() {
  const sentences = [
    "The quick brown fox jumps over the lazy dog. And now, after a short pause, it does so once again.",
    "Weights of eight bits take a quarter of the memory. Is it audible? Hardly!",
    "One, two, three, four, five, six, seven, eight, nine, ten. Stop. Go on.",
    "She sells sea shells by the sea shore. Peter Piper picked a peck of pickled peppers, didn't he?",
  ];
  const names = ["en", "en+f3", "en+m4", "en-us", "de", "fr"];
  const parts = names.flatMap((name, voice) =>
    sentences.map((sentence, at) => {
      const wordsPerMinute = 130 + (((voice * sentences.length + at) * 17) % 80);
      return spoken(sentence, ["-v", name, "-s", String(wordsPerMinute)]);
    }),
  );
  return concat(parts);
}

/** @returns {Network[]} */
export function networks() {
  const [example, sentences] = [speech(), voices()];
  return [
    recall(),
    characters(),
    silero("the example's speech", example, sentences),
    silero("24 sentences in 6 voices", sentences, example),
    drawn(1, LSTM, 32, 64),
    drawn(2, LSTM, 64, 128, 2),
    drawn(3, LSTM, 40, 256),
    drawn(4, GRU, 64, 128, 2),
    drawn(5, GRU, 40, 256),
    drawn(6, Linear, 256, 64),
  ];
}
