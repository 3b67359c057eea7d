/** `lstm-wasm/threads` as it is packed: its worker, its binaries, and the bundle of platforms without threads. Needs `npm run build`. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, it } from "vitest";

const root = new URL("../../", import.meta.url);
const dist = new URL("dist/", root);
const read = (file: string) => readFileSync(new URL(file, dist));
const url = (file: string) => JSON.stringify(new URL(file, dist).href);

/** What a program of its own prints. */
function run(program: string): string {
  const argv = ["--input-type=module", "--eval", program];
  return execFileSync(process.execPath, argv, { cwd: fileURLToPath(root), encoding: "utf8" });
}

/** A module's outputs on one thread and on two, as text. */
const SAME_BITS = `
  const { LSTM, Tensor, memoryUsage } = await import(${url("index.js")});
  const input = Tensor.randn([30, 40], 1);
  const options = { inputSize: 40, hiddenSize: 128 };
  const one = new LSTM(options);
  const two = new LSTM(options);
  const both = (threaded) => [one, threaded.loadStateDict(one.stateDict())].map((lstm) => lstm.forward(input)[0].data.join());
  const isSame = (threaded) => { const [a, b] = both(threaded); return a === b; };`;

it("runs from the package, ends, and leaves no process alive", () => {
  const output = run(`
    ${SAME_BITS}
    const { endThreads, initThreads } = await import(${url("threads/index.js")});
    console.log(JSON.stringify(await initThreads({ threads: 2 })));
    const threaded = new LSTM(options);
    console.log(isSame(threaded));
    await endThreads();
    console.log(isSame(threaded));
    console.log(JSON.stringify(await initThreads({ threads: 3 })));`);
  expect(output).toBe('{"threads":2}\ntrue\ntrue\n{"threads":3}\n');
});

it.each(["lstm-shared", "lstm-shared-relaxed"])("takes %s.wasm as options.module", (name) => {
  const module = WebAssembly.validate(read(`${name}.wasm`)) ? name : "lstm-shared";
  const output = run(`
    import { readFile } from "node:fs/promises";
    ${SAME_BITS}
    const { initThreads } = await import(${url("threads/index.js")});
    const { init } = await import(${url("index.js")});
    const compile = async (path) => WebAssembly.compile(await readFile(new URL(import.meta.resolve(path))));
    init({ module: await compile("lstm-wasm/${module.replace("-shared", "")}.wasm") });
    const one128 = new LSTM(options);
    const module = await compile("lstm-wasm/${module}.wasm");
    console.log(JSON.stringify(await initThreads({ threads: 2, module })));
    const threaded = new LSTM(options).loadStateDict(one128.stateDict());
    console.log([one128, threaded].map((lstm) => lstm.forward(input)[0].data.join()).every((text, at, all) => text === all[0]));`);
  expect(output).toBe('{"threads":2}\ntrue\n');
});

it("refuses a module for a memory of its own, by name", () => {
  const output = run(`
    import { readFile } from "node:fs/promises";
    const { initThreads } = await import(${url("threads/index.js")});
    const file = await readFile(new URL(import.meta.resolve("lstm-wasm/lstm.wasm")));
    const module = await WebAssembly.compile(file);
    await initThreads({ threads: 2, module }).catch(({ name, message }) => console.log(name, message));`);
  expect(output).toMatch(/^TypeError options\.module: expected the binary of this release of lstm-wasm/);
});

it("has the worker's script that the bundle has, for pages that forbid blobs", () => {
  const script = read("threads/worker.js")
    .toString()
    .replace(/^\/\*.*\*\/\n/, "");
  // As it is: a template, in the bundle with another part of it by name.
  const body = script.slice(script.indexOf("(({") + 1, script.lastIndexOf("})(data)") + 1);
  expect(body.length).toBeGreaterThan(400);
  expect(read("threads/index.js").toString()).toContain(body);
  // No module: a classic worker runs it.
  expect(() => new Function(script)).not.toThrow();
  const resolved = run('console.log(import.meta.resolve("lstm-wasm/threads/worker.js"));');
  expect(resolved.trim()).toBe(new URL("threads/worker.js", dist).href);
});

it("runs the script that the package exports as a worker's", () => {
  // A browser's two names, on a worker of Node that evaluates the file.
  const output = run(`
    import { readFileSync } from "node:fs";
    import { Worker as Thread } from "node:worker_threads";
    const script = readFileSync(new URL(import.meta.resolve("lstm-wasm/threads/worker.js")), "utf8");
    const glue = "let onmessage; process.getBuiltinModule('node:worker_threads').parentPort.once('message', (data) => onmessage({ data }));";
    const given = [];
    globalThis.Worker = class extends Thread {
      constructor(path) { super(glue + script, { eval: true }); given.push(String(path)); this.unref(); }
    };
    globalThis.process = undefined;
    ${SAME_BITS}
    const { initThreads } = await import(${url("threads/index.js")});
    console.log(JSON.stringify(await initThreads({ threads: 2, worker: new URL("https://a.test/worker.js") })));
    console.log(isSame(new LSTM(options)), given.join());`);
  expect(output).toBe('{"threads":2}\ntrue https://a.test/worker.js\n');
});

it.each([
  [
    "AudioWorklets and service workers",
    "delete globalThis.process; delete globalThis.Worker;",
    "this scope has no Worker: call initThreads on a page or in a worker",
  ],
  [
    "pages that are not isolated",
    "globalThis.process = undefined; globalThis.Worker = class {}; globalThis.crossOriginIsolated = false;",
    "this page is not cross-origin isolated: serve it with Cross-Origin-Opener-Policy: same-origin and " +
      "Cross-Origin-Embedder-Policy: require-corp",
  ],
  [
    "engines without shared memory",
    "globalThis.process = undefined; globalThis.Worker = class {}; delete globalThis.SharedArrayBuffer;",
    "this engine has no SharedArrayBuffer, which threads share their memory by: take a newer one",
  ],
  [
    "old releases of Node.js",
    "process.getBuiltinModule = undefined;",
    "this Node.js has no process.getBuiltinModule: take 20.16, 22.3 or a later one",
  ],
])("gives one thread and the reason in %s", (_, change, reason) => {
  const output = run(`
    const print = console.log;
    const { initThreads } = await import(${url("threads/index.js")});
    ${SAME_BITS}
    ${change}
    print(JSON.stringify(await initThreads({ threads: 2 })), isSame(new LSTM(options)));`);
  expect(output).toBe(`${JSON.stringify({ threads: 1, reason })} true\n`);
});

it("gives one thread and the reason on edge platforms, whose bundle has no binary of threads", async () => {
  const imported = {
    name: "imported-modules",
    setup({ onLoad, onResolve }: Parameters<import("esbuild").Plugin["setup"]>[0]) {
      onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({ path, namespace: "wasm" }));
      onLoad({ filter: /./, namespace: "wasm" }, () => ({ contents: "export default {};" }));
    },
  };
  const contents = `
    import { initThreads } from "./threads/edge.js";
    console.log(JSON.stringify(await initThreads({ threads: 2 })));`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(dist) },
    plugins: [imported],
    ...{ bundle: true, format: "esm", write: false },
  });
  const code = outputFiles[0]!.text;
  expect(code).not.toMatch(/LSTM_WASM_[A-Z]/);
  const reason = "this platform has no threads";
  expect(run(code)).toBe(`${JSON.stringify({ threads: 1, reason })}\n`);
});
