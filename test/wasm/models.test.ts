/** The second binary: on the first one's memory, it changes nothing of it, and calls its kernels. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import {
  UNARY_ABS,
  UNARY_EXP,
  UNARY_LINEAR,
  UNARY_NEG,
  UNARY_RELU,
  UNARY_ROUND,
  UNARY_SIGMOID,
  UNARY_SQRT,
  UNARY_TANH,
} from "../../build/models-abi.js";
import { LSTM, Tensor } from "../../src/index.js";
import { currentRuntime } from "../../src/wasm/current.js";
import { modelKernels } from "../../src/wasm/models.js";
import { debugBuild } from "../support/debug-build.js";
import { dataSegments } from "../support/wasm-sections.js";

const fileOf = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../build/${name}.wasm`, import.meta.url)));
const MODELS: Record<string, string> = {
  simd: "models",
  "relaxed-simd": "models-relaxed",
  debug: "models-debug",
};
const name = process.env.WASM_FILE!;

beforeAll(() => void [debugBuild(), debugBuild("models-debug")]);

it.each(Object.entries(MODELS))(
  "has its constants from 1024 on, below the core's: %s, %s",
  (name, models) => {
    const core = dataSegments(fileOf(name));
    const own = dataSegments(fileOf(models));
    expect(core.length).toBeGreaterThan(0);
    expect(own.length).toBeGreaterThan(0);
    expect(Math.min(...own.map(({ from }) => from))).toBeGreaterThanOrEqual(1024);
    expect(Math.max(...own.map(({ to }) => to))).toBeLessThanOrEqual(
      Math.min(...core.map(({ from }) => from)),
    );
  },
);

const disassemble = (target: string) =>
  execFileSync("node_modules/binaryen/bin/wasm-dis", [`build/${target}.wasm`], { encoding: "utf8" });

it.each(["models", "models-relaxed"])("has a loop for each function of one number: %s", (target) => {
  const text = disassemble(target);
  const name = /\(export "unary" \(func (\S+?)\)/.exec(text)![1]!;
  const body = text.split(/^ \(func /m).find((part) => part.startsWith(`${name} `))!;
  expect(body.match(/\(loop /g)!.length).toBeGreaterThan(UNARY_ROUND);
});

it("has no heap: it neither makes memory larger nor brings AssemblyScript's runtime", () => {
  expect(disassemble(name)).toContain("memory.grow");
  expect(disassemble(MODELS[name]!)).not.toContain("memory.grow");
});

it("leaves an LSTM's bits as they are without it", () => {
  const runtime = currentRuntime();
  using lstm = new LSTM({ inputSize: 7, hiddenSize: 19, numLayers: 2 });
  const input = Tensor.randn([11, 7], 1);
  const before = lstm.forward(input)[0].data.slice();
  const bytesOf = () => new Uint8Array(runtime.memory.buffer).slice(dataSegments(fileOf(name))[0]!.from);
  const memory = bytesOf();
  modelKernels(runtime);
  expect(bytesOf()).toEqual(memory);
  expect(lstm.forward(input)[0].data).toEqual(before);
});

it("is one instance for a runtime, on its memory", () => {
  const runtime = currentRuntime();
  const kernels = modelKernels(runtime);
  expect(modelKernels(runtime)).toBe(kernels);
  expect((kernels as unknown as { memory: WebAssembly.Memory }).memory).toBe(runtime.memory);
});

it.each([
  [UNARY_RELU, (x: number) => Math.max(x, 0)],
  [UNARY_SIGMOID, (x: number) => 1 / (1 + Math.exp(-x))],
  [UNARY_TANH, Math.tanh],
  [UNARY_EXP, Math.exp],
  [UNARY_NEG, (x: number) => -x],
  [UNARY_ABS, Math.abs],
  [UNARY_SQRT, Math.sqrt],
  [UNARY_LINEAR, (x: number) => 3 * x - 2],
])("computes unary %i of any count, and writes nothing past it", (kind, expected) => {
  const runtime = currentRuntime();
  const kernels = modelKernels(runtime);
  const input = Tensor.randn([9], 2).data;
  const block = runtime.allocate(4 * 18);
  for (let count = 0; count <= 9; count++) {
    runtime.write(block, 0, input);
    runtime.write(block, 36, new Float32Array(9).fill(77));
    kernels.unary(kind, block.pointer, block.pointer + 36, count, 3, -2);
    const output = runtime.view(block).subarray(9, 18);
    input.forEach((x, at) => {
      if (at >= count) expect(output[at]).toBe(77);
      else if (Number.isNaN(expected(x))) expect(output[at]).toBeNaN();
      else
        expect(Math.abs(output[at]! - expected(x))).toBeLessThan(1e-6 * Math.max(1, Math.abs(expected(x))));
    });
  }
  runtime.free(block);
});
