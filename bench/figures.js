/** README's figures, and the comparison in docs/performance.md: of results.json, models/results.json and places.json. */
import { readFileSync, writeFileSync } from "node:fs";
import { median } from "./measure.js";
import { cellTime, ratio, summary } from "./statistics.js";
import { markdownTable } from "./text.js";

const BEGIN = "<!-- bench/figures.js writes this part. -->\n";
const END = "<!-- The end of it. -->";

/** What starts each name in results.json's sizes, the peer in its cells, and the library in places.json. */
const LIBRARIES = [
  {
    title: "lstm-wasm",
    size: "lstm-wasm's LSTM alone",
    peer: "relaxed",
    place: "ours",
    mode: ", in deterministic mode",
  },
  { title: "onnxruntime-web", size: "onnxruntime-web:", peer: "web", place: "web", mode: "" },
  { title: "TensorFlow.js (wasm)", size: "tfjs:", peer: "tfjs", place: "tfjs", mode: "" },
];

/** Scopes of several browsers are one kind of place. */
const KINDS = {
  "Node.js": /^Node/,
  Deno: /^Deno/,
  Bun: /^Bun/,
  pages: /, page$/,
  workers: /, worker$/,
  "service workers": /, service worker$/,
  AudioWorklets: /, AudioWorklet$/,
  "edge workers": /^workerd/,
};

/** Rows of whole models: their titles, and the cases of models/cases.js or models/layers-cases.js. */
const WHOLE_MODELS = {
  "A frame of Silero VAD, the whole model": "Silero v5, a frame",
  "30 frames of sign language, two BiLSTMs of Keras": "2 BiLSTM 64, 30 frames of 1,662 numbers",
};

/** README.md with its table. */
export function withFigures(page, { results, models, places }) {
  return replaced(page, "README.md", figures(results, models, places));
}

/** docs/performance.md with its comparison. */
export function withComparison(page, results) {
  return replaced(page, "docs/performance.md", comparison(results));
}

/** Writes both pages below `root`. */
export function writeFigures(root, results = written(root, "results")) {
  const [models, places] = ["models/results", "places"].map((name) => written(root, name));
  const write = (name, change) => {
    const page = readFileSync(`${root}${name}`, "utf8");
    writeFileSync(`${root}${name}`, change(page));
  };
  write("README.md", (page) => withFigures(page, { results, models, places }));
  write("docs/performance.md", (page) => withComparison(page, results));
}

const written = (root, name) => JSON.parse(readFileSync(`${root}bench/${name}.json`, "utf8"));

function replaced(page, name, text) {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`${name}: expected ${BEGIN}and ${END}`);
  return `${before}${BEGIN}${text}\n${END}${after}`;
}

function figures(results, models, { peers: places }) {
  const { cells, cold, sizes, versions, node } = results;
  const row = (title, of) => [title, ...LIBRARIES.map(of)];
  const download = ({ size }) => {
    const { gzip } = sizes.find(({ name }) => name.startsWith(size));
    return `${thousands(Math.round(gzip / 1000))} KB`;
  };
  const start = ({ peer }) => {
    const { rounds } = cold.starts.find((one) => one.peer === peer);
    return `${short(median(rounds.map(({ firstOutputMs }) => firstOutputMs)))} ms`;
  };
  const step = ({ peer }) =>
    ["step-1x40", "step-128"].map((name) => `${short(cellTime(cells, name, peer).us)} µs`).join(", ");
  const table = markdownTable(
    ["", ...LIBRARIES.map(({ title }) => title)],
    [
      row("Download, gzip", download),
      row("Start, from `import()` to the first output", start),
      row("A step of an LSTM, 40 and 128 units", step),
      ...Object.entries(WHOLE_MODELS).map(([title, name]) => row(title, modelTime(models, name))),
      row("Starts in", ({ place }) => starts(places[place])),
      row("Same bits in all of these", ({ place, mode }) => sameBits(places[place]) + mode),
    ],
  );
  const native = summary(cells, "relaxed", "node").least;
  const used = [
    `Node.js ${node.slice(1)}`,
    `onnxruntime-web ${versions["onnxruntime-web"]}`,
    `TensorFlow.js ${versions["@tensorflow/tfjs-backend-wasm"]}`,
  ];
  return [
    table,
    "",
    `${used.join(", ")}, on one core of an ${measured(results)}; whole models: ${measured(models)}.`,
    `[All cases](bench/README.md), [all models](bench/models/README.md), [all places](bench/places.json). On batches native onnxruntime is faster: up to ${times(1 / native.ratio)} times.`,
  ].join("\n");
}

/** What a library takes for a case of whole models; only one peer runs it. */
function modelTime({ cases }, name) {
  const { oursUs, theirsUs, peer } = cases.find((one) => one.name === name);
  const times = { relaxed: oursUs, [peer === "tfjs" ? "tfjs" : "web"]: theirsUs };
  return ({ peer }) => (times[peer] === undefined ? "–" : time(times[peer]));
}

/** On which processor and when. */
function measured({ machine, date }) {
  return `${machine.cpu.replace(/ \(\w+ family.*/, "").replaceAll("(R)", "")}, ${date}`;
}

/** The kinds of places where a library starts everywhere; the shorter of what it has and what it lacks. */
function starts(places) {
  const kinds = Object.keys(KINDS);
  const has = kinds.filter((kind) => {
    const those = Object.entries(places).filter(([name]) => KINDS[kind].test(name));
    if (those.length === 0) throw new Error(`places.json: nothing about ${kind}`);
    return those.every(([, { starts }]) => starts);
  });
  const lacks = kinds.filter((kind) => !has.includes(kind));
  if (lacks.length === 0 || has.length <= lacks.length) return has.join(", ");
  return `all but ${lacks.join(" and ")}`;
}

function sameBits(places) {
  return Object.values(places).every(({ starts, same }) => !starts || same) ? "yes" : "no";
}

/** Two digits, or all before the point. */
const short = (number) => (number >= 100 ? String(Math.round(number)) : number.toPrecision(2));
const time = (us) => (us < 1000 ? `${short(us)} µs` : `${short(us / 1000)} ms`);
const times = (number) => number.toPrecision(2);
const thousands = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");

function comparison({ cells, node }) {
  const mean = (peer) => times(summary(cells, peer, "web").mean);
  const slowest = (peer, other) => {
    const { caseName, ratio: least } = summary(cells, peer, other).least;
    return `${times(1 / least)} times as fast as ours there at most (\`${caseName}\`)`;
  };
  const [first, last] = ["step-128", "step-512"].map((name) => times(ratio(cells, name, "int8", "relaxed")));
  return [
    `Node.js ${node.slice(1)}, one core, geometric means over ${summary(cells, "relaxed", "web").cases} cases:`,
    "",
    `- **onnxruntime-web**: lstm-wasm is ${mean("relaxed")} times as fast, ${mean("deterministic")} times in deterministic mode, ${mean("int8")} with int8 weights.`,
    `- **Native onnxruntime**, with AVX-512, is faster on long sequences and batches: ${slowest("relaxed", "node")}.`,
    `- **Its int8** is ${slowest("int8", "nodeInt8")}.`,
    `- **Our int8** beside our float32: ${first} times as fast at a step of 128 units, ${last} times at 512.`,
  ].join("\n");
}
