/**
 * The JavaScript bundles in dist/: the library and its formats, each for the default conditions and for edge platforms (exports
 * in package.json). dist/index.js is one file: with a second one, for what it has in common with the formats, it starts 0.75 ms
 * later in Node, and a page asks for one after the other. So dist/formats/index.js holds its own copy of that, except for the
 * class Tensor: there must be but one, and it takes the library's, which is 2 ms more where nothing else of the library is
 * used. Edge platforms bundle what they run; there, formats must not need the files of wasm, and a shared file costs nothing.
 */
import { resolve } from "node:path";
import { build } from "esbuild";

const LIBRARY = "src/index.ts";
const FORMATS = "src/formats/index.ts";

const options = {
  bundle: true,
  minify: true,
  lineLimit: 300,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  inject: ["src/bundle/text-decoder.ts"],
  outdir: "dist",
  sourcemap: true,
};

/** What imports src/tensor/tensor.ts, imports the class from the library's bundle instead. */
const tensorOfLibrary = {
  name: "tensor-of-library",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/tensor\.js$/ }, ({ path, resolveDir }) =>
      resolve(resolveDir, path) === resolve("src/tensor/tensor.js")
        ? { path: "tensor", namespace: "library" }
        : undefined,
    );
    onLoad({ filter: /./, namespace: "library" }, () => ({
      contents: 'export { Tensor } from "../index.js"',
    }));
    onResolve({ filter: /./, namespace: "library" }, ({ path }) => ({ path, external: true }));
  },
};

await Promise.all([
  build({ ...options, entryPoints: { index: LIBRARY }, loader: { ".txt": "text" } }),
  build({ ...options, entryPoints: { "formats/index": FORMATS }, plugins: [tensorOfLibrary] }),
  build({
    ...options,
    entryPoints: { edge: LIBRARY, "formats/edge": FORMATS },
    splitting: true,
    conditions: ["workerd"],
    loader: { ".wasm": "copy" },
    assetNames: "[name]",
  }),
]);
