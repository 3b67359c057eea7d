/** The declarations as a user's compiler sees them: every option of strictness on, no skipLibCheck. Needs `npm run build`. */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { root, SNIPPETS } from "../support/pages.js";

// Inside the package, so that "lstm-wasm" resolves to its own dist/.
const folder = new URL("build/types/", root);
const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");

/** Where a variable may be undefined, and what is returned goes in again; the wrong uses must not compile. */
const CALLS = `
import { Embedding, GRU, init, LSTM, type LSTMOptions, type LSTMState, type Precision, RNN, Tensor } from "lstm-wasm";

declare const maybe: { lengths?: number[] | undefined; flag?: boolean | undefined; size?: number | undefined };
const precision: Precision = "float32";
const options: LSTMOptions = { inputSize: 6, hiddenSize: 3, batchFirst: maybe.flag, projSize: maybe.size, precision };
using lstm = new LSTM(options);
let state: LSTMState | undefined;
let output: Tensor;
[output, state] = lstm.forward({ data: [1, 2, 3, 4, 5, 6], dims: [1, 6] }, state);
[output, state] = lstm.forward({ data: new Float64Array(6), shape: [1, 6] }, state, { lengths: maybe.lengths });
[output] = lstm.forward(output, [...state], { lengths: new Int32Array(1) });
using stream = lstm.stream({ batchSize: maybe.size });
stream.state = stream.state;
stream.clone().state = [output, output];
const gates: readonly number[] = lstm.trace(output).layers[0]!.f.shape;
lstm.loadStateDict(lstm.stateDict()).loadStateDict(Object.fromEntries(lstm.stateDict()), { strict: maybe.flag });
const hidden: Tensor = GRU.fromStateDict({ weight_ih_l0: { data: [1], dims: [1, 1] } }).forward(output)[1];
new Embedding({ numEmbeddings: 4, embeddingDim: 2 }).forward([[1, 2], [3, 0]]);
init({ deterministic: maybe.flag });
export { gates, hidden };

// @ts-expect-error a misspelt option
new LSTM({ inputSize: 6, hiddenSise: 3 });
// @ts-expect-error the LSTM's projection
new GRU({ inputSize: 6, hiddenSize: 3, projSize: 2 });
// @ts-expect-error a nonlinearity that does not exist
new RNN({ inputSize: 6, hiddenSize: 3, nonlinearity: "gelu" });
// @ts-expect-error one state where two are wanted
lstm.forward(output, output);
// @ts-expect-error a tensor without its shape
lstm.forward(new Float32Array(6));
// @ts-expect-error only LSTMs have gates to show
new RNN({ inputSize: 6, hiddenSize: 3 }).trace(output);
// @ts-expect-error shapes are fixed
output.shape = [1];
`;

function compile(
  name: string,
  files: readonly string[],
  types: readonly string[],
  lib: readonly string[],
): string {
  const config = new URL(`${name}.json`, folder);
  const compilerOptions = {
    ...{
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
    },
    ...{ noEmit: true, target: "es2022", module: "nodenext", types, lib },
  };
  writeFileSync(config, JSON.stringify({ compilerOptions, files }));
  const { stdout } = spawnSync(process.execPath, [compiler, "-p", fileURLToPath(config)], {
    encoding: "utf8",
  });
  return stdout;
}

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL("calls.ts", folder), CALLS);
  for (const [at, { code }] of SNIPPETS.entries()) writeFileSync(new URL(`snippet-${at}.ts`, folder), code);
});
afterAll(() => rmSync(folder, { recursive: true }));

it("take the snippets of README.md and docs/ as they stand", () => {
  const files = SNIPPETS.map((_, at) => `snippet-${at}.ts`);
  expect(files.length).toBeGreaterThan(2);
  expect(compile("snippets", files, ["node"], ["es2022", "dom"])).toBe("");
});

it("need no library beyond ES2022 and the DOM, not even for Symbol.dispose", () => {
  expect(compile("page", ["snippet-0.ts"], [], ["es2022", "dom"])).toBe("");
});

it("need no DOM where Node's types are there", () => {
  expect(compile("node", ["snippet-0.ts"], ["node"], ["es2022"])).toBe("");
});

it("let pass what is right and nothing else", () => {
  expect(compile("calls", ["calls.ts"], [], ["es2022", "dom", "esnext.disposable"])).toBe("");
});
