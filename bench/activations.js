/**
 * How long each activation of the general cell takes, beside tanh there: `node bench/activations.js`, after
 * `npm run build`, prints a table, and with `--write` writes it to activations.md. Node 20 needs
 * `--experimental-wasm-relaxed-simd`. The kernel alone runs, over floats that lie in L1.
 */
import { readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { build } from "esbuild";
import { ACTIVATION_BYTES } from "../build/abi.js";

const [COUNT, CALLS, ROUNDS] = [1024, 400, 61];
/** tanh of tanh's own base. */
const NAMES = [
  ...[
    "tanh",
    "sigmoid",
    "relu",
    "linear",
    "softsign",
    "softplus",
    "elu",
    "selu",
    "celu",
    "exponential",
    "gelu",
  ],
  ...["silu", "mish", "leakyRelu", "relu6", "hardSilu", "logSigmoid", "squareplus", "hardTanh", "tanhShrink"],
  ...["softShrink", "hardShrink", "thresholdedRelu", "scaledTanh", "affine"],
  { name: "hardSigmoid", alpha: 0.2, beta: 0.5 },
];

const { outputFiles } = await build({
  stdin: {
    contents: 'export { writeActivation } from "./src/nn/activations.ts"',
    resolveDir: new URL("..", import.meta.url).pathname,
  },
  bundle: true,
  format: "esm",
  write: false,
});
const source = Buffer.from(outputFiles[0].contents).toString("base64");
const { writeActivation } = await import(`data:text/javascript;base64,${source}`);

/** Nanoseconds for four floats, by activation: the least of ROUNDS, taken in turns. */
async function measure(binary) {
  const compiled = await WebAssembly.compile(
    readFileSync(new URL(`../dist/${binary}.wasm`, import.meta.url)),
  );
  const memory = new WebAssembly.Memory({ initial: 16 });
  const { exports } = await WebAssembly.instantiate(compiled, { env: { memory, abort() {} } });
  // Behind whatever the module itself keeps.
  const at = memory.buffer.byteLength;
  memory.grow(1);
  const data = at + ACTIVATION_BYTES + 16 - (ACTIVATION_BYTES % 16);
  const words = new Int32Array(memory.buffer);
  const floats = new Float32Array(memory.buffer);
  const values = Float32Array.from({ length: COUNT }, (_, place) => Math.sin(place) * 3);
  const least = NAMES.map(() => Number.POSITIVE_INFINITY);
  let copying = Number.POSITIVE_INFINITY;
  const timed = (call) => {
    const begin = process.hrtime.bigint();
    for (let turn = 0; turn < CALLS; turn++) {
      // The kernel works in place: what it makes again and again may become subnormal, and slow.
      floats.set(values, data / 4);
      call?.();
    }
    return Number(process.hrtime.bigint() - begin) / (CALLS * (COUNT / 4));
  };
  for (let round = 0; round < ROUNDS; round++) {
    copying = Math.min(copying, timed());
    for (const [index, activation] of NAMES.entries()) {
      writeActivation(words, floats, at / 4, activation);
      least[index] = Math.min(
        least[index],
        timed(() => exports.shape(at, data, COUNT)),
      );
    }
  }
  return least.map((time) => time - copying);
}

const [simd, relaxed] = [await measure("simd"), await measure("relaxed-simd")];
const rows = NAMES.map((activation, index) => {
  const cells = [simd, relaxed].map(
    (times) => `${times[index].toFixed(1)} ns, ${(times[index] / times[0]).toFixed(2)}x`,
  );
  return `| ${activation.name ?? activation} | ${cells.join(" | ")} |`;
});
const most = Math.max(...[simd, relaxed].map((times) => Math.max(...times) / times[0]));
const table = `# Activations of the general cell

<!-- Written by node bench/activations.js --write. -->

What four units take, and how many times tanh that is: at most ${most.toFixed(1)}. The kernel alone runs, over 1,024 floats from
-3 to 3. The least of ${ROUNDS} rounds on ${os.cpus()[0].model}, Node ${process.version}.

| Activation | simd | relaxed-simd |
| --- | --- | --- |
${rows.join("\n")}
`;
if (process.argv.includes("--write")) writeFileSync(new URL("activations.md", import.meta.url), table);
else process.stdout.write(table);
