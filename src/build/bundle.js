/**
 * The bundles in dist/, two for each entry: one for the default conditions, which has the binaries inside, and one for
 * edge platforms, which imports them.
 *
 * Symptom: `x instanceof Tensor` is false for a tensor that another entry made, or an `init` is not heeded there.
 * Cause: a bundle of one entry copies all that it imports, classes and the wasm instance too.
 * Fix: all entries go through one call of esbuild with `splitting`. What several of them use becomes a file that they
 * import, dist/chunk-<hash>.js.
 *
 * Its price is a second file, which an engine asks for once it has read the first. In Node 20 that adds 0.8 to 1.8 ms to the
 * 20 ms that a program takes from import to the first output of an LSTM. The alternative is that entries import index.js
 * itself: a program that only reads files would start 3 to 5 ms later, since it would load modules and binaries too.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { ENTRIES, edgePathOf } from "./entries.js";
import { BANNER } from "./licence.js";

const OPTIONS = {
  bundle: true,
  splitting: true,
  minify: true,
  lineLimit: 300,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  inject: ["src/bundle/text-decoder.ts"],
  banner: { js: BANNER },
  sourcemap: true,
  metafile: true,
};

/** The texts of build/, and the variables that have them. */
const TEXTS = {
  "unpack.txt": "LSTM_WASM_UNPACK",
  "core.txt": "LSTM_WASM_CORE",
  "models.txt": "LSTM_WASM_MODELS",
};

/**
 * Symptom: a bundle is 0.8 to 1 KB larger after gzip.
 * Cause: gzip sees 32 KB back. The binaries, 11 KB of text, would stand between what they are imported by and the rest.
 * Fix: they are variables at the end of the file. Such a variable is undefined until the file has run, so an import of a
 * text gives a function that reads it.
 */
const textsLast = {
  name: "texts-last",
  setup({ onLoad }) {
    onLoad({ filter: /\.txt$/ }, ({ path }) => ({
      contents: `export default () => ${TEXTS[basename(path)]};`,
    }));
  },
};

/**
 * Of the loader, what instantiates. It wraps the exports of a module in functions for AssemblyScript's strings, arrays and
 * classes: 3 KB, 1.5 after gzip. Addresses of records are all that crosses the boundary here, and the raw exports are used.
 * What it adds to the imports is for such strings, dates and random numbers: 1.1 KB, 0.5 after gzip. The binaries import
 * their memory alone.
 */
const WRAPPING = {
  "const exports = postInstantiate(extended, instance);": "const { exports } = instance;",
  "const extended = preInstantiate(imports);": "",
  'const utf16 = new TextDecoder("utf-16le", { fatal: true });': "",
};
const loaderWithoutWrappers = {
  name: "loader-without-wrappers",
  setup({ onLoad }) {
    onLoad({ filter: /@assemblyscript[\\/]loader[\\/]index\.js$/ }, ({ path }) => {
      let contents = readFileSync(path, "utf8");
      for (const [wrapping, plain] of Object.entries(WRAPPING)) {
        if (!contents.includes(wrapping)) throw new Error(`${path}: expected to find ${wrapping}`);
        contents = contents.replaceAll(wrapping, plain);
      }
      return { contents };
    });
  },
};

/**
 * Symptom: a bundle that reads safetensors alone has 4.5 KB of fflate, 2 after gzip.
 * Cause: fflate fills its tables by loops when it is read, which a bundler must keep. Marking a call as pure is of no use:
 * minifying drops the comment.
 * Fix: what is used of it is made at its first use, in a function that a bundler drops where nobody inflates.
 */
const inflateWhenUsed = {
  name: "inflate-when-used",
  setup({ onLoad }) {
    onLoad({ filter: /fflate[\\/].*\.m?js$/ }, async ({ path }) => {
      const stdin = {
        contents: `export { Inflate, inflateSync } from ${JSON.stringify(path)};`,
        resolveDir: dirname(path),
      };
      const { outputFiles } = await build({
        stdin,
        bundle: true,
        format: "iife",
        globalName: "fflate",
        write: false,
      });
      return {
        contents: `let made;
          function makeFflate() {
            ${outputFiles[0].text}
            return fflate;
          }
          export function Inflate(take) {
            made ??= makeFflate();
            return new made.Inflate(take);
          }
          export function inflateSync(data, options) {
            made ??= makeFflate();
            return made.inflateSync(data, options);
          }`,
      };
    });
  },
};

/** A text as a literal of several lines, since Node shows the whole line where a script throws. */
const literal = (text) => `"${text.match(/.{1,1900}/g).join("\\\n")}"`;

/** The file of texts that several entries read. */
const SHARED_TEXTS = "chunk-binaries.js";

/** A file with a statement before its own. */
const beginningWith = (statement, text) => text.replace(BANNER, () => `${BANNER}\n${statement}`);

/**
 * Adds the texts to the files that read them: to an entry before the comment that names the source map.
 *
 * Those of a shared file go into one of their own, which entries import first. A bundler then puts them before all scripts:
 * between two of them they would cost 1.5 KB after gzip.
 */
function addTexts(result, outdir) {
  const scripts = result.outputFiles.filter(({ path }) => path.endsWith(".js"));
  for (const file of scripts) {
    const texts = Object.entries(TEXTS).filter(([, variable]) => file.text.includes(variable));
    if (texts.length === 0) continue;
    const code = texts.map(
      ([name, variable]) => `var ${variable}=${literal(readFileSync(`build/${name}`, "latin1"))};\n`,
    );
    const name = basename(file.path);
    if (!name.startsWith("chunk-")) {
      const [script, sourceMap = ""] = file.text.split(/(?=^\/\/# sourceMappingURL)/m);
      file.contents = Buffer.from(script + code.join("") + sourceMap);
      continue;
    }
    const names = texts.map(([, variable]) => variable).join();
    const text = `${BANNER}\n${code.join("")}export{${names}};\n`;
    result.outputFiles.push({ path: join(outdir, SHARED_TEXTS), contents: Buffer.from(text), text });
    file.contents = Buffer.from(beginningWith(`import{${names}}from"./${SHARED_TEXTS}";`, file.text));
    for (const entry of scripts.filter(({ text: other }) => other.includes(`/${name}"`))) {
      const isBelow = dirname(entry.path) !== dirname(file.path);
      const path = `${isBelow ? ".." : "."}/${SHARED_TEXTS}`;
      entry.contents = Buffer.from(beginningWith(`import"${path}";`, Buffer.from(entry.contents).toString()));
    }
  }
}

/**
 * Writes the bundles of entries, named as in ENTRIES, to a folder. `overrides` are esbuild's options.
 * Returns esbuild's results, for the default conditions and for edge platforms.
 */
export async function bundleEntries(entries, outdir, overrides = {}) {
  const options = { ...OPTIONS, outdir, ...overrides };
  const edgeEntries = Object.entries(entries).map(([path, source]) => [edgePathOf(path), source]);
  const [embedded, edge] = await Promise.all([
    build({
      ...options,
      entryPoints: entries,
      plugins: [textsLast, loaderWithoutWrappers, inflateWhenUsed],
      write: false,
    }),
    build({
      ...options,
      entryPoints: Object.fromEntries(edgeEntries),
      conditions: ["workerd"],
      plugins: [loaderWithoutWrappers, inflateWhenUsed],
      loader: { ".wasm": "copy" },
      assetNames: "[name]",
    }),
  ]);
  addTexts(embedded, resolve(outdir));
  for (const { path, contents } of options.write === false ? [] : embedded.outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
  }
  return { default: embedded, edge };
}

/** A shared file of an earlier build has another hash in its name, and would stay in dist/. */
function removeShared(folder) {
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(folder)) if (file.startsWith("chunk-")) rmSync(`${folder}/${file}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  removeShared("dist");
  await bundleEntries(ENTRIES, "dist");
}
