/**
 * One declaration file for each entry, dist/index.d.ts and dist/formats/index.d.ts, out of those that `tsc` writes for
 * every source. So an editor shows what users may import, and no class of the inside.
 *
 * Two declarations of a class with `#private` are two types, and neither fits where the other is asked for. So index.d.ts
 * has the one of Tensor, and what index.d.ts exports the other entries import from it.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, posix, resolve } from "node:path";
import { Extractor, ExtractorConfig } from "@microsoft/api-extractor";
import { ENTRIES } from "./entries.js";

/** Where `tsc -p tsconfig.json` wrote them. They are changed here, and removed in the end. */
const EMITTED = resolve("build/types");
/** What index.d.ts is called while the other entries are made: api-extractor copies from files, but not from packages. */
const LIBRARY = "library";

const silent = { default: { logLevel: "none" } };
const { target, lib, module, strict, types } = JSON.parse(
  readFileSync("tsconfig.json", "utf8"),
).compilerOptions;
/** For api-extractor's own TypeScript. `tsc` has checked the declarations; to do it again takes 7 s. */
const compilerOptions = { target, lib, module, strict, types, skipLibCheck: true };

const read = (file) => readFileSync(file, "utf8");
const emitted = () =>
  readdirSync(EMITTED, { recursive: true })
    .filter((file) => file.endsWith(".d.ts") && !file.startsWith("node_modules"))
    .map((file) => join(EMITTED, file));

/** The text of one declaration file that has the entry's exports and what they are declared with. */
function rollUp(path) {
  const result = resolve(`dist/${path}.d.ts`);
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: resolve("package.json"),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: resolve("."),
      mainEntryPointFilePath: join(EMITTED, `${path}.d.ts`),
      compiler: { overrideTsconfig: { compilerOptions, include: [EMITTED] } },
      newlineKind: "lf",
      dtsRollup: { enabled: true, untrimmedFilePath: result },
      messages: { extractorMessageReporting: silent, tsdocMessageReporting: silent },
    },
  });
  const messageCallback = (message) => {
    message.handled = !/^(error|warning)$/.test(message.logLevel);
  };
  const { succeeded } = Extractor.invoke(config, { localBuild: true, messageCallback });
  if (!succeeded) throw new Error(`dist/${path}.d.ts: api-extractor reported an error`);
  return tidy(exportTypes(read(result), read(join(EMITTED, `${path}.d.ts`))));
}

/**
 * `export type { Stream }` leaves a program no value of that name, but api-extractor writes `export declare class Stream`.
 * So a class that the entry exports as a type is declared, then exported as a type.
 */
function exportTypes(declarations, entry) {
  const lists = Array.from(entry.matchAll(/^export( type)? \{([^}]*)\}/gm), ([, type = "", names]) =>
    names.split(",").map((name) => `${type} ${name}`),
  );
  const types = new Set(lists.flat().flatMap((name) => /\btype\s+(\w+)/.exec(name)?.[1] ?? []));
  const classes = [];
  const declared = declarations.replace(
    /^export (declare (?:abstract )?class (\w+))/gm,
    (line, begin, name) => {
      if (!types.has(name)) return line;
      classes.push(name);
      return begin;
    },
  );
  return classes.length === 0 ? declared : `${declared}\nexport type { ${classes.join(", ")} };\n`;
}

/** Without the comment of a whole file, which stands before that of the file's first declaration. */
const tidy = (declarations) => declarations.replace(/^\/\*\*(?:(?!\*\/).)*\*\/\n(?=\/\*\*)/gms, "");

/** What `declare global` adds for programs without the DOM's types. api-extractor leaves it out. */
const globals = () => emitted().flatMap((file) => read(file).match(/^declare global \{\n.*?^\}\n/gms) ?? []);

/** The names that a rolled-up file exports. */
function exportedNames(declarations) {
  const declared = declarations.matchAll(/^export declare (?:abstract )?\w+ (\w+)/gm);
  const listed = declarations.matchAll(/^export (?:type )?\{ (.*) \}/gm);
  return new Set([
    ...Array.from(declared, ([, name]) => name),
    ...Array.from(listed, ([, names]) => names.split(", ")).flat(),
  ]);
}

/** Every emitted file then imports what the library exports from LIBRARY. */
function importFromLibrary() {
  const declarations = read("dist/index.d.ts");
  const folder = join(EMITTED, "node_modules", LIBRARY);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "index.d.ts"), declarations);
  writeFileSync(join(folder, "package.json"), '{ "type": "module", "types": "index.d.ts" }');

  const exported = exportedNames(declarations);
  const isExported = (name) => exported.has(name.trim().replace(/^type /, ""));
  for (const file of emitted()) {
    const text = read(file).replace(
      /^((?:import|export)(?: type)?) \{([^}]*)\} from ("\.[^"]+");$/gm,
      (_, keyword, list, from) => {
        const names = list.split(",").filter((name) => name.trim() !== "");
        const [ours, others] = [names.filter(isExported), names.filter((name) => !isExported(name))];
        return `${keyword} {${ours}} from "${LIBRARY}";\n${keyword} {${others}} from ${from};`;
      },
    );
    writeFileSync(file, text);
  }
}

/** The imports from LIBRARY, of which api-extractor writes one for each name, as one from index.d.ts. */
function importFromIndex(declarations, path) {
  const pattern = new RegExp(`^import (?:type )?\\{ (\\w+(?: as \\w+)?) \\} from '${LIBRARY}';\n`, "gm");
  const names = Array.from(declarations.matchAll(pattern), ([, name]) => name);
  if (names.length === 0) return declarations;
  const index = posix.relative(posix.dirname(path), "index.js");
  const from = index.startsWith(".") ? index : `./${index}`;
  return `import { ${names.join(", ")} } from "${from}";\n${declarations.replace(pattern, "")}`;
}

const { index: _, ...others } = ENTRIES;
writeFileSync("dist/index.d.ts", [rollUp("index"), ...globals()].join("\n"));
importFromLibrary();
for (const path of Object.keys(others)) {
  writeFileSync(`dist/${path}.d.ts`, importFromIndex(rollUp(path), path));
}
copyFileSync(join(EMITTED, "bundle/compiled.d.ts"), "dist/compiled.d.ts");
rmSync(EMITTED, { recursive: true });
