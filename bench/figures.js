/** The five figures of the README, and the comparison in docs/performance.md, from results.json and places.json. */
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

/** README.md with its table. */
export function withFigures(page, results, places) {
  return replaced(page, "README.md", figures(results, places));
}

/** docs/performance.md with its comparison. */
export function withComparison(page, results) {
  return replaced(page, "docs/performance.md", comparison(results));
}

/** Writes both pages below `root`. */
export function writeFigures(results, root) {
  const places = JSON.parse(readFileSync(`${root}bench/places.json`, "utf8"));
  const write = (name, change) => {
    const page = readFileSync(`${root}${name}`, "utf8");
    writeFileSync(`${root}${name}`, change(page));
  };
  write("README.md", (page) => withFigures(page, results, places));
  write("docs/performance.md", (page) => withComparison(page, results));
}

function replaced(page, name, text) {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`${name}: expected ${BEGIN}and ${END}`);
  return `${before}${BEGIN}${text}\n${END}${after}`;
}

function figures(results, { peers: places }) {
  const { cells, cold, sizes, machine, versions, node, date } = results;
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
      row("Starts in", ({ place }) => starts(places[place])),
      row("Same bits in all of these", ({ place, mode }) => sameBits(places[place]) + mode),
    ],
  );
  const native = summary(cells, "relaxed", "node").least;
  const cpu = machine.cpu.split(" (G")[0].replaceAll("(R)", "");
  const used = [
    `Node.js ${node.slice(1)}`,
    `onnxruntime-web ${versions["onnxruntime-web"]}`,
    `TensorFlow.js ${versions["@tensorflow/tfjs-backend-wasm"]}`,
  ];
  return [
    table,
    "",
    `${used.join(", ")}, on one core of an ${cpu}, ${date}.`,
    `[All cases](bench/README.md), [all places](bench/places.json). On batches native onnxruntime is faster: up to ${times(1 / native.ratio)} times.`,
  ].join("\n");
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
