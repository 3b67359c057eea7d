/**
 * Every TypeScript snippet of the README runs as it stands, against the built package, in a folder that holds what
 * its Python snippet wrote (test/readme/make.py, which .ci/run runs too). The int8 table is that of the last measurement.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { transformSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = new URL("..", import.meta.url);
const readme = readFileSync(new URL("README.md", root), "utf8");
const snippets = [...readme.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]!);
// Inside the package, so that "lstm-wasm" resolves to its own dist/; one folder for each build that is tested.
const folder = new URL(`build/readme-${process.env.WASM_BUILD}/`, root);

/** What a snippet's comment after console.log says that it prints. */
function promised(snippet: string): string[] {
  return [...snippet.matchAll(/console\.log\(.*?\); \/\/ (.*)/g)].map((match) => match[1]!);
}

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  for (const file of ["model.pt", "layer.safetensors"]) {
    copyFileSync(new URL(`readme/${file}`, import.meta.url), new URL(file, folder));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("README", () => {
  it("has snippets, and tells what the first one prints", () => {
    expect(snippets.length).toBeGreaterThan(2);
    expect(promised(snippets[0]!)).toEqual(["[5, 4, 3] [2, 4, 3] [2, 4, 3]"]);
  });

  it("has the int8 table that bench/int8 measured, as that folder's README has", async () => {
    const folder = new URL("bench/int8/", root);
    const { report, withSummary } = (await import(new URL("report.js", folder).href)) as {
      report(results: unknown): string;
      withSummary(readme: string, results: unknown): string;
    };
    const results = JSON.parse(readFileSync(new URL("results.json", folder), "utf8"));
    expect(readFileSync(new URL("README.md", folder), "utf8")).toBe(report(results));
    expect(withSummary(readme, results)).toBe(readme);
  });

  it("names the present version in the CDN's address", () => {
    const { version } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
    expect(readme).toContain(`https://cdn.jsdelivr.net/npm/lstm-wasm@${version}/dist/index.js`);
  });

  it.each(snippets.map((snippet, index) => ({ snippet, title: `snippet ${index + 1}`, index })))(
    "$title runs and prints what it says",
    ({ snippet, index }) => {
      const file = new URL(`snippet-${index}.mjs`, folder);
      writeFileSync(file, transformSync(snippet, { loader: "ts" }).code);
      const printed = execFileSync(process.execPath, [file.pathname], { cwd: folder, encoding: "utf8" });
      const plain = printed.replace(/\[\s+/g, "[").replace(/\s+\]/g, "]");
      for (const line of promised(snippet)) expect(plain).toContain(line);
      expect(printed).not.toBe("");
    },
  );
});
