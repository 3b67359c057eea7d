/** Every error that the library throws has a documented code. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { FormatError, readNam, readSafetensors } from "../../src/formats/index.js";
import { type ErrorCode, LSTM, Tensor } from "../../src/index.js";

const source = fileURLToPath(new URL("../../src/", import.meta.url));

function codeOf(call: () => unknown): { class: string; code: unknown } {
  try {
    call();
  } catch (error) {
    return { class: (error as Error).constructor.name, code: (error as { code?: unknown }).code };
  }
  throw new Error("expected an error");
}

const lstm = new LSTM({ inputSize: 2, hiddenSize: 3 });
const disposed = new LSTM({ inputSize: 2, hiddenSize: 3 });
disposed.dispose();
const input = Tensor.zeros([4, 1, 2]);

it.each<[ErrorCode, string, () => unknown]>([
  ["LSTM_WASM_TYPE", "TypeError", () => lstm.forward("x" as never)],
  ["LSTM_WASM_TYPE", "TypeError", () => new LSTM({ inputSize: 2, hiddenSize: 3, layers: 2 } as never)],
  ["LSTM_WASM_RANGE", "RangeError", () => new LSTM({ inputSize: 2, hiddenSize: 0 })],
  ["LSTM_WASM_SHAPE", "RangeError", () => lstm.forward(Tensor.zeros([4, 1, 3]))],
  ["LSTM_WASM_SHAPE", "RangeError", () => lstm.loadStateDict(new Map())],
  ["LSTM_WASM_SHAPE", "RangeError", () => lstm.forward(input, undefined, { lengths: [1, 2] })],
  ["LSTM_WASM_FORMAT", "FormatError", () => readSafetensors(new Uint8Array(3))],
  ["LSTM_WASM_UNSUPPORTED", "FormatError", () => readNam({ version: "0.5.4", architecture: "WaveNet" })],
  [
    "LSTM_WASM_UNSUPPORTED",
    "RangeError",
    () => new LSTM({ inputSize: 2, hiddenSize: 3, bidirectional: true }).stream(),
  ],
  ["LSTM_WASM_DISPOSED", "Error", () => disposed.forward(input)],
  ["LSTM_WASM_MEMORY", "RangeError", () => new LSTM({ inputSize: 2 ** 20, hiddenSize: 2 ** 20 })],
  ["LSTM_WASM_MEMORY", "RangeError", () => Tensor.zeros([2 ** 50])],
])("%s of a %s", (code, name, call) => {
  expect(codeOf(call)).toEqual({ class: name, code });
});

it("makes no error without a code", () => {
  const bare = readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !/^cli\b/.test(file))
    .flatMap((file) =>
      Array.from(
        readFileSync(`${source}${file}`, "utf8").matchAll(
          /(?<!coded\(\s*(?:"[A-Z]+"|kind),\s*)new (\w*Error)\(/g,
        ),
        (match) => `${file}: ${match[1]}`,
      ),
    )
    .filter((place) => !place.endsWith(": FormatError"));
  // Nothing calls the kernels' TextDecoder.
  expect(bare).toEqual(["bundle/text-decoder.ts: Error"]);
  expect(new FormatError("x").code).toBe("LSTM_WASM_FORMAT");
});
