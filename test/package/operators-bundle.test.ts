/** What the bundle of a user who imports a few operators has of the others: nothing. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ALL_OPERATORS } from "../../src/models/operators/index.js";
import * as named from "../../src/models/operators/named.js";

const source = fileURLToPath(new URL("../../src/models/operators/named.ts", import.meta.url));
const OPTIONS = { bundle: true, minify: true, format: "esm", logLevel: "error" } as const;
const names = Object.keys(named).sort();

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "operators-"));
  // As the package has it: minified, without comments.
  await build({ ...OPTIONS, entryPoints: [source], outfile: join(folder, "named.js") });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A program that is bundled once more from the minified file. */
async function bundled(program: string): Promise<string> {
  const { outputFiles } = await build({
    ...OPTIONS,
    stdin: { contents: program, resolveDir: folder },
    write: false,
  });
  return outputFiles[0]!.text;
}

describe("operators", () => {
  it("are all named, in one order", () => {
    expect(ALL_OPERATORS.map(({ operator }) => operator.name.replace(/^.*\./, ""))).toEqual(names);
    const listed = new Map(ALL_OPERATORS.map((one) => [one.operator.name.replace(/^.*\./, ""), one]));
    expect(listed).toEqual(new Map(Object.entries(named)));
  });

  it("leave nothing of them in a bundle that has none", async () => {
    const rest = await bundled('import "./named.js"');
    expect(rest).not.toContain("attributes:");
    // Tables of the recurrent modules that their kernels come from, which are made by calls.
    expect(rest.length).toBeLessThan(2560);
  });

  it("leave nothing of the others in a bundle of one", async () => {
    const wrong: string[] = [];
    for (const name of names) {
      const code = await bundled(`export { ${name} } from "./named.js"`);
      const found = Array.from(
        code.matchAll(/name:"(?:\w+\.)*(\w+)",(?:oldest:\d+,)?attributes:/g),
        (match) => match[1]!,
      );
      const expected = name === "DynamicQuantizeLSTM" ? ["LSTM", name] : [name];
      if (found.join() !== expected.join()) wrong.push(`${name}: ${found.join(", ")}`);
    }
    expect(wrong).toEqual([]);
  });
});
