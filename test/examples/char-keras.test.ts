/** examples/char-keras: a stateful model of Keras, beside the text that Keras writes by it. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const EXAMPLE = fileURLToPath(new URL("../../examples/char-keras/", import.meta.url));

const { Sampler } = (await import(join(EXAMPLE, "sampler.js"))) as unknown as {
  Sampler: new (
    file: Uint8Array,
    characters: string,
  ) => {
    write(prompt: string, options?: { temperature?: number; random?: () => number }): Iterator<string, never>;
    dispose(): void;
  };
};
const read = (name: string) => readFileSync(join(EXAMPLE, name));
const { characters, greedy, temperature, drawn } = JSON.parse(read("licence.json").toString()) as {
  characters: string;
  greedy: Record<string, string>;
  temperature: number;
  drawn: string;
};
const [[prompt, text]] = Object.entries(greedy) as [[string, string]];
const take = (letters: Iterator<string>, count: number) =>
  Array.from({ length: count }, () => letters.next().value).join("");

describe("the sampler", () => {
  it("writes Keras' text when it always takes the most probable character", () => {
    const sampler = new Sampler(read("licence.keras"), characters);
    for (const [start, rest] of Object.entries(greedy)) {
      expect(rest.length).toBeGreaterThan(40);
      expect(take(sampler.write(start), rest.length)).toBe(rest);
    }
    sampler.dispose();
  });

  it("draws Keras' text with the same random numbers", () => {
    const sampler = new Sampler(read("licence.keras"), characters);
    const random = () => {
      let count = 0;
      return () => (++count * 0.6180339887498949) % 1;
    };
    expect(drawn.length).toBeGreaterThan(100);
    expect(take(sampler.write(prompt, { temperature, random: random() }), drawn.length)).toBe(drawn);
    // At so low a temperature the likeliest character always wins.
    expect(take(sampler.write(prompt, { temperature: 1e-3, random: random() }), text.length)).toBe(text);
    sampler.dispose();
  });

  it("refuses prompts that the model cannot read", () => {
    const sampler = new Sampler(read("licence.keras"), characters);
    expect(() => sampler.write("→").next()).toThrow('prompt: the model has no "→"');
    expect(() => sampler.write("").next()).toThrow("prompt: expected at least one character");
    sampler.dispose();
  });

  it("writes from the command line", () => {
    const args = [join(EXAMPLE, "main.js"), "--prompt", prompt, "--temperature", "0", "--length", "30"];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect([status, stdout, stderr]).toEqual([0, `${prompt}${text.slice(0, 30)}\n`, ""]);
  });
});
