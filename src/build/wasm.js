/**
 * The wasm binaries: `node src/build/wasm.js [--stale] [--sources DIR] [--out DIR] NAME...`
 *
 * Compiles targets of asconfig.json, below DIR, into build/: NAME.wasm, and abi.js and records/ with their types, what the
 * host has to know of the kernels (abi.js). With --stale it compiles only what is missing, or not what these sources gave,
 * by hashes of them, of the compilers' versions and of the binary. Once both builds of a program are there, it packs them
 * into the text that a bundle embeds (pack.js).
 *
 * There are two programs: the core, and the kernels of whole models, which run on the core's memory beside it. The core's
 * static data begin at its `memoryBase` of asconfig.json. What lies below, from 1024 on, is for the constants of the other.
 * A third one, `unpack`, makes the bytes of both again. The kernels of models are compiled at asc's level 2: level 3 makes one
 * loop of those that differ in a constant (assembly/models/unary.ts).
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { main as asc } from "assemblyscript/asc";
import { abiTransform, CORE, MODELS, THREADS } from "./abi.js";
import { digitsText, packedText } from "./pack.js";

const FEATURES = [
  "--mvp-features",
  "--enable-simd",
  "--enable-bulk-memory",
  "--enable-sign-ext",
  "--enable-mutable-globals",
];
/**
 * What Binaryen does after asc: it knows no target of asc's, only the features that one may use. Functions with one caller
 * stay functions where they are large: with all of them in one, V8 keeps less in registers, and the product of one row with
 * 128 x 512 weights takes 1.03 times as long.
 */
const ONE_CALLER = ["-ocimfs", "160"];
const OPTIMISE = ["-O3", "-fimfs", "75", ...ONE_CALLER];
/** A second run, on its own: it takes 3 % off both binaries together, after gzip, and leaves the loops as they are. */
const SHRINK = ["-Oz", "-Oz", "--reorder-functions", ...ONE_CALLER];
const THREADED = [...FEATURES, "--enable-threads", "--enable-nontrapping-float-to-int"];
const RELAXED = [...FEATURES, "--enable-relaxed-simd"];

/**
 * The targets by name: their program (abi.js), the files whose exports are theirs, and features for Binaryen (none of debug).
 * The core's debug build exports, besides, what tests make its allocations fail with.
 */
const TARGETS = {
  simd: { program: CORE, entries: ["index"], features: FEATURES },
  "relaxed-simd": { program: CORE, entries: ["index"], features: RELAXED },
  debug: { program: CORE, entries: ["index", "debug"] },
  models: { program: MODELS, entries: ["models/index"], features: FEATURES },
  "models-relaxed": { program: MODELS, entries: ["models/index"], features: RELAXED },
  "models-debug": { program: MODELS, entries: ["models/index"] },
  threads: { program: THREADS, entries: ["threads/index"], features: THREADED },
  unpack: { entries: ["unpack"], features: ["--mvp-features"] },
};

/** The texts of a bundle, each of these binaries. Unpacking one unpacks those before it: most engines run the first. */
const TEXTS = {
  core: { binaries: ["relaxed-simd", "simd"], textOf: packedText },
  models: { binaries: ["models-relaxed", "models"], textOf: packedText },
  threads: { binaries: ["threads"], textOf: packedText },
  unpack: { binaries: ["unpack"], textOf: ([binary]) => digitsText(binary) },
};

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    stale: { type: "boolean", default: false },
    sources: { type: "string", default: "." },
    out: { type: "string", default: "build" },
  },
});
const require = createRequire(import.meta.url);
const out = resolve(values.out);
mkdirSync(out, { recursive: true });

const sources = sourceHash();
const built = new Set();
// Binaryen is a process of its own: meanwhile asc compiles the next one.
const optimised = [];
for (const name of names) {
  if (!(name in TARGETS))
    throw new RangeError(`target: expected ${Object.keys(TARGETS).join(", ")}, got ${name}`);
  if (values.stale && !isStale(name)) continue;
  await compile(name);
  optimised.push(optimise(name));
  built.add(name);
}
await Promise.all(optimised);
for (const [text, { binaries, textOf }] of Object.entries(TEXTS)) {
  const path = join(out, `${text}.txt`);
  const files = binaries.map(fileOf);
  const isOld = !existsSync(path) || binaries.some((name) => built.has(name));
  if (isOld && files.every((file) => existsSync(file)))
    writeFileSync(path, textOf(files.map((file) => readFileSync(file))));
}

async function compile(name) {
  rmSync(stampOf(name), { force: true });
  let abi = [];
  const { program, entries } = TARGETS[name];
  const { error, stderr } = await asc(
    [
      ...entries.map((entry) => `assembly/${entry}.ts`),
      "--target",
      name,
      "--baseDir",
      resolve(values.sources),
      "--outFile",
      fileOf(name),
    ],
    {
      readFile: (file, folder) => sourceText(join(folder, file)),
      transforms: program
        ? [
            abiTransform(program, (texts) => {
              abi = texts;
            }),
          ]
        : [],
    },
  );
  const messages = stderr.toString().replaceAll("Last converge was suboptimal.\n", "");
  if (messages !== "") process.stderr.write(messages);
  if (error) throw error;
  mkdirSync(join(out, "records"), { recursive: true });
  for (const { file, js, types } of abi) {
    writeFileSync(join(out, `${file}.js`), js);
    writeFileSync(join(out, `${file}.d.ts`), types);
  }
}

async function optimise(name) {
  const binary = fileOf(name);
  const { features } = TARGETS[name];
  for (const passes of features ? [OPTIMISE, SHRINK] : []) {
    const args = [binary, "-o", binary, ...features, ...passes];
    const { stdout, stderr } = await promisify(execFile)(wasmOpt(), args);
    process.stdout.write(stdout);
    process.stderr.write(stderr);
  }
  writeFileSync(stampOf(name), stamp(name));
}

function fileOf(name) {
  return join(out, `${name}.wasm`);
}

function stampOf(name) {
  return join(out, `${name}.sources`);
}

/** What a binary was made of, and what it is. */
function stamp(name) {
  return `${sources} ${createHash("sha256")
    .update(readFileSync(fileOf(name)))
    .digest("hex")}`;
}

/**
 * A source as asc gets it, or null where there is none. A function whose comment has the tag `@inline` gets AssemblyScript's
 * decorator of that name, which TypeScript has no place for: its body then stands wherever it is called, and what a call
 * gives as a constant is one there.
 */
function sourceText(path) {
  if (!existsSync(path)) return null;
  const text = readFileSync(path, "utf8");
  return text.replaceAll(
    /(\/\*\*(?:(?!\*\/).)*@inline(?:(?!\*\/).)*\*\/\n)(?=(export )?function)/gs,
    "$1@inline ",
  );
}

function isStale(name) {
  const { program } = TARGETS[name];
  const made = [`${name}.wasm`, ...(program ? [`${program.abi}.js`, `${program.abi}.d.ts`] : [])];
  if (!existsSync(stampOf(name)) || made.some((file) => !existsSync(join(out, file)))) return true;
  return readFileSync(stampOf(name), "utf8") !== stamp(name);
}

/** Of the sources, what compiles them in which version, and how. */
function sourceHash() {
  const root = resolve(values.sources);
  const files = readdirSync(join(root, "assembly"), { recursive: true })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(root, "assembly", file));
  const scripts = ["abi.js", "pack.js", "wasm.js"].map((file) =>
    fileURLToPath(new URL(file, import.meta.url)),
  );
  const hash = createHash("sha256");
  for (const file of [...files.sort(), join(root, "asconfig.json"), ...scripts])
    hash.update(readFileSync(file)).update("\0");
  for (const compiler of ["assemblyscript", "binaryen"])
    hash.update(readFileSync(require.resolve(`${compiler}/package.json`))).update("\0");
  return hash.digest("hex");
}

function wasmOpt() {
  return join(dirname(require.resolve("binaryen/package.json")), "bin/wasm-opt");
}
