/** What hostile files cost, each by the processor time and all by the memory of one process that reads them. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { describe, expect, it } from "vitest";
import { HOSTILE } from "../support/hostile/index.js";
import { LARGE } from "../support/hostile/large.js";
import { reliabilityRow } from "../support/reliability.js";

describe("hostile files", () => {
  it("cost at most a second, or half a second for each MB, and all together 256 MB", () => {
    const folder = mkdtempSync(join(tmpdir(), "hostile-"));
    const files = [...HOSTILE, ...LARGE];
    try {
      const entry = join(folder, "readers.mjs");
      const contents = `
        export * from "../../src/formats/index.js";
        export { processorTime } from "../support/processor-time.js";`;
      const stdin = { contents, resolveDir: new URL(".", import.meta.url).pathname };
      buildSync({ stdin, bundle: true, format: "esm", platform: "neutral", outfile: entry });
      for (const [at, { make }] of files.entries()) writeFileSync(join(folder, String(at)), make());
      // One process reads all, and its largest resident size never falls: no file took more than the size grew over all.
      const script = `
        import * as readers from ${JSON.stringify(entry)};
        import { readFileSync } from "node:fs";
        const size = () => process.resourceUsage().maxRSS * 1024;
        const results = [];
        const first = size();
        for (const [at, reader] of ${JSON.stringify(files.map(({ reader }) => reader))}.entries()) {
          const bytes = readFileSync(${JSON.stringify(folder)} + "/" + at);
          const limit = Math.max(1000, 500 * bytes.length / 2 ** 20);
          const read = () => { try { readers[reader](bytes); } catch {} };
          results.push([readers.processorTime(limit, read, gc), limit]);
        }
        console.log(JSON.stringify({ results, grown: (size() - first) / 2 ** 20 }));`;
      const { stdout, stderr, status } = spawnSync(
        process.execPath,
        ["--expose-gc", "--input-type=module", "-e", script],
        {
          encoding: "utf8",
          timeout: 840_000,
        },
      );
      expect([status, stderr]).toEqual([0, ""]);
      const { results, grown }: { results: [number, number][]; grown: number } = JSON.parse(stdout);
      const slowest = results.reduce((most, [time], at) => (time > results[most]![0] ? at : most), 0);
      console.log(
        `slowest: ${files[slowest]!.name}, ${results[slowest]![0].toFixed(0)} ms of processor time; ` +
          `memory grew by ${grown.toFixed(0)} MB over all`,
      );
      const costly = results.flatMap(([time, limit], at) =>
        time > limit ? [[files[at]!.name, time, limit]] : [],
      );
      expect(results).toHaveLength(files.length);
      expect(costly).toEqual([]);
      expect(grown).toBeLessThan(256);
      reliabilityRow({
        attack: "Files made to be broken, slow or large",
        tried: files.length,
        survived: files.length - costly.length,
        note: "refused by name or read, each within 1 s of processor time or 0.5 s for each MB, all in 256 MB",
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 900_000);
});
