/** What a file's names can do to a terminal: nothing. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { printable, printableName, table } from "../../src/cli/terminal.js";
import { writeSafetensors } from "../../src/formats/index.js";
import { Tensor } from "../../src/index.js";
import { COMMAND, command, commandAfter, folder, netFile, npy, write } from "../support/cli.js";
import { reliabilityRow } from "../support/reliability.js";

/** Sequences that a terminal acts on, or that hide or turn what it shows. */
const HOSTILE: Readonly<Record<string, string>> = {
  "clears the screen": "\x1b[2J\x1b[H",
  "sets the title (OSC)": "\x1b]0;owned\x07",
  "writes the clipboard (OSC 52)": "\x1b]52;c;cm0gLXJmIC8=\x1b\\",
  "a link (OSC 8)": "\x1b]8;;http://x\x1b\\text\x1b]8;;\x1b\\",
  "a C1 sequence": "\x9b2J\x9d0;x\x9c",
  "overwrites its line (CR)": "safe\rEVIL",
  backspaces: "\b\b\b\bEVIL",
  "a bell and DEL": "\x07\x7f",
  "another line": "x\n  real.weight  float32  [1]",
  "a NUL": "a\0b",
  "a bidi override": "a\u202egnp.exe\u202c",
  "bidi isolates": "\u2066a\u2067b\u2068c\u2069",
  marks: "\u200e\u200f\u061c",
  "line separators": "a\u2028b\u2029c",
  "zero width": "a\u200bb\u200dc\ufeffd",
  "a tag of plane 14": "a\u{e0041}b",
  fillers: "a\u3164b\u115fc\u034fd\ufe0fe\u00a0f",
};
const UNSAFE = /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u;
const lines = (text: string) => text.split("\n");
let tried = 0;

/** Counts an output without anything that a terminal acts on. */
function expectSafe(text: string): void {
  expect(lines(text).filter((line) => UNSAFE.test(line))).toEqual([]);
  tried++;
}

const dictOf = (name: string) => ({
  [`${name}.weight`]: Tensor.zeros([2, 3]),
  [`${name}.bias`]: Tensor.zeros([2]),
});

describe.each(Object.entries(HOSTILE))("a name that %s", (_, name) => {
  it("reaches the terminal escaped, in tables and in messages", () => {
    const path = write("hostile.safetensors", writeSafetensors(dictOf(name)));
    const listed = command("inspect", path);
    expect(listed.code).toBe(0);
    expectSafe(listed.out);
    expect(lines(listed.out).filter((line) => line.startsWith("  real.weight"))).toEqual([]);
    const wrong = command("run", path, "--input", write("x.npy", npy(Tensor.zeros([2, 2]))), "--prefix", "y");
    expect(wrong.code).toBe(2);
    expectSafe(wrong.error);
    // Truncated, so that the reader's own message has the name.
    const bytes = writeSafetensors(dictOf(name));
    const broken = command("inspect", write("broken.safetensors", bytes.subarray(0, bytes.length - 3)));
    expect(broken.code).toBe(4);
    expectSafe(broken.error);
    expect(lines(broken.error).length).toBe(2);
  });
});

it("escapes as JavaScript does in a string, and leaves letters of every script", () => {
  expect(printable("\x1b[31m\u202e\u{e0041}\n")).toBe("\\x1b[31m\\u202e\\u{e0041}\n");
  expect(printable("\ud800")).toBe("\\ud800");
  expect(printable("größe 重み вес ½ 🙂")).toBe("größe 重み вес ½ 🙂");
  expect(printableName("a\nb")).toBe("a\\x0ab");
});

it("cuts long names in tables, at once", () => {
  const name = `${"a".repeat(1e6)}.weight`;
  expect(printableName(name)).toBe(`${"a".repeat(28)}...${"a".repeat(22)}.weight`);
  expect(printableName("\x1b".repeat(1e6)).length).toBeLessThanOrEqual(60);
  const path = write("long.safetensors", writeSafetensors(dictOf("b".repeat(1e6))));
  const { code, out } = command("inspect", path);
  expect(code).toBe(0);
  expect(Math.max(...lines(out.slice(0, out.indexOf("import"))).map((line) => line.length))).toBeLessThan(
    200,
  );
});

it("makes a table of 200,000 rows", () => {
  const rows = Array.from({ length: 200_000 }, (_, row) => [`name ${row}`, "float32"]);
  const shown = table(rows);
  expect([shown.length, shown[0], shown[199_999]]).toEqual([
    200_000,
    "  name 0       float32",
    "  name 199999  float32",
  ]);
});

describe("a standard output that ends or fails", () => {
  const many = () => {
    const dict = Object.fromEntries(
      Array.from({ length: 40_000 }, (_, at) => [`layer${at}`, Tensor.zeros([1])]),
    );
    return write("many.safetensors", writeSafetensors(dict));
  };
  const shell = (line: string, path: string) =>
    spawnSync("bash", ["-c", `set -o pipefail; ${line}`, "bash", process.execPath, COMMAND, path], {
      encoding: "utf8",
    });

  it("is no error where a pipe is closed", () => {
    const { status, stdout, stderr } = shell('"$1" "$2" inspect "$3" | head -n 1', many());
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("many.safetensors: safetensors");
  });

  it.runIf(existsSync("/dev/full"))("is told in one line where the device is full", () => {
    const { status, stderr } = shell('"$1" "$2" inspect "$3" > /dev/full', many());
    expect(status).toBe(3);
    expect(lines(stderr)).toEqual([expect.stringMatching(/^lstm-wasm: standard output: .*ENOSPC/), ""]);
  });

  it.runIf(existsSync("/dev/full"))("ends with the same code where messages have no room either", () => {
    const { status } = shell('"$1" "$2" inspect /nowhere.pt 2> /dev/full', "");
    expect(status).toBe(3);
  });
});

describe("a path that acts on a terminal", () => {
  const name = "no\x1b[2J\nlstm-wasm: fake";
  const conv = () => write(name, writeSafetensors({ "conv.weight": Tensor.zeros([2, 3, 4]) }));
  const wide = () => write(name, writeSafetensors({ "a.weight": Tensor.zeros([2, 2]) }));
  it.each<[string, number, () => string[]]>([
    ["does not exist", 3, () => ["inspect", join(folder, `${name}/no`)]],
    ["is too long for the system", 3, () => ["inspect", join(folder, name.repeat(200))]],
    ["goes through a file", 3, () => ["inspect", join(netFile, name)]],
    ["is no weight file", 4, () => ["inspect", write(name, new TextEncoder().encode("<html>"))]],
    [
      "has no layer",
      4,
      () => ["run", write(name, writeSafetensors({ x: Tensor.zeros([2]) })), "--input", "x"],
    ],
    ["has another layer", 2, () => ["run", wide(), "--input", "x", "--prefix", "y"]],
    ["is of another format than --path takes", 2, () => ["inspect", wide(), "--path", "x"]],
    ["has nothing to round", 4, () => ["quantize", conv(), join(folder, "none.safetensors")]],
    ["is an option", 2, () => ["inspect", `--${name}`]],
  ])("is escaped on its line where it %s", (_, code, args) => {
    const result = command(...args());
    expect([result.code, result.out]).toEqual([code, ""]);
    expectSafe(result.error);
    expect(lines(result.error).filter((line) => line.startsWith("lstm-wasm: fake"))).toEqual([]);
  });

  it("is escaped in listings", () => {
    const first = command("inspect", wide()).out;
    expectSafe(first);
    expect(lines(first)[0]).toContain("no\\x1b[2J\\x0alstm-wasm: fake: safetensors");
    const { code, out } = command("quantize", wide(), join(folder, "rounded\n.safetensors"));
    expect([code, lines(out).length]).toEqual([0, 5]);
    expectSafe(out);
  });
});

describe("a file without an end", () => {
  let refused = 0;
  const shell = (script: string, ...args: string[]) => {
    const all = ["-c", script, "bash", process.execPath, COMMAND, ...args];
    const { status, stdout, stderr } = spawnSync("bash", all, { encoding: "utf8" });
    return [status, stdout, stderr];
  };
  const run = ["run", netFile, "--prefix", "lstm", "--input"];

  it.each(["/dev/zero", "/dev/null", "/dev/urandom"])("is refused where it is a device: %s", (path) => {
    for (const args of [
      ["inspect", path],
      ["run", path, "--input", path],
      [...run, path],
    ]) {
      const { code, out, error } = command(...args);
      expect([code, out, error]).toEqual([3, "", `lstm-wasm: ${path}: is neither a file nor a pipe\n`]);
      refused++;
    }
  });

  it("is read to its bound where it is a pipe", () => {
    const message = (path: string) =>
      `lstm-wasm: ${path}: gives more than 268435456 bytes; a larger model is read from a file\n`;
    const input = shell('cat /dev/zero | "$1" "$2" inspect /dev/stdin');
    expect(input).toEqual([3, "", message("/dev/stdin")]);
    const fifo = join(folder, "endless");
    spawnSync("mkfifo", [fifo]);
    const script = 'cat /dev/zero > "$3" & "$1" "$2" run "$4" --prefix lstm --input "$3"';
    expect(shell(script, fifo, netFile)).toEqual([3, "", message(fifo)]);
    refused += 2;
  });

  it("is none where the pipe ends", () => {
    const [status, stdout, stderr] = shell('cat "$3" | "$1" "$2" inspect /dev/stdin', netFile);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("/dev/stdin: safetensors, ");
  });

  it("states how many were tried", () => {
    reliabilityRow({
      attack: "Files without an end, as models and as arrays of the command",
      tried: refused,
      survived: refused,
      note: "a device is refused, a pipe after 256 MiB, each with exit code 3",
    });
  });
});

it("tells an error that nobody foresaw in one line", () => {
  for (const name of Object.values(HOSTILE)) {
    const path = write("unforeseen.safetensors", writeSafetensors(dictOf(name)));
    const thrown = "process.stdout.write = (text) => { throw new Error(text); };";
    // After the command's own work, in a callback of which nobody awaits the result.
    const late = `
      const { openSync } = fs;
      fs.openSync = (...args) => {
        if (args[0] === ${JSON.stringify(path)}) setImmediate(() => { throw new Error(${JSON.stringify(name)}); });
        return openSync(...args);
      };`;
    for (const script of [thrown, late]) {
      const { code, error } = commandAfter(script, "inspect", path);
      expect([code, lines(error).length]).toEqual([1, 2]);
      expect(error).toMatch(/^lstm-wasm: unforeseen: Error: /);
      expectSafe(error);
    }
  }
});

it("states how many names were tried", () => {
  reliabilityRow({
    attack: "Outputs with names that act on a terminal",
    tried,
    survived: tried,
    note: "escaped in tables, code and messages",
  });
});
