/**
 * The README of the package, whose links must work outside of the repository: `node src/build/readme.js absolute` makes
 * them absolute, and `relative` turns them back. npm packs the README of the working folder, so `prepack` does the one
 * and `postpack` the other. `npm publish` reads the page for npm's site once more after it has packed: there
 * `postpublish` turns them back, and `relative --after-pack` does nothing.
 */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Where a repository's files are for people, and where its pictures are for pages. */
function bases({ repository }) {
  const { account } =
    /^git\+https:\/\/github\.com\/(?<account>[^/]+\/[^/]+)\.git$/.exec(repository.url)?.groups ?? {};
  if (account === undefined) {
    throw new RangeError(
      `package.json: repository.url: expected git+https://github.com/OWNER/NAME.git, got ${repository.url}`,
    );
  }
  return {
    file: `https://github.com/${account}/blob/HEAD/`,
    folder: `https://github.com/${account}/tree/HEAD/`,
    picture: `https://raw.githubusercontent.com/${account}/HEAD/`,
  };
}

/** Blocks of code, which stay as they are. */
const CODE = /(^```.*?^```$)/gms;
const PICTURE = /(!\[[^\]]*\]\()([^)\s]+)/g;
/** Of a picture too, whose address is absolute by then. */
const LINK = /(\]\()([^)\s]+)/g;
const isAbsolute = (target) => /^([a-z]+:|#)/.test(target);

/**
 * @param {string} page  Markdown with links relative to the repository's root
 * @param {{ repository: { url: string } }} manifest  package.json
 * @param {(path: string) => boolean} isFolder
 */
export function absoluteLinks(page, manifest, isFolder) {
  const { file, folder, picture } = bases(manifest);
  const led = (baseOf) => (whole, before, target) =>
    isAbsolute(target) ? whole : `${before}${baseOf(target.split("#")[0])}${target}`;
  return page
    .split(CODE)
    .map((part) => {
      if (part.startsWith("```")) return part;
      const drawn = part.replace(
        PICTURE,
        led(() => picture),
      );
      return drawn.replace(
        LINK,
        led((path) => (isFolder(path) ? folder : file)),
      );
    })
    .join("");
}

/** The same page with the links of the repository relative again. */
export function relativeLinks(page, manifest) {
  return Object.values(bases(manifest)).reduce((text, base) => text.replaceAll(`](${base}`, "]("), page);
}

/** Whether a path from the working folder is a folder's. */
export const isFolder = (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [to, after] = process.argv.slice(2);
  const manifest = JSON.parse(readFileSync("package.json", "utf8"));
  const page = readFileSync("README.md", "utf8");
  if (to === "absolute") writeFileSync("README.md", absoluteLinks(page, manifest, isFolder));
  else if (to === "relative") {
    const early = after === "--after-pack" && process.env.npm_command === "publish";
    if (!early) writeFileSync("README.md", relativeLinks(page, manifest));
  } else {
    console.error("usage: node src/build/readme.js absolute | relative [--after-pack]");
    process.exitCode = 2;
  }
}
