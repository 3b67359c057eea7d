/** Runs what `inspect --code` writes: a layer's code in the thread of the command, a whole model's in a process. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect } from "vitest";
import type { Tensor } from "../../src/index.js";
import { command, folder, runInThread, write } from "./cli.js";

const REPORTED = join(folder, "report.json");
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

beforeAll(() => {
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(ROOT, join(folder, "node_modules/lstm-wasm"));
});

export interface Result {
  readonly prefix: string;
  readonly state: Record<string, { shape: number[]; data: number[] }>;
  readonly output: { shape: number[]; data: number[] };
}

/** Reports of a module's layers what they hold and give; numbers that JSON lacks are not among them. */
const REPORT = `
const numbersOf = ({ shape, data }) => ({ shape, data: Array.from(data, Number) });
const reportOf = (layer, output, prefix) => ({
  prefix,
  output: numbersOf(output),
  state: Object.fromEntries([...layer.stateDict()].map(([name, tensor]) => [name, numbersOf(tensor)])),
});
`;

/**
 * Runs the module that inspect writes for a file.
 * @param given inputs in place of the zeros, by the layer's variable
 */
export function run(
  path: string,
  args: readonly string[] = [],
  given: Readonly<Record<string, Tensor | number[]>> = {},
): { code: string; results: Record<string, Result>; shown: string } {
  const { code: exit, out: code, error } = command("inspect", path, "--code", ...args);
  expect([path, exit, error]).toEqual([path, 0, ""]);
  const made = [
    ...code.matchAll(/^const (\w+) = \w+\.fromStateDict\(.*?(?:prefix: ("(?:[^"\\]|\\.)*").*)?\);$/gm),
  ];
  const inputs = Object.entries(given).map(([name, value]) => {
    const text = Array.isArray(value)
      ? JSON.stringify(value)
      : `new Tensor(Float32Array.of(${value.data}), [${value.shape}])`;
    return `${JSON.stringify(name)}: () => ${text}`;
  });
  const fed = code
    .replace(/(\w+)\.forward\((Tensor\.zeros\(\[[^\]]*\]\)|\[0\])/g, "$1.forward(given.$1?.() ?? $2")
    .replace(/const x = (.*?);/, "const x = given.x?.() ?? $1;");
  const amp = code.includes("const output =");
  const reports = made.map(
    ([, name, prefix = '""']) =>
      `  ${name}: reportOf(${name}, ${amp ? "output" : `${name}Output`}, ${prefix}),`,
  );
  const file = write(
    "code.mjs",
    `${inputs.length === 0 ? code : `var given = { ${inputs.join(", ")} };\n${fed}`}
    ${REPORT}
    const { writeFileSync } = await import("node:fs");
    writeFileSync(${JSON.stringify(REPORTED)}, JSON.stringify({\n${reports.join("\n")}\n}));`,
  );
  const ended = runInThread(file);
  expect([code, ended.code, ended.error]).toEqual([code, 0, ""]);
  const results = JSON.parse(readFileSync(REPORTED, "utf8"));
  rmSync(REPORTED);
  return { code, results, shown: ended.out };
}

/** Runs a module beside which the package is installed, and gives what it prints. */
export function runModule(code: string): string {
  const file = write("module.mjs", code);
  const { status, stderr, stdout } = spawnSync(process.execPath, [file], { encoding: "utf8", cwd: folder });
  expect([code, status, stderr]).toEqual([code, 0, ""]);
  return stdout;
}
