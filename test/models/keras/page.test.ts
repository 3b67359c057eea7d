/** docs/layers.md lists the layers that run, and no others. */
import { expect, it } from "vitest";
import { LAYERS } from "../../../src/graph/keras/layers/index.js";
import { readPage } from "../../support/pages.js";

it("docs/layers.md lists all layers and operations", () => {
  const page = readPage("docs/layers.md");
  const rows = page.match(/^\|.*\|$/gm)!.slice(2);
  const classes = rows.flatMap((row) => row.split("|")[2]!.match(/\w+/g)!);
  const operations = page.slice(page.indexOf("keras.ops")).match(/`[A-Z]\w+`/g)!;
  const listed = [...classes, ...operations.map((name) => `ops.${name.slice(1, -1)}`)];
  expect(listed.sort()).toEqual(Object.keys(LAYERS).sort());
});
