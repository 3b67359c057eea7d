/** What a program that reads one format pays for it, after its bundler: the readers of dist/, each alone. */
import { gzipSync } from "node:zlib";
import { buildSync } from "esbuild";
import { describe, expect, it } from "vitest";

const FORMATS = new URL("../../dist/formats/index.js", import.meta.url).pathname;

/** Bytes after gzip -9. */
function bytesOf(name: string): number {
  const { outputFiles } = buildSync({
    stdin: { contents: `export { ${name} } from ${JSON.stringify(FORMATS)};`, resolveDir: "." },
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
  });
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length;
}

describe("a program that reads one format has in its bundle, in KB after gzip, at most", () => {
  it.each([
    ["fromKeras", 7.5],
    ["readNam", 11],
    ["readSafetensors", 13],
    ["readNumpy", 17.3],
    ["readTfjs", 16],
    ["readTorch", 25.6],
    ["readOnnx", 27.2],
    ["readKeras", 31.5],
  ])("%s %f", (name, kilobytes) => {
    expect(bytesOf(name)).toBeLessThanOrEqual(kilobytes * 1000);
  });
});
