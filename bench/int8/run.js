/**
 * What int8 weights cost in accuracy, beside PyTorch's quantize_dynamic on the same networks. Writes
 * results.json and README.md beside itself, and its part of docs/int8.md. Takes a minute.
 *
 *     node bench/int8/run.js [--from results.json]
 *
 * With --from nothing is measured: the texts are written from that file.
 *
 * Needs `npm run build`, `npm ci` in examples/silero-vad, and Debian's packages python3-torch, alsa-utils and
 * espeak-ng.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { writeSafetensors } from "../../dist/formats/index.js";
import { init, Linear, quantizeModule } from "../../dist/index.js";
import { networks } from "./networks.js";
import { report, withSummary } from "./report.js";

/** PyTorch's float32 and ours on the same network, relative to the largest output. */
const SAME_NETWORK = 1e-5;
const SPEECH = 0.5;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

function modulesOf({ rnn, dict }, precision) {
  const modules = rnn === undefined ? [] : [rnn.fromStateDict(dict, { prefix: "rnn.", precision })];
  if (dict.has("head.weight")) modules.push(Linear.fromStateDict(dict, { prefix: "head.", precision }));
  return modules;
}

/**
 * The int8 modules, rounded for the network's sample. Where its rows have lengths, the head reads the last h
 * of each.
 */
function modulesForSample(network) {
  const lengths = network.sampleLengths;
  let input = network.sample;
  return modulesOf(network, "float32").map((module) => {
    const options = module instanceof Linear || lengths === undefined ? undefined : { lengths };
    const quantized = module.constructor.fromStateDict(quantizeModule(module, input, options));
    const [output, hN] = [module.forward(input, undefined, options)].flat(2);
    input = lengths === undefined ? output : hN;
    module.dispose();
    return quantized;
  });
}

/** The output of the whole network. */
function outputOf(modules, input) {
  return modules.reduce((tensor, module) => {
    const output = [module.forward(tensor)].flat()[0];
    module.dispose();
    return output;
  }, input);
}

function differences(expected, got) {
  const all = expected.map((value, at) => Math.abs(got[at] - value));
  return {
    max: Math.max(
      0,
      all.reduce((most, one) => Math.max(most, one), 0),
    ),
    mean: mean(all),
  };
}

const mean = (numbers) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

/** What one int8 did to a network: the errors of its output, and of what it is for. */
function compare({ judge }, expected, got) {
  const result = differences(expected, got);
  if (judge === undefined) return result;
  const { probabilities, ...judged } = judge(got);
  if (probabilities === undefined) return { ...result, ...judged };
  const truth = judge(expected).probabilities;
  const flipped = truth.filter((value, at) => value > SPEECH !== probabilities[at] > SPEECH).length;
  return { ...result, probability: { frames: truth.length, ...differences(truth, probabilities), flipped } };
}

function measure(network, number, folder, configurations) {
  const { title, input, read, judge } = network;
  const numbersOf = ({ data, shape }) => read({ data, shape });
  const expected = outputOf(modulesOf(network, "float32"), input);
  const theirs = (suffix) => {
    const { buffer } = new Uint8Array(readFileSync(join(folder, `${number}.${suffix}`)));
    return numbersOf({ data: new Float32Array(buffer), shape: expected.shape });
  };
  const truth = numbersOf(expected);
  const largest = truth.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const apart = differences(truth, theirs("float32")).max / largest;
  if (!(apart < SAME_NETWORK)) throw new Error(`${title}: not PyTorch's network, off by ${apart}`);
  const { probabilities, ...float32 } = judge?.(truth) ?? {};
  return {
    title,
    steps: input.shape[0],
    rows: input.shape[1],
    float32,
    int8: compare(network, truth, numbersOf(outputOf(modulesOf(network, "int8"), input))),
    int8Sample: compare(network, truth, numbersOf(outputOf(modulesForSample(network), input))),
    pytorch: Object.fromEntries(
      configurations.map(([engine, scheme]) => [
        `${engine}, per ${scheme}`,
        compare(network, truth, theirs(`${engine}.${scheme}`)),
      ]),
    ),
  };
}

function measureAll() {
  init({ deterministic: true });
  const folder = mkdtempSync(join(tmpdir(), "lstm-wasm-int8-"));
  try {
    const list = networks();
    list.forEach(({ dict, input }, number) => {
      writeFileSync(
        join(folder, `${number}.safetensors`),
        writeSafetensors(new Map(dict).set("input", input)),
      );
    });
    // PyTorch warns at every step that qnnpack keeps 8 bits, so stderr is dropped.
    const python = execFileSync("/usr/bin/python3", [here("pytorch.py"), folder], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const { torch, configurations } = JSON.parse(python);
    return {
      versions: {
        "lstm-wasm": JSON.parse(readFileSync(here("../../package.json"), "utf8")).version,
        node: process.version,
        pytorch: torch,
      },
      networks: list.map((network, number) => measure(network, number, folder, configurations)),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const { from } = parseArgs({ options: { from: { type: "string" } } }).values;
const results = from === undefined ? measureAll() : JSON.parse(readFileSync(from, "utf8"));
const page = here("../../docs/int8.md");
writeFileSync(here("results.json"), `${JSON.stringify(results, undefined, 1)}\n`);
writeFileSync(here("README.md"), report(results));
writeFileSync(page, withSummary(readFileSync(page, "utf8"), results));
