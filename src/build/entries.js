/**
 * The package's entries: the path of each file in dist/, without its suffix, and the source that it is made of. A new entry
 * is a line here and one in `exports` of package.json. test/package/package.test.ts asserts that the two agree.
 */
export const ENTRIES = {
  index: "src/index.ts",
  "formats/index": "src/formats/index.ts",
  "models/index": "src/models/index.ts",
  "threads/index": "src/threads/index.ts",
};

/** What a program imports: `lstm-wasm`, `lstm-wasm/formats`. */
export const specifierOf = (path) => `lstm-wasm/${path}`.replace(/\/index$/, "");

/** The path of the entry's file for edge platforms: dist/edge.js, dist/formats/edge.js. */
export const edgePathOf = (path) => path.replace(/index$/, "edge");
