/** What broken and hostile models are told, and what each costs: the processor time and the memory of a process of its own. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { errorOf } from "../support/error-of.js";
import { runModel } from "../support/host-graph.js";
import { HOSTILE_GRAPHS } from "../support/hostile/graphs.js";
import { reliabilityRow } from "../support/reliability.js";

/** Milliseconds of processor time. */
const LIMIT = 1000;

describe("hostile models", () => {
  it.each(HOSTILE_GRAPHS.map((file) => [file.name, file] as const))("%s", (_, { make, message }) => {
    const error = errorOf(() => runModel(make()));
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).message).toMatch(message);
    expect((error as FormatError).message).toMatch(/^onnx: /);
  });

  it("cost at most a second of processor time each, and all together 256 MB", () => {
    const folder = mkdtempSync(join(tmpdir(), "hostile-graphs-"));
    try {
      const entry = join(folder, "graphs.mjs");
      const contents = `
        export { runModel } from "../support/host-graph.js";
        export { processorTime } from "../support/processor-time.js";`;
      const stdin = { contents, resolveDir: fileURLToPath(new URL(".", import.meta.url)) };
      buildSync({ stdin, bundle: true, format: "esm", platform: "node", outfile: entry });
      for (const [at, { make }] of HOSTILE_GRAPHS.entries()) writeFileSync(join(folder, String(at)), make());
      const script = `
        import { processorTime, runModel } from ${JSON.stringify(entry)};
        import { readFileSync } from "node:fs";
        const size = () => process.resourceUsage().maxRSS * 1024;
        const times = [];
        const first = size();
        for (let at = 0; at < ${HOSTILE_GRAPHS.length}; at++) {
          const bytes = new Uint8Array(readFileSync(${JSON.stringify(folder)} + "/" + at));
          times.push(processorTime(${LIMIT}, () => { try { runModel(bytes); } catch {} }, gc));
        }
        console.log(JSON.stringify({ times, grown: (size() - first) / 2 ** 20 }));`;
      const { stdout, stderr, status } = spawnSync(
        process.execPath,
        ["--expose-gc", "--input-type=module", "-e", script],
        { encoding: "utf8", timeout: 120_000 },
      );
      expect([status, stderr]).toEqual([0, ""]);
      const { times, grown }: { times: number[]; grown: number } = JSON.parse(stdout);
      const slowest = times.indexOf(Math.max(...times));
      console.log(
        `slowest: ${HOSTILE_GRAPHS[slowest]!.name}, ${times[slowest]!.toFixed(0)} ms of processor time; ` +
          `memory grew by ${grown.toFixed(0)} MB over all`,
      );
      const costly = HOSTILE_GRAPHS.flatMap(({ name }, at) => (times[at]! > LIMIT ? [name] : []));
      expect(times).toHaveLength(HOSTILE_GRAPHS.length);
      expect(costly).toEqual([]);
      expect(grown).toBeLessThan(256);
      reliabilityRow({
        attack: "Models made to be broken, endless or huge",
        tried: HOSTILE_GRAPHS.length,
        survived: HOSTILE_GRAPHS.length - costly.length,
        note: "refused with the node's name, each within 1 s of processor time, all in 256 MB",
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 180_000);
});
