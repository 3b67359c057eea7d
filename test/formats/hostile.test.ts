import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { listOnnxNodes } from "../../src/formats/index.js";
import { HOSTILE } from "../support/hostile/index.js";
import { READERS } from "../support/hostile/readers.js";
import * as onnx from "../support/onnx-writer.js";
import { processorTime } from "../support/processor-time.js";

/** Whether the reader throws a FormatError; any other error is passed on. */
function refuses(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): boolean {
  try {
    read(bytes);
    return false;
  } catch (error) {
    if (error instanceof FormatError) return true;
    throw error;
  }
}

function brokenList(nodes: number): Uint8Array {
  const numbers = new Uint8Array(1e6);
  const list = onnx.lengthDelimited(7, numbers);
  return onnx.model({
    initializers: [onnx.tensor("w", { type: 7, dims: [], more: list })],
    nodes: Array.from({ length: nodes }, () => onnx.node("LSTM", ["x", "w", "r"], [])),
  });
}

function longSlices(nodes: number): Uint8Array {
  const starts = onnx.tensor("s", { type: 7, dims: [1e6], raw: new BigInt64Array(1e6) });
  return onnx.model({
    initializers: [starts, onnx.floats("w", [1], [1])],
    nodes: Array.from({ length: nodes }, (_, at) => [
      onnx.node("Slice", ["w", "s", "s"], [`v${at}`]),
      onnx.node("LSTM", ["x", `v${at}`, "r"], []),
    ]).flat(),
  });
}

describe("hostile files", () => {
  it.each(HOSTILE.map((file) => [file.reader, file.name, file] as const))(
    "%s refuses %s",
    (_, __, { reader, make, message }) => {
      const bytes = make();
      let error: unknown;
      try {
        READERS[reader](bytes);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(FormatError);
      expect((error as Error).message).toContain(message);
    },
  );

  it("have names of their own", () => {
    const names = HOSTILE.map(({ reader, name }) => `${reader} ${name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  const file = (name: string) => readFileSync(new URL(`files/${name}`, import.meta.url));

  it.each(["zip.pt", "deflated.pt", "script.pt", "legacy.pt", "legacy-protocol-4.pt"])(
    "no beginning of %s reads as a state dict",
    (name) => {
      const whole = file(`torch/${name}`);
      const passed: number[] = [];
      for (let length = 0; length < whole.length; length++) {
        if (!refuses(READERS.readTorch, whole.subarray(0, length))) passed.push(length);
      }
      expect(passed).toEqual([]);
    },
  );

  it.each(["lstm.onnx", "branch.onnx"])("a beginning of %s is refused, or is whole", (name) => {
    const whole = file(`onnx/${name}`);
    const passed: Uint8Array[] = [];
    for (let length = 0; length < whole.length; length++) {
      const beginning = whole.subarray(0, length);
      if (!refuses(READERS.readOnnx, beginning)) passed.push(beginning);
    }
    // The opset comes after the graph. A file that is cut there still has the whole graph.
    expect(passed.length).toBeLessThan(40);
    for (const beginning of passed) expect(READERS.readOnnx(beginning)).toEqual(READERS.readOnnx(whole));
  });

  it.each<[string, (nodes: number) => Uint8Array, string]>([
    ["a broken list of a million numbers", brokenList, "dims are of 1 numbers, got a list of 1000000"],
    ["slices by a list of a million starts", longSlices, "starts: 1000000 numbers"],
  ])("listOnnxNodes finds %s in a thousand nodes without reading it a thousand times", (_, make, message) => {
    const bytes = make(1000);
    let problems: (string | undefined)[] = [];
    const time = processorTime(1000, () => {
      problems = listOnnxNodes(bytes).map(({ problem }) => problem);
    });
    expect(problems).toHaveLength(1000);
    expect(problems.at(-1)).toContain(message);
    expect(time).toBeLessThan(1000);
  });
});
