/**
 * Random small graphs, as test/support/random-graph.ts makes them, each for two shapes, by lstm-wasm/models and by
 * onnxruntime-web: `node bench/random-graphs.js [FIRST LAST]`, seeds 1 to 2000 when left out. Prints how many agree within
 * 1e-5 of each number or of 1, and fails where one does not. Build the library first, and install bench/.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import * as ort from "onnxruntime-web";
import { Tensor } from "../dist/index.js";
import { loadOnnx } from "../dist/models/index.js";

const [first = 1, last = 2000] = process.argv.slice(2).map(Number);
const SHAPES = [
  [1, 3],
  [2, 5],
];
ort.env.wasm.numThreads = 1;

async function loadGenerator() {
  const folder = mkdtempSync(join(tmpdir(), "graphs-"));
  try {
    const outfile = join(folder, "random-graph.mjs");
    const source = fileURLToPath(new URL("../test/support/random-graph.ts", import.meta.url));
    await build({ entryPoints: [source], outfile, bundle: true, format: "esm", logLevel: "error" });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** How far the outputs are apart at most, as parts of a number, or of 1 where it is smaller. */
function apart(ours, theirs) {
  let worst = 0;
  for (const [name, { data: expected }] of Object.entries(theirs)) {
    const { data } = ours[name];
    if (data.length !== expected.length) return Number.POSITIVE_INFINITY;
    for (let at = 0; at < data.length; at++) {
      if (Object.is(data[at], expected[at])) continue;
      const distance = Math.abs(data[at] - expected[at]) / Math.max(1, Math.abs(expected[at]));
      worst = Math.max(worst, Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance);
    }
  }
  return worst;
}

const { randomGraph } = await loadGenerator();
let runs = 0;
let largest = 0;
const different = [];
for (let seed = first; seed <= last; seed++) {
  const { bytes, features } = randomGraph(seed);
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const model = loadOnnx(bytes);
  for (const [batch, steps] of SHAPES) {
    const x = Tensor.randn([batch, steps, features], seed);
    const theirs = await session.run({ x: new ort.Tensor("float32", x.data, x.shape) });
    const worst = apart(model.run({ x }), theirs);
    runs++;
    if (worst > 1e-5) different.push(`seed ${seed}, batch ${batch}: ${worst}`);
    else largest = Math.max(largest, worst);
  }
  model.dispose();
  await session.release();
}
console.log(
  `${last - first + 1} graphs, ${runs} runs: ${different.length} differ; the others at most ${largest}`,
);
for (const text of different) console.log(text);
process.exitCode = different.length === 0 ? 0 : 1;
