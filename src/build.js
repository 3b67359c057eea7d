/**
 * The JavaScript bundles in dist/: the library and its formats, each for the default conditions and for edge platforms (exports
 * in package.json), one file each. One that imports a file of what both need starts 0.8 ms later in Node, and a page has to
 * ask for one after the other. So both hold that, except for the class Tensor: there must be but one, and the formats take it
 * from the library.
 */
import { resolve } from "node:path";
import { build } from "esbuild";

const options = {
  bundle: true,
  minify: true,
  lineLimit: 300,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  sourcemap: true,
};

/** What imports src/tensor.ts imports the class from `bundle` instead. */
const tensorFrom = (bundle) => ({
  name: "tensor-from",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/tensor\.js$/ }, ({ path, resolveDir }) =>
      resolve(resolveDir, path) === resolve("src/tensor.js")
        ? { path: bundle, namespace: "library" }
        : undefined,
    );
    onLoad({ filter: /./, namespace: "library" }, () => ({ contents: `export { Tensor } from "${bundle}"` }));
    onResolve({ filter: /./, namespace: "library" }, ({ path }) => ({ path, external: true }));
  },
});

const library = { ...options, entryPoints: ["src/index.ts"], inject: ["src/wasm/text-decoder.ts"] };
const formats = { ...options, entryPoints: ["src/formats/index.ts"] };
await Promise.all([
  build({ ...library, outfile: "dist/index.js", loader: { ".txt": "text" } }),
  build({
    ...library,
    outfile: "dist/edge.js",
    conditions: ["workerd"],
    loader: { ".wasm": "copy" },
    assetNames: "[name]",
  }),
  ...["index", "edge"].map((name) =>
    build({ ...formats, outfile: `dist/formats/${name}.js`, plugins: [tensorFrom(`../${name}.js`)] }),
  ),
]);
