/** What runs graphs, bundled from its sources. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

/** Imports of *.txt give a function of their text, as in dist/. */
const textFunctions = {
  name: "text-functions",
  setup({ onLoad }) {
    onLoad({ filter: /\.txt$/ }, ({ path }) => ({
      contents: `export default () => ${JSON.stringify(readFileSync(path, "utf8"))};`,
    }));
  },
};

/** The exports of runner.ts. */
export async function load() {
  const made = mkdtempSync(join(tmpdir(), "graph-"));
  try {
    const outfile = join(made, "graph.mjs");
    const entry = fileURLToPath(new URL("./runner.ts", import.meta.url));
    await build({
      entryPoints: [entry],
      outfile,
      bundle: true,
      format: "esm",
      platform: "node",
      logLevel: "error",
      plugins: [textFunctions],
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(made, { recursive: true });
  }
}
