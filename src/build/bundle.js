/**
 * The bundles in dist/, two for each entry: one for the default conditions, which has the binaries inside, and one for
 * edge platforms, which imports them.
 *
 * Symptom: `x instanceof Tensor` is false for a tensor that another entry made, or an `init` is not heeded there.
 * Cause: a bundle of one entry copies all that it imports, classes and the wasm instance too.
 * Fix: all entries go through one call of esbuild with `splitting`. What several of them use becomes a file that they
 * import, dist/chunk-<hash>.js.
 *
 * Its price is further files, which an engine asks for once it has read the first. In Node 20 a second one adds 0.8 to
 * 1.8 ms to the 20 ms that a program takes from import to the first output of an LSTM. If entries imported index.js
 * itself, a program that only reads files would start 3 to 5 ms later: it would load modules and binaries too.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
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
  "threads.txt": "LSTM_WASM_THREADS",
};

/** An import of a text gives a function that reads its variable, which a file of texts has (addTexts). */
const textVariables = {
  name: "text-variables",
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
 * none of it.
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
 * esbuild puts into one file what the same entries reach. lstm-wasm/threads reaches a part of what lstm-wasm shares, and
 * would cut that into four files instead of two. Nobody imports it alone, so it reaches all of it, by imports of nothing.
 */
const reaching = (files) => ({
  name: "reaching",
  setup({ onLoad }) {
    onLoad({ filter: /threads[\\/]index\.ts$/ }, ({ path }) => {
      // Relative ones, since source maps have them.
      const imports = files.map((file) => `import "${relative(dirname(path), file).replaceAll("\\", "/")}";`);
      return { contents: `${readFileSync(path, "utf8")}${imports.join("")}`, loader: "ts" };
    });
  },
});

/** The sources that an entry shares with others. */
function sharedBy(entry, { outputs }) {
  const [{ imports }] = Object.values(outputs).filter(({ entryPoint }) => entryPoint === entry);
  const files = imports.flatMap(({ path }) => Object.keys(outputs[path]?.inputs ?? {}));
  return files.filter((path) => path.endsWith(".ts"));
}

/** esbuild's result for entries that share as few files as they can. */
async function buildTogether(options) {
  const { metafile } = await build({ ...options, write: false });
  const plugins = [...options.plugins, reaching(sharedBy("src/index.ts", metafile))];
  return build({ ...options, plugins, logOverride: { "ignored-bare-import": "silent" } });
}

/** A text as a literal of several lines, since Node shows the whole line where a script throws. */
const literal = (text) => `"${text.match(/.{1,1900}/g).join("\\\n")}"`;

/** The file with the texts that a file reads, in dist/: an entry has one of its own, and the entries one that they share. */
const fileOfTexts = (path) =>
  basename(path).startsWith("chunk-") ? "chunk-binaries.js" : `chunk-${basename(dirname(path))}-binaries.js`;

/**
 * Adds the texts as files of their own, which are imported first by what reads them, and by the entries that import that.
 * A bundler then puts all of them before all scripts. Between two of these they would cost 0.7 KB each after gzip, which
 * has one table of codes for what is near.
 *
 * Names are imported, also where they are not used: a bundler would warn of an import without names, since files have no
 * side effects. The imports stand in the banner's line, so that source maps hold.
 */
function addTexts(result, outdir) {
  const scripts = result.outputFiles.filter(({ path }) => path.endsWith(".js"));
  for (const file of scripts) {
    const texts = Object.entries(TEXTS).filter(([, variable]) => file.text.includes(variable));
    if (texts.length === 0) continue;
    const names = texts.map(([, variable]) => variable).join();
    const code = texts.map(
      ([name, variable]) => `var ${variable}=${literal(readFileSync(`build/${name}`, "latin1"))};\n`,
    );
    const text = `${BANNER}\n${code.join("")}export{${names}};\n`;
    const name = fileOfTexts(file.path);
    result.outputFiles.push({ path: join(outdir, name), contents: Buffer.from(text), text });
    const readers = scripts.filter(({ text: other }) => other.includes(`/${basename(file.path)}"`));
    for (const reader of basename(file.path).startsWith("chunk-") ? [file, ...readers] : [file]) {
      const path = `${dirname(reader.path) === outdir ? "." : ".."}/${name}`;
      const now = Buffer.from(reader.contents).toString();
      reader.contents = Buffer.from(now.replace(BANNER, () => `${BANNER}import{${names}}from"${path}";`));
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
    buildTogether({
      ...options,
      entryPoints: entries,
      plugins: [textVariables, loaderWithoutWrappers],
      write: false,
    }),
    buildTogether({
      ...options,
      entryPoints: Object.fromEntries(edgeEntries),
      conditions: ["workerd"],
      plugins: [loaderWithoutWrappers],
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
