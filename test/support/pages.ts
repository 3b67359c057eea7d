/** The project's pages, whose snippets and links are tested. */
import { readdirSync, readFileSync } from "node:fs";

export const root = new URL("../../", import.meta.url);

export const PAGES = [
  "README.md",
  ...readdirSync(new URL("docs/", root)).map((name) => `docs/${name}`),
].filter((name) => name.endsWith(".md"));

export function readPage(path: string): string {
  return readFileSync(new URL(path, root), "utf8");
}

/** The TypeScript snippets of all pages, README's first; each is a program of its own. */
export const SNIPPETS = PAGES.flatMap((page) =>
  [...readPage(page).matchAll(/```ts\n(.*?)```/gs)].map((match, at) => ({
    title: `${page}, snippet ${at + 1}`,
    code: match[1]!,
  })),
);
