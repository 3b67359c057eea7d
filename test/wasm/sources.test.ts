/**
 * The kernels compiled anew from changed copies of assembly/: records that the host does not know are refused, and a new
 * cell or activation is one function and one line in a table.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterEach, expect, it, vi } from "vitest";
import * as LayerRecord from "../../build/records/layer.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const build = process.env.WASM_BUILD!;
const folders: string[] = [];

afterEach(() => {
  vi.doUnmock("../../build/abi.js");
  vi.doUnmock("../../build/models-abi.js");
  vi.resetModules();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** The binary of models that stands beside the project's. */
const models = build === "simd" ? "models" : "models-relaxed";
const coreModule = () => new WebAssembly.Module(readFileSync(join(root, `build/${build}.wasm`)));

/** Compiles a copy of assembly/ in which `change` has changed files; returns where the products are. */
function compile(
  change: (edit: (file: string, from: string, to: string) => void, add: typeof writeFileSync) => void,
  target = build,
) {
  const folder = mkdtempSync(join(tmpdir(), "lstm-wasm-sources-"));
  folders.push(folder);
  cpSync(join(root, "assembly"), join(folder, "assembly"), { recursive: true });
  cpSync(join(root, "asconfig.json"), join(folder, "asconfig.json"));
  const edit = (file: string, from: string, to: string) => {
    const path = join(folder, "assembly", file);
    const text = readFileSync(path, "utf8");
    if (!text.includes(from)) throw new Error(`${file}: expected to find ${from}`);
    writeFileSync(path, text.replace(from, to));
  };
  change(edit, (file, text) => writeFileSync(join(folder, "assembly", file as string), text));
  const out = join(folder, "build");
  const args = ["src/build/wasm.js", "--sources", folder, "--out", out, target];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  // Nothing but what someone has to act on; asc tells of its passes, too.
  expect(stdout + stderr).toBe("");
  return { out, module: new WebAssembly.Module(readFileSync(join(out, `${target}.wasm`))) };
}

it("a binary in which two fields of a record have changed places is refused", async () => {
  const { module } = compile((edit) => {
    edit("records.ts", "  order: usize;", "  swapped: usize;");
    edit("records.ts", "  active: usize;", "  order: usize;");
    edit("records.ts", "  swapped: usize;", "  active: usize;");
  });
  const { init, LSTM, Tensor } = await import("../../src/index.js");
  using lstm = new LSTM({ inputSize: 2, hiddenSize: 3 });
  expect(() => init({ module })).toThrow(
    new TypeError(
      "options.module: expected the binary of this release of lstm-wasm, got a WebAssembly.Module",
    ),
  );
  expect(lstm.forward(Tensor.zeros([1, 2]))[0].shape).toEqual([1, 3]);
});

it("a kernel of more than six parameters does not compile", () => {
  const seven = "export function seven(a: i32, b: i32, c: i32, d: i32, e: i32, f: i32, g: i32): void {}";
  const addKernel = () =>
    compile((edit) => {
      edit("instance.ts", "let scratch", `${seven}\n\nlet scratch`);
      edit("index.ts", "export { configure }", "export { configure, seven }");
    });
  expect(addKernel).toThrow("seven: expected at most 6 parameters, got 7");
});

it("a new cell is one file and one line, a new activation one function and one line", async () => {
  const { out, module } = compile((edit, add) => {
    add(
      "cells/toy.ts",
      `import { callerRow } from "../memory";
import { Layer, Matrix, Run } from "../records";
export const TOY: i32 = 3;
export function updateToy(layer: usize, run: usize, running: i32, gates: usize): void {
  const fields = changetype<Run>(run);
  const gatesRow = changetype<Matrix>(changetype<Layer>(layer).weightHidden).outputRow;
  for (let row = 0; row < running; row++) {
    const gate = gates + callerRow(fields.order, row) * gatesRow;
    v128.store(fields.nextH + <usize>row * fields.hRow, f32x4.add(v128.load(gate), v128.load(fields.sums + <usize>row * gatesRow)));
  }
}
`,
    );
    edit("cells/index.ts", "import { RNN,", 'import { TOY, updateToy } from "./toy";\nimport { RNN,');
    edit(
      "cells/index.ts",
      "  if (kind === RNN)",
      "  if (kind === TOY) updateToy(layer, run, running, gates);\n  if (kind === RNN)",
    );
    edit(
      "activation.ts",
      "/** The table of activations",
      "export const HALF: i32 = 3;\nfunction half4(x: v128): v128 {\n  return f32x4.mul(x, f32x4.splat(0.5));\n}\n\n/** The table of activations",
    );
    edit(
      "activation.ts",
      "  if (activation === TANH)",
      "  if (activation === HALF) return half4(x);\n  if (activation === TANH)",
    );
  });
  vi.resetModules();
  vi.doMock("../../build/abi.js", () => import(pathToFileURL(join(out, "abi.js")).href));
  const { TOY, HALF } = (await import("../../build/abi.js")) as unknown as { TOY: number; HALF: number };
  const { init, RNN, Tensor } = await import("../../src/index.js");
  const { currentRuntime } = await import("../../src/wasm/current.js");
  init({ module });
  const runtime = currentRuntime();

  using rnn = new RNN({ inputSize: 1, hiddenSize: 1 }).loadStateDict({
    weight_ih_l0: { data: [2], shape: [1, 1] },
    weight_hh_l0: { data: [3], shape: [1, 1] },
    bias_ih_l0: { data: [0.25], shape: [1] },
    bias_hh_l0: { data: [0], shape: [1] },
  });
  new Int32Array(runtime.memory.buffer)[rnn.stack.layers[0]!.address / 4 + LayerRecord.kind] = TOY;
  expect(rnn.forward(Tensor.from([[1], [2]]))[0].toArray()).toEqual([[2.25], [2.25 * 3 + 4.25]]);

  const block = runtime.allocate(16);
  runtime.write(block, 0, Float32Array.of(1, -3, 0, 8));
  runtime.kernels.activate(HALF, block.pointer, 4);
  expect(Array.from(runtime.view(block))).toEqual([0.5, -1.5, 0, 4]);
});

it("a binary of models that counts otherwise is refused when it is first asked for", async () => {
  const { module } = compile((edit) => {
    edit("models/unary.ts", "UNARY_RELU: i32 = 0;", "UNARY_RELU: i32 = 99;");
  }, models);
  const { init } = await import("../../src/index.js");
  const { currentRuntime } = await import("../../src/wasm/current.js");
  const { modelKernels } = await import("../../src/wasm/models.js");
  init({ module: coreModule(), models: module });
  expect(() => modelKernels(currentRuntime())).toThrow(
    new TypeError(
      "options.models: expected the binary of this release of lstm-wasm, got a WebAssembly.Module",
    ),
  );
});

it("a kernel of models calls the core's by import", async () => {
  const { out, module } = compile((edit, add) => {
    edit(
      "core.ts",
      "export declare function matmul",
      "export declare function clearFloats(target: usize, count: i32): void;\n\nexport declare function matmul",
    );
    const source = `import { clearFloats } from "../core";
export function clearTwo(one: usize, other: usize, count: i32): void {
  clearFloats(one, count);
  clearFloats(other, count);
}
`;
    add("models/clear-two.ts", source);
    edit("models/index.ts", "export { unary }", 'export { clearTwo } from "./clear-two";\nexport { unary }');
  }, models);
  expect(WebAssembly.Module.imports(module)).toContainEqual({
    ...{ module: "core", name: "clearFloats", kind: "function" },
  });
  vi.resetModules();
  vi.doMock("../../build/models-abi.js", () => import(pathToFileURL(join(out, "models-abi.js")).href));
  const { init } = await import("../../src/index.js");
  const { currentRuntime } = await import("../../src/wasm/current.js");
  const { modelKernels } = await import("../../src/wasm/models.js");
  init({ module: coreModule(), models: module });
  const runtime = currentRuntime();
  const block = runtime.allocate(32);
  runtime.write(block, 0, new Float32Array(8).fill(5));
  const kernels = modelKernels(runtime) as unknown as Record<string, (...numbers: number[]) => void>;
  kernels.clearTwo!(block.pointer, block.pointer + 16, 3);
  expect(Array.from(runtime.view(block))).toEqual([0, 0, 0, 5, 0, 0, 0, 5]);
});
