/**
 * Writes models.json, what the suite's whole models give by onnxruntime-web: `node test/runtimes/make-models.js`, after
 * `npm ci` in bench/ and here.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { fetchModels } from "./models.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "lstm-wasm-models-"));
try {
  const require = createRequire(join(here, "../../bench/package.json"));
  const ort = await import(pathToFileURL(require.resolve("onnxruntime-web")).href);
  ort.env.wasm.numThreads = 1;
  const outfile = join(work, "cases.mjs");
  await build({ entryPoints: [join(here, "entries/model-cases.ts")], outfile, bundle: true, format: "esm" });
  const { MODEL_CASES, SAMPLE_RATE, framesOf } = await import(pathToFileURL(outfile).href);
  const files = fetchModels(work);
  const expected = {};
  for (const model of MODEL_CASES) {
    const session = await ort.InferenceSession.create(readFileSync(files[model.file]));
    const shape = model.file.includes("legacy") ? [2, 1, 64] : [2, 1, 128];
    const size = shape[0] * shape[2];
    const zeros = () => new ort.Tensor("float32", new Float32Array(size), shape);
    let states = Object.fromEntries(Object.keys(model.states).map((input) => [input, zeros()]));
    const sr = new ort.Tensor("int64", BigInt64Array.of(BigInt(SAMPLE_RATE)), []);
    expected[model.name] = [];
    for (const frame of framesOf(model)) {
      const input = new ort.Tensor("float32", frame, [1, frame.length]);
      const outputs = await session.run({ input, sr, ...states });
      expected[model.name].push(outputs.output.data[0]);
      states = Object.fromEntries(
        Object.entries(model.states).map(([into, output]) => [into, outputs[output]]),
      );
    }
  }
  writeFileSync(join(here, "models.json"), `${JSON.stringify(expected, null, 1)}\n`);
} finally {
  rmSync(work, { recursive: true });
}
