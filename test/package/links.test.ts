/** Every link between the pages, every path that they name, and every page that code names leads somewhere. */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readPage, root } from "../support/pages.js";

const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: fileURLToPath(root),
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => path !== "");
const pages = files.filter((path) => path.endsWith(".md") && existsSync(new URL(path, root)));
const rooms = new Set(files.map((path) => path.split("/")[0]!));

/** The text without its blocks of code. */
const proseOf = (page: string) => readPage(page).replace(/^```.*?^```/gms, "");

/** A heading's anchor, as GitHub makes it. */
function anchorOf(heading: string): string {
  const words = heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "");
  return words.trim().replace(/\s/g, "-");
}

function anchorsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map((match) => anchorOf(match[1]!));
}

/** Whether a path from the repository's root exists, and so does the heading after its #. */
function leadsSomewhere(target: string): boolean {
  const [path, anchor] = target.split("#") as [string, string?];
  if (!existsSync(new URL(path, root))) return false;
  return anchor === undefined || anchorsOf(path).includes(anchor);
}

describe.each(pages)("%s", (page) => {
  it("links to files and headings that exist", () => {
    const targets = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
    const missing = targets.filter((target) => {
      if (/^[a-z]+:/.test(target)) return false;
      return !leadsSomewhere(new URL(target, new URL(page, root)).href.slice(root.href.length));
    });
    expect(missing).toEqual([]);
  });

  it("names paths that exist", () => {
    const named = [...proseOf(page).matchAll(/`([^`\s]+)`/g)].map((match) => match[1]!);
    const paths = named.filter((name) => /^[\w.][\w./-]*$/.test(name) && name.includes("/"));
    const missing = paths.filter(
      (path) => rooms.has(path.split("/")[0]!) && !existsSync(new URL(path, root)),
    );
    expect(missing).toEqual([]);
  });
});

describe("the README of the package", async () => {
  const { absoluteLinks, isFolder, relativeLinks } = (await import(
    new URL("src/build/readme.js", root).href
  )) as {
    absoluteLinks(page: string, manifest: unknown, isFolder: (path: string) => boolean): string;
    relativeLinks(page: string, manifest: unknown): string;
    isFolder(path: string): boolean;
  };
  const manifest = JSON.parse(readPage("package.json"));
  const packed = absoluteLinks(readPage("README.md"), manifest, isFolder);
  const [, account] = /github\.com\/(.*)\.git$/.exec(manifest.repository.url)!;
  const links = [...packed.matchAll(/(!?)\[[^[\]]*\]\(([^)\s]+)\)/g)].map(([, mark, address]) => ({
    picture: mark === "!",
    address: address!,
  }));

  it("leads to files, folders and pictures of the repository, by addresses alone", () => {
    expect(links.filter(({ picture }) => picture).length).toBeGreaterThan(0);
    const kinds = [
      [`https://raw.githubusercontent.com/${account}/HEAD/`, (path: string) => !isFolder(path)],
      [`https://github.com/${account}/blob/HEAD/`, (path: string) => !isFolder(path)],
      [`https://github.com/${account}/tree/HEAD/`, isFolder],
    ] as const;
    const wrong = links.filter(({ picture, address }) => {
      const kind = kinds.findIndex(([base]) => address.startsWith(base));
      if (kind < 0) return true;
      const [base, fits] = kinds[kind]!;
      const path = address.slice(base.length);
      return picture !== (kind === 0) || !leadsSomewhere(path) || !fits(path);
    });
    expect(wrong).toEqual([]);
    expect(links.length).toBeGreaterThan(15);
  });

  it("is the repository's with other addresses, and comes back", () => {
    const committed = readPage("README.md");
    expect(committed).not.toContain(account);
    expect(relativeLinks(packed, manifest)).toBe(committed);
    expect(absoluteLinks(packed, manifest, isFolder)).toBe(packed);
  });

  it("has code, addresses and anchors as they were", () => {
    const page =
      "[a](#b) [c](d.md#e) [![f](g.svg)](examples) <https://h.i>\n```js\nj[0](k)\n```\n[l](mailto:m)\n";
    const blob = `https://github.com/${account}/blob/HEAD/`;
    const expected = page
      .replace("d.md", `${blob}d.md`)
      .replace("g.svg", `https://raw.githubusercontent.com/${account}/HEAD/g.svg`)
      .replace("examples", `https://github.com/${account}/tree/HEAD/examples`);
    expect(absoluteLinks(page, manifest, isFolder)).toBe(expected);
  });

  it("is refused for a repository that is not on GitHub", () => {
    const elsewhere = { repository: { url: "git+https://example.org/a/b.git" } };
    expect(() => absoluteLinks("", elsewhere, isFolder)).toThrow(
      "repository.url: expected git+https://github.com",
    );
  });
});

it("code names files that exist", () => {
  const code = files.filter((path) => /\.(ts|js|mjs|py)$/.test(path) && existsSync(new URL(path, root)));
  const named = code.flatMap((path) =>
    // A specifier may say .js of a file that is .ts.
    Array.from(
      readPage(path).matchAll(/(?<![\w./-])(src|assembly|bench|test)\/[\w./-]+\.(ts|js|mjs|py)\b/g),
      ([name]) => ({
        path,
        name,
      }),
    ),
  );
  const isMissing = (name: string) =>
    ![name, name.replace(/\.js$/, ".ts")].some((file) => existsSync(new URL(file, root)));
  expect(named.length).toBeGreaterThan(100);
  expect(named.filter(({ name }) => isMissing(name)).map(({ path, name }) => `${path}: ${name}`)).toEqual([]);
});

it("code names pages and headings that exist", () => {
  const code = files.filter((path) => /\.(ts|js|py)$/.test(path) && existsSync(new URL(path, root)));
  const missing = code.flatMap((path) => {
    const named = readPage(path).match(/\bdocs\/[\w-]+\.md(#[\w-]+)?/g) ?? [];
    return named.filter((target) => !leadsSomewhere(target)).map((target) => `${path}: ${target}`);
  });
  expect(missing).toEqual([]);
});
