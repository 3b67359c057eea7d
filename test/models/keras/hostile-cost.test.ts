/** What hostile models of Keras cost all together in memory: one process loads them one after the other. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { HOSTILE } from "../../support/hostile/index.js";
import { HOSTILE_KERAS } from "../../support/hostile/keras-graphs.js";
import { kerasH5 } from "../../support/keras-writer.js";

it("hostile models cost 256 MB at most", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hostile-keras-"));
  const files = [
    ...HOSTILE_KERAS.map(
      ({ make }) =>
        () =>
          kerasH5({ config: make(), layers: {} }),
    ),
    ...HOSTILE.filter(({ reader }) => reader === "readKeras").map(({ make }) => make),
  ];
  try {
    const entry = join(folder, "models.mjs");
    const contents = 'export { loadKeras } from "../../../src/models/index.js";';
    await build({
      stdin: { contents, resolveDir: new URL(".", import.meta.url).pathname },
      bundle: true,
      format: "esm",
      platform: "neutral",
      outfile: entry,
      plugins: [
        {
          name: "text-imports",
          setup: ({ onLoad }) =>
            onLoad({ filter: /\.txt$/ }, ({ path }) => ({
              contents: `export default () => ${JSON.stringify(readFileSync(path, "utf8"))};`,
            })),
        },
      ],
    });
    for (const [at, make] of files.entries()) writeFileSync(join(folder, String(at)), make());
    // The largest resident size never falls: no file took more than the size grew over all.
    const script = `
      import { loadKeras } from ${JSON.stringify(entry)};
      import { readFileSync } from "node:fs";
      const size = () => process.resourceUsage().maxRSS / 1024;
      const first = size();
      let refused = 0;
      for (let at = 0; at < ${files.length}; at++) {
        gc();
        const bytes = readFileSync(${JSON.stringify(folder)} + "/" + at);
        try { 
          const model = loadKeras(bytes);
          model.run(Object.fromEntries(model.inputs.map(({ name }) => [name, { data: new Float32Array(2), shape: [1, 2] }])));
        } catch { refused++; }
      }
      console.log(JSON.stringify({ refused, grown: size() - first }));`;
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ["--expose-gc", "--input-type=module", "-e", script],
      { encoding: "utf8", timeout: 300_000 },
    );
    expect([status, stderr]).toEqual([0, ""]);
    const { refused, grown }: { refused: number; grown: number } = JSON.parse(stdout);
    expect(refused).toBe(files.length);
    expect(grown).toBeLessThan(256);
    console.log(`hostile models: memory grew by ${grown.toFixed(0)} MB over all`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 400_000);
