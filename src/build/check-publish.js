/**
 * `npm run check:publish [-- FOLDER]`: whether the package may be published. It refuses the owner's placeholder, which
 * stands for whoever publishes, in anything that would be, links of the README to another address than the repository's,
 * and a release without its part of the changelog.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { absoluteLinks, isFolder } from "./readme.js";

/** No account can have this name: GitHub allows no underscore. */
const PLACEHOLDER = "YOUR_ACCOUNT";

const folder = resolve(process.argv[2] ?? ".");
const read = (file) => readFileSync(join(folder, file), "utf8");
const manifest = JSON.parse(read("package.json"));
const problems = [];

for (const field of ["repository", "bugs", "homepage", "author", "license", "description"]) {
  const text = JSON.stringify(manifest[field]);
  if (text === undefined) problems.push(`package.json: ${field} is missing`);
  else if (text.includes(PLACEHOLDER))
    problems.push(`package.json: ${field} has the placeholder ${PLACEHOLDER}`);
}
if (!read("CHANGELOG.md").includes(`\n## ${manifest.version}\n`)) {
  problems.push(`CHANGELOG.md: no part for version ${manifest.version}`);
}
const [pack] = JSON.parse(
  execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }),
);
const files = pack.files.map(({ path }) => path);
for (const file of ["LICENSE", "README.md", "dist/NOTICES.md", "dist/index.js", "dist/index.d.ts"]) {
  if (!files.includes(file)) problems.push(`${file}: not in the package`);
}
for (const file of files) {
  if (file !== "package.json" && read(file).includes(PLACEHOLDER)) {
    problems.push(`${file}: has the placeholder ${PLACEHOLDER}`);
  }
}

try {
  const page = absoluteLinks(read("README.md"), manifest, (path) => isFolder(join(folder, path)));
  const own = new RegExp(
    `^https://(github|raw\\.githubusercontent)\\.com/(?<account>[^/]+/${manifest.name})/`,
  );
  const [, account] = /github\.com\/(.*)\.git$/.exec(manifest.repository.url);
  for (const [, address] of page.matchAll(/\]\(([^)\s]+)\)/g)) {
    const found = own.exec(address)?.groups.account;
    if (found !== undefined && found !== account) {
      problems.push(`README.md: ${address} is not at package.json's repository`);
    }
  }
} catch (error) {
  problems.push(error.message);
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error(
    `Not to be published: ${problems.length} problems. ${PLACEHOLDER} is to be replaced everywhere.`,
  );
  process.exitCode = 1;
} else console.log(`${manifest.name} ${manifest.version}: ${files.length} files, ready to be published`);
