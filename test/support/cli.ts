/**
 * The command as it is built: dist/cli.js, in a process of its own as a user starts it, or in a thread that this one
 * waits for. A process takes five times as long to start as the command runs. `npm test` builds it first.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { afterAll, expect } from "vitest";
import { writeSafetensors } from "../../src/formats/index.js";
import { Embedding, Linear, LSTM, type Tensor, type TensorData } from "../../src/index.js";

export const COMMAND = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
export const FILES = fileURLToPath(new URL("../formats/files/", import.meta.url));
export const folder = mkdtempSync(join(tmpdir(), "lstm-wasm-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

const { port1: port, port2 } = new MessageChannel();
const signal = new Int32Array(new SharedArrayBuffer(4));
let thread: Worker | undefined;
afterAll(() => void thread?.terminate());

/** Milliseconds after which a call in the thread hangs. */
const MOST = 120_000;

/** Runs a JavaScript file in the thread, with these arguments. */
export function runInThread(path: string, args: readonly string[] = []): Ended {
  thread ??= new Worker(new URL("./command-thread.js", import.meta.url), {
    workerData: { port: port2, signal },
    transferList: [port2],
  });
  Atomics.store(signal, 0, 0);
  port.postMessage({ url: pathToFileURL(path).href, args });
  if (Atomics.wait(signal, 0, 0, MOST) === "timed-out") throw new Error(`${args.join(" ")}: no end`);
  return receiveMessageOnPort(port)!.message as Ended;
}

/** The command in the thread. */
export const command = (...args: string[]): Ended => runInThread(COMMAND, args);

/** The command in a process of its own. */
export function commandProcess(...args: string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], { encoding: "utf8" });
  return { code: status, out: stdout, error: stderr };
}

/** Arguments of Node that start the command after a script, which may replace functions of `fs`. */
export function nodeArguments(script: string): string[] {
  const lines = ['const fs = require("node:fs");', script, 'require("node:module").syncBuiltinESMExports();'];
  return ["--require", write(`before-${scripts++}.cjs`, lines.join("\n")), COMMAND];
}
let scripts = 0;

/** The command after a script. */
export function commandAfter(script: string, ...args: string[]): Ended {
  const all = [...nodeArguments(script), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { encoding: "utf8" });
  return { code: status, out: stdout, error: stderr };
}

export function write(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

interface ArrayLike {
  readonly data: Float32Array | Float64Array | Uint8Array;
  readonly shape: readonly number[];
}

/** An .npy file as NumPy writes it. */
export function npy({ data, shape }: ArrayLike, descr = "<f4", order = "False", version = 1): Uint8Array {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const start = version === 1 ? 10 : 12;
  const text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${tuple}), }`;
  const header = `${text.padEnd(128 - start - 1)}\n`;
  const size = version === 1 ? [header.length, 0] : [header.length, 0, 0, 0];
  return Buffer.concat([
    Buffer.from([0x93, ...Buffer.from("NUMPY"), version, 0, ...size]),
    Buffer.from(header),
    Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  ]);
}

/** The array in an .npy file of float32. */
export function readNpy(path: string): { shape: number[]; data: Float32Array } {
  const bytes = new Uint8Array(readFileSync(path));
  const start = 10 + bytes[8]! + 256 * bytes[9]!;
  const header = Buffer.from(bytes.subarray(10, start)).toString();
  expect(start % 64).toBe(0);
  expect(header).toMatch(/^\{'descr': '<f4', 'fortran_order': False, 'shape': \([\d, ]*\), \} *\n$/);
  const shape = [...header.slice(header.indexOf("(")).matchAll(/\d+/g)].map(Number);
  return { shape, data: new Float32Array(bytes.slice(start).buffer) };
}

/** The largest difference of two results of one shape. */
export function apart(actual: { shape: readonly number[]; data: Float32Array }, expected: Tensor): number {
  expect(actual.shape).toEqual(expected.shape);
  return actual.data.reduce((most, value, at) => Math.max(most, Math.abs(value - expected.data[at]!)), 0);
}

/** The builds may round differently: dist/ takes the fused one where the engine has it. */
export const CLOSE = 1e-5;

export const net = {
  embedding: new Embedding({ numEmbeddings: 5, embeddingDim: 4 }),
  lstm: new LSTM({ inputSize: 4, hiddenSize: 9, numLayers: 2 }),
  head: new Linear({ inFeatures: 9, outFeatures: 2 }),
};
export const netFile = write(
  "net.safetensors",
  writeSafetensors(
    new Map(
      Object.entries(net).flatMap(([part, module]) =>
        [...module.stateDict()].map(([name, tensor]): [string, Tensor<TensorData>] => [
          `${part}.${name}`,
          tensor,
        ]),
      ),
    ),
  ),
);
