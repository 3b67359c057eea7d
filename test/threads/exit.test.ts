/** Programs with threads end when they would without: by themselves, by an error, by process.exit, whatever workers do. */
import { execFile } from "node:child_process";
import { describe, expect, it } from "vitest";

const FLAGS = ["--input-type=module", "--eval"];
const BEGIN = `
  import { LSTM, Tensor } from "lstm-wasm";
  import { endThreads, initThreads } from "lstm-wasm/threads";
  const { threads } = await initThreads({ threads: 3 });
  const lstm = new LSTM({ inputSize: 16, hiddenSize: 256 });
  const input = Tensor.randn([100, 16], 1);
  lstm.forward(input);
  console.log(threads);`;

/** What the program prints, and its exit code; killed after a minute. */
function run(program: string, flags = FLAGS): Promise<{ code: unknown; out: string; error: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...flags, BEGIN + program],
      { timeout: 60_000 },
      (error, out, errors) =>
        resolve({ code: error === null ? 0 : (error.code ?? error.signal), out, error: errors }),
    );
    child.stdin?.end();
  });
}

describe("a program", () => {
  it.each([
    ["that is over ends, with workers that were never ended", "", 0, "3\n"],
    ["goes on after endThreads", "await endThreads(); console.log('ended');", 0, "3\nended\n"],
    [
      "goes on after a second endThreads",
      "await endThreads(); await endThreads(); console.log('ended');",
      0,
      "3\nended\n",
    ],
    ["ends while threads end", "endThreads();", 0, "3\n"],
    [
      "ends with process.exit while workers are in wasm",
      "setImmediate(() => { for (let turn = 0; turn < 20; turn++) lstm.forward(input); process.exit(7); });",
      7,
      "3\n",
    ],
    ["ends with process.exit while workers start", "initThreads({ threads: 8 }); process.exit(5);", 5, "3\n"],
    ["ends with the code of an error", "lstm.forward(input); throw new Error('as a test has it');", 1, "3\n"],
    [
      "ends with the code of an error that nobody awaits",
      "Promise.reject(new Error('as a test has it')); await new Promise((resolve) => setTimeout(resolve, 1e4));",
      1,
      "3\n",
    ],
    ["ends with process.exitCode", "process.exitCode = 3;", 3, "3\n"],
  ])("%s", async (_, program, code, out) => {
    const result = await run(program);
    expect(result).toMatchObject({ code, out });
    if (code !== 1) expect(result.error).toBe("");
    else expect(result.error).toContain("as a test has it");
  });
});
