/**
 * The first word of a text decides its last one, some fifty words later. Can a network remember it?
 *
 *     npm start
 *     npm start -- "Music was ..."
 */

import { readFileSync } from "node:fs";
import { LSTM, Tensor } from "lstm-wasm";
import { readSafetensors } from "lstm-wasm/formats";
import { accuracyByDistance, largestDifference } from "./evaluate.js";
import { heatStrips } from "./heat.js";
import { Network, slowestGates, softmax } from "./model.js";
import { percent, plot, table } from "./plot.js";
import { Terminal } from "./terminal.js";
import { UNKNOWN, Vocabulary } from "./text.js";

/** PyTorch and these kernels add in different orders; logits of up to 12 then differ in the sixth digit. */
const LOGIT_TOLERANCE = 1e-4;

const TEXT =
  "Computers have been a passion of mine for as long as I can remember. We moved to a small town near the sea. " +
  "My uncle gave me a book about maps for my birthday. My sister talked about music all day. " +
  "My parents hoped that I would take pharmacy one day. Time went by and I grew taller. " +
  "When the time came to select my major, I did not hesitate and picked";

const READERS_TEXT =
  "Stars were all I cared about. My parents hoped that I would take informatics one day, and my brother loved " +
  "computers more than anything else. In the end I took";

const terminal = new Terminal(process.stdout);
const print = (/** @type {string[]} */ ...lines) => console.log(lines.join("\n"));
const heading = (/** @type {string} */ text) => print("", terminal.bold(text), "");

/** 1. PyTorch's own example of nn.LSTM, in JavaScript. */
function runSnippet() {
  const lstm = new LSTM({ inputSize: 6, hiddenSize: 3, numLayers: 2 });
  const sequence = Tensor.randn([5, 4, 6]); // (sequence, batch, input)
  const h0 = Tensor.zeros([2, 4, 3]);
  const c0 = Tensor.zeros([2, 4, 3]);
  const [output, [hN, cN]] = lstm.forward(sequence, [h0, c0]);

  heading("1. Two layers, three hidden units: a batch of 4 sequences, 5 steps of 6 numbers");
  for (const [name, { shape }] of Object.entries({ output, hN, cN })) {
    print(`${name.padEnd(7)} [${shape.join(", ")}]`);
  }
}

/**
 * 2. Both trained networks on the test texts: PyTorch's logits, and the accuracy by distance.
 * @param {Record<string, Network<any>>} networks
 * @param {Vocabulary} vocabulary
 */
function runTests(networks, vocabulary) {
  const tests = /** @type {import("./evaluate.js").TestText[]} */ (readJson("test.json").texts);
  const expected = readTensors("test.safetensors");
  const texts = tests.map(({ text }) => vocabulary.read(text));

  heading(`2. The first word decides the last one: ${tests.length} texts that no network was trained on`);
  const ids = texts.flat().map(({ id }) => id);
  check("the words' numbers are train.py's", ids.join() === expected.get("ids")?.data.join());
  const series = Object.entries(networks).map(([name, network], at) => {
    const logits = network.answer(texts);
    const theirs = /** @type {Tensor} */ (expected.get(`logits.${name.toLowerCase()}`));
    const difference = largestDifference(logits, theirs);
    const measured = difference.toExponential(1);
    check(`${name}: logits differ from PyTorch's by ${measured} at most`, difference <= LOGIT_TOLERANCE);
    const accuracy = accuracyByDistance(logits, tests, vocabulary.answers);
    return { name, mark: "#o"[at], colour: [208, 39][at], accuracy, values: [...accuracy.values()] };
  });

  const distances = [...series[0].accuracy.keys()];
  print("", "Right answers by distance: the words between the first and the missing last one.");
  print(`Guessing gives ${percent(1 / vocabulary.answers.length)}.`, "");
  print(...table("words", distances, series), "", ...plot(distances, series, terminal));
}

/**
 * 3. and 4. One text: what the networks answer, and what happens on the way.
 * @param {{ LSTM: Network<LSTM>, RNN: Network<any> }} networks
 * @param {Vocabulary} vocabulary
 * @param {string} text
 */
function showText(networks, vocabulary, text) {
  const words = vocabulary.read(text);
  const { answers } = vocabulary;
  const along = {
    LSTM: softmax(networks.LSTM.answerAlong(words)),
    RNN: softmax(networks.RNN.answerAlong(words)),
  };

  const end = words.length - 1;
  const best = answers.indexOf(ranked(along.LSTM[end], answers)[0].answer);
  const { forget, input } = slowestGates(networks.LSTM, words);
  const strips = [
    { name: "forget", values: forget },
    { name: "input", values: input },
    { name: "LSTM", values: along.LSTM.map((row) => row[best]) },
    { name: "RNN", values: along.RNN.map((row) => row[best]) },
  ];
  const shown = words.map((word) => word.shown);
  print(...heatStrips(shown, strips, terminal));
  print("forget, input: gates of the LSTM's slowest units, those that hold what is remembered.");
  print(`LSTM, RNN: how sure each would be of "${answers[best]}" if the text ended there.`);
  print(`Scale: ${terminal.scale()}`, "");

  for (const [name, rows] of Object.entries(along)) {
    const top = ranked(rows[end], answers).slice(0, 3);
    const parts = top.map(({ answer, share }) => `${answer} ${percent(share)}`);
    print(`${name.padEnd(5)} ... ${parts.join(", ")}`);
  }
}

/**
 * 4. The reader's own text, and what to know before believing the answer.
 * @param {{ LSTM: Network<LSTM>, RNN: Network<any> }} networks
 * @param {Vocabulary} vocabulary
 * @param {string} text
 */
function showReadersText(networks, vocabulary, text) {
  const words = vocabulary.read(text);
  if (words.length === 0) {
    print("There is no word in this text.");
    return;
  }
  const unknown = new Set(words.filter(({ id }) => id === UNKNOWN).map(({ shown }) => shown));
  if (unknown.size > 0) {
    print(`The networks do not know these words: ${[...unknown].join(" ")}`, "");
  }
  if (!vocabulary.subjects.includes(vocabulary.words[words[0].id])) {
    print(`No text they learned from begins with "${words[0].shown}", so do not trust their answers.`);
    print(`They know these beginnings: ${vocabulary.subjects.join(", ")}.`, "");
  }
  showText(networks, vocabulary, text);
}

/**
 * @param {readonly number[]} shares
 * @param {readonly string[]} answers
 */
function ranked(shares, answers) {
  return answers.map((answer, at) => ({ answer, share: shares[at] })).sort((a, b) => b.share - a.share);
}

/**
 * Prints what was checked, and lets the process fail if it does not hold.
 * @param {string} what
 * @param {boolean} holds
 */
function check(what, holds) {
  print(`${holds ? "ok  " : "FAIL"}  ${what}`);
  if (!holds) process.exitCode = 1;
}

/** @param {string} name */
function readData(name) {
  return readFileSync(new URL(`data/${name}`, import.meta.url));
}

/** @param {string} name */
function readJson(name) {
  return JSON.parse(readData(name).toString());
}

/** @param {string} name */
function readTensors(name) {
  return readSafetensors(readData(name));
}

runSnippet();

const vocabulary = new Vocabulary(readJson("vocabulary.json"));
const networks = {
  LSTM: Network.lstm(readTensors("lstm.safetensors")),
  RNN: Network.rnn(readTensors("rnn.safetensors")),
};
runTests(networks, vocabulary);

heading("3. One text, word by word");
showText(networks, vocabulary, TEXT);

const own = process.argv.slice(2).join(" ");
heading(own ? "4. Your text" : '4. Your own text: npm start -- "Music was ...". Until then, this one');
showReadersText(networks, vocabulary, own || READERS_TEXT);
