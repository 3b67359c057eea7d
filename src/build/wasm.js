/**
 * The wasm binaries: `node src/build/wasm.js [--stale] [--sources DIR] [--out DIR] NAME...`
 *
 * Compiles targets of asconfig.json, below DIR, into build/: NAME.wasm, NAME.txt, which a bundle embeds (embed.js; none of debug), and
 * abi.js and records/ with their types, what the host has to know of the kernels (abi.js). With --stale it compiles only
 * what is missing or older than its sources, by a hash of them.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { main as asc } from "assemblyscript/asc";
import { abiTransform } from "./abi.js";
import { embeddedText } from "./embed.js";

const FEATURES = [
  "--mvp-features",
  "--enable-simd",
  "--enable-bulk-memory",
  "--enable-sign-ext",
  "--enable-mutable-globals",
];
/** What Binaryen does after asc: it knows no target of asc's, only the features that one may use. */
const OPTIMISE = ["-O3", "-fimfs", "75", "-ocimfs", "160"];
/** A second run, on its own: it takes 3 % off both binaries together, after gzip, and leaves the loops as they are. */
const SHRINK = ["-Oz", "-Oz", "--reorder-functions"];
const BINARYEN = {
  simd: FEATURES,
  "relaxed-simd": [...FEATURES, "--enable-relaxed-simd"],
  debug: undefined,
};

/** What is exported. The debug build has, besides, what tests make its allocations fail with. */
const ENTRIES = { debug: ["assembly/index.ts", "assembly/debug.ts"] };

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    stale: { type: "boolean", default: false },
    sources: { type: "string", default: "." },
    out: { type: "string", default: "build" },
  },
});
const out = resolve(values.out);
mkdirSync(out, { recursive: true });

const sources = sourceHash();
for (const name of names) {
  if (!(name in BINARYEN))
    throw new RangeError(`target: expected ${Object.keys(BINARYEN).join(", ")}, got ${name}`);
  if (!values.stale || isStale(name)) await build(name);
}

async function build(name) {
  const binary = join(out, `${name}.wasm`);
  let abi;
  const entries = ENTRIES[name] ?? ["assembly/index.ts"];
  const { error, stderr } = await asc(
    [...entries, "--target", name, "--baseDir", resolve(values.sources), "--outFile", binary],
    {
      transforms: [
        abiTransform((texts) => {
          abi = texts;
        }),
      ],
    },
  );
  const messages = stderr.toString().replaceAll("Last converge was suboptimal.\n", "");
  if (messages !== "") process.stderr.write(messages);
  if (error) throw error;
  if (BINARYEN[name]) {
    for (const passes of [OPTIMISE, SHRINK]) {
      execFileSync(wasmOpt(), [binary, "-o", binary, ...BINARYEN[name], ...passes], { stdio: "inherit" });
    }
    writeFileSync(join(out, `${name}.txt`), embeddedText(readFileSync(binary)));
  }
  mkdirSync(join(out, "records"), { recursive: true });
  for (const { file, js, types } of abi) {
    writeFileSync(join(out, `${file}.js`), js);
    writeFileSync(join(out, `${file}.d.ts`), types);
  }
  writeFileSync(join(out, `${name}.sources`), sources);
}

function isStale(name) {
  const stamp = join(out, `${name}.sources`);
  const made = [`${name}.wasm`, ...(BINARYEN[name] ? [`${name}.txt`] : []), "abi.js", "abi.d.ts"];
  if (!existsSync(stamp) || made.some((file) => !existsSync(join(out, file)))) return true;
  return readFileSync(stamp, "utf8") !== sources;
}

/** Of the sources, what compiles them, and how. */
function sourceHash() {
  const root = resolve(values.sources);
  const files = readdirSync(join(root, "assembly"), { recursive: true })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(root, "assembly", file));
  const scripts = ["abi.js", "embed.js", "wasm.js"].map((file) =>
    fileURLToPath(new URL(file, import.meta.url)),
  );
  const hash = createHash("sha256");
  for (const file of [...files.sort(), join(root, "asconfig.json"), ...scripts])
    hash.update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}

function wasmOpt() {
  return join(dirname(createRequire(import.meta.url).resolve("binaryen/package.json")), "bin/wasm-opt");
}
