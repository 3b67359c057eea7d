/** examples/char-tfjs without its model: a model that knows the order of the characters writes the alphabet. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { loadTfjs } from "../../src/models/index.js";

const EXAMPLE = fileURLToPath(new URL("../../examples/char-tfjs/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "lstm-wasm-char-tfjs-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Options = { temperature?: number; random?: () => number };
const { write } = (await import(join(EXAMPLE, "writer.js"))) as unknown as {
  write(model: unknown, text: string, options?: Options): Iterator<string, never>;
};
const { SOURCE } = (await import(join(EXAMPLE, "source.js"))) as unknown as {
  SOURCE: { address: string; files: [string, string][] };
};

/** Of four characters with `size` letters. After each one the next is ten times as probable as the one after that. */
function alphabet(size: number) {
  const layer = (className: string, config: object) => ({ class_name: className, config });
  const layers = [
    layer("Flatten", { name: "rows", batch_input_shape: [null, 4, size], dtype: "float32" }),
    layer("Dense", { name: "next", units: size, activation: "softmax", use_bias: false }),
  ];
  const kernel = new Float32Array(4 * size * size);
  for (let letter = 0; letter < size; letter++) {
    const row = (3 * size + letter) * size;
    kernel[row + ((letter + 1) % size)] = 40;
    kernel[row + ((letter + 2) % size)] = 40 - Math.log(10);
  }
  const weights = [{ name: "next/kernel", shape: [4 * size, size], dtype: "float32" }];
  const description = {
    modelTopology: {
      keras_version: "2.1.5",
      backend: "tensorflow",
      model_config: layer("Sequential", { name: "alphabet", layers }),
    },
    weightsManifest: [{ paths: ["group1-shard1of1"], weights }],
  };
  return { description, bytes: new Uint8Array(kernel.buffer) };
}

const { description, bytes } = alphabet(57);
const take = (letters: Iterator<string>, count: number) =>
  Array.from({ length: count }, () => letters.next().value).join("");

describe("write", () => {
  const written = (text: string, options: Options, count = 5) => {
    using model = loadTfjs(description, { "group1-shard1of1": bytes });
    return take(write(model, text, options), count);
  };

  it("goes on with the most probable character at temperature 0", () => {
    expect(written("a", { temperature: 0 })).toBe("bcdef");
    expect(written("XYZ", { temperature: 0 }, 3)).toBe("äæé");
  });

  it("draws the characters as the model has them at 1, and more surely below", () => {
    // Ten of eleven parts are the next one's.
    expect(written("a", { temperature: 1, random: () => 0.9 })).toBe("bcdef");
    expect(written("a", { temperature: 1, random: () => 0.92 })).toBe("cegik");
    // 100 of 101.
    expect(written("a", { temperature: 0.5, random: () => 0.98 })).toBe("bcdef");
    expect(written("a", { temperature: 0.5, random: () => 0.995 })).toBe("cegik");
  });

  it("refuses a model of other characters", () => {
    const other = alphabet(5);
    using model = loadTfjs(other.description, { "group1-shard1of1": other.bytes });
    expect(() => take(write(model, "a"), 1)).toThrow("expected a model of 57 characters, got one of 5");
  });
});

describe("main.js", () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(EXAMPLE, "main.js"), ...args], { encoding: "utf8" });

  it("says where the model is when there is none", () => {
    for (const args of [[], [join(folder, "none.json")]]) {
      const { status, stderr } = run(...args);
      expect(status).toBe(2);
      expect(stderr.includes("none.json: no such file")).toBe(args.length === 1);
      expect(stderr).toContain(SOURCE.address);
      for (const [name, sha256] of SOURCE.files) expect(stderr).toContain(`${name}  sha256 ${sha256}`);
    }
  });

  it("writes on from a text", () => {
    const path = join(folder, "model.json");
    writeFileSync(path, JSON.stringify(description));
    writeFileSync(join(folder, "group1-shard1of1"), bytes);
    const { status, stdout, stderr } = run(path, "--text", "abc", "--length", "3", "--temperature", "0");
    expect([status, stdout, stderr]).toEqual([0, "abcdef\n", ""]);
  });
});
