/**
 * The licence in what is published: a line at the head of each text of dist/ (a binary has none: it is the one that the
 * scripts embed, byte for byte), and dist/NOTICES.md with the licences of
 * what others wrote and dist/ has a part of. Their texts come from the packages as they are installed.
 *
 * esbuild writes the line into scripts itself (bundle.js, cli.js), so that source maps stay right. It is no `/*!`, which
 * a user's bundler would keep: 40 bytes in every program.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const TEXT = "lstm-wasm, MIT licence; notices of others: dist/NOTICES.md";
export const BANNER = `/* ${TEXT} */`;

/** What dist/ has of other packages. */
const OTHERS = [
  {
    name: "AssemblyScript",
    part:
      "its runtime and standard library, in the binaries and the scripts that embed them. Its logarithm " +
      "is of Arm Optimized Routines, Copyright (c) 2017-2018, Arm Limited, under the MIT licence",
    files: ["assemblyscript/LICENSE", "assemblyscript/NOTICE"],
  },
  {
    name: "@assemblyscript/loader",
    part: "the loader, in the scripts; of AssemblyScript, under the same licence as above",
    files: [],
  },
];

function notices() {
  const parts = OTHERS.map(({ name, part, files }) => {
    const texts = files.map(
      (file) => `\`\`\`\n${readFileSync(`node_modules/${file}`, "utf8").trim()}\n\`\`\`\n`,
    );
    return `## ${name}\n\n${part}.\n${texts.map((text) => `\n${text}`).join("")}`;
  });
  return `<!-- ${TEXT} -->\n# Notices\n\nlstm-wasm is under the MIT licence, in LICENSE. dist/ has parts of others:\n\n${parts.join("\n")}`;
}

/** The content of a file of dist/ with the line at its head, unless it has it. */
function withHead(path, content) {
  if (content.subarray(0, 200).includes(TEXT)) return content;
  const text = content.toString();
  // A source map is JSON, which has no comments.
  if (path.endsWith(".map"))
    return Buffer.from(text.replace("{", `{\n  "x_licence": ${JSON.stringify(TEXT)},`));
  return Buffer.from(`${BANNER}\n${text}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const file of readdirSync("dist", { recursive: true })) {
    const path = join("dist", file);
    if (!/\.(js|map|ts)$/.test(path) || !existsSync(path)) continue;
    writeFileSync(path, withHead(path, readFileSync(path)));
  }
  writeFileSync("dist/NOTICES.md", notices());
}
