/** examples/recall: its drawing and reading on their own, and the whole of it as `npm start` runs it. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";

/** The example is plain JavaScript, so its types are not checked here. */
const load = (name: string) => import(new URL(`../../examples/recall/${name}`, import.meta.url).href);
const { heatStrips } = await load("heat.js");
const { plot, table } = await load("plot.js");
const { Terminal } = await load("terminal.js");
const { UNKNOWN, Vocabulary, toBatch } = await load("text.js");

const plain = new Terminal({});
const coloured = new Terminal({ isTTY: true, columns: 20, hasColors: () => true });

describe("texts", () => {
  const vocabulary = new Vocabulary({ words: ["<pad>", "<unk>", "i", "music"], subjects: [], answers: [] });

  it("case and punctuation do not count, and unknown words say so", () => {
    expect(vocabulary.read(' "Music," - I\n chose! ')).toEqual([
      { shown: '"Music,"', id: 3 },
      { shown: "I", id: 2 },
      { shown: "chose!", id: UNKNOWN },
    ]);
    expect(vocabulary.read(" ?! ")).toEqual([]);
    expect(vocabulary.read("Музыка, 音楽")).toEqual([
      { shown: "Музыка,", id: UNKNOWN },
      { shown: "音楽", id: UNKNOWN },
    ]);
  });

  it("a batch has one column per text, filled up below", () => {
    const { indices, lengths } = toBatch(["music i music", "i"].map((text) => vocabulary.read(text)));
    expect([...indices.data]).toEqual([3, 2, 2, 0, 3, 0]);
    expect(indices.shape).toEqual([3, 2]);
    expect(lengths).toEqual([3, 1]);
  });
});

describe("strips", () => {
  const strips = [{ name: "gate", values: [0, 0.55, 1] }];

  it("lie under their words in characters from light to dark", () => {
    expect(heatStrips(["Music", "was", "it."], strips, plain)).toEqual([
      "      Music was it.",
      "gate        ++++@@@@",
      "",
    ]);
  });

  it("wrap to the terminal, cutting only a word that is longer than a line", () => {
    const lines: string[] = heatStrips(["Music", "was", "x".repeat(30)], strips, coloured);
    const shown = lines.map(stripVTControlCharacters);
    expect(shown.filter((_, at) => at % 3 === 0)).toEqual(["      Music was", `      ${"x".repeat(13)}`]);
    expect(Math.max(...shown.map((line) => line.length))).toBeLessThanOrEqual(20);
    expect(lines[1]).toContain("\x1b[48;5;233m      \x1b[49m");
  });
});

it("draws bars and table over the same columns", () => {
  const series = [
    { name: "A", mark: "#", colour: 1, values: [1, 0.5] },
    { name: "B", mark: "o", colour: 2, values: [0.5, 0] },
  ];
  expect(table("x", [1, 10], series)).toEqual([
    "x         1   10", //
    "A      100%  50%",
    "B       50%   0%",
  ]);
  expect(plot([1, 10], series, plain, 2)).toEqual([
    "100% | ##       ",
    " 50% | ##oo ##  ",
    "     +----------",
    "         1   10 ",
    "       ## A  oo B",
  ]);
});

it("runs as npm start does: agrees with PyTorch, and warns of what it does not know", () => {
  const main = fileURLToPath(new URL("../../examples/recall/main.js", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "Cooking was my passion. I picked"], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(stdout.match(/^ok {4}/gm)).toHaveLength(3);
  expect(stdout).not.toContain("\x1b");
  expect(stdout).toContain("The networks do not know these words: Cooking");
  expect(stdout).toContain('begins with "Cooking"');
});
