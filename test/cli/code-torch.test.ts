/** What `inspect --code` writes for the files of PyTorch 2, run as it is. */
import { copyFileSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/index.js";
import { command, FILES, folder, write } from "../support/cli.js";
import { run } from "../support/cli-code.js";

const at = (name: string) => join(FILES, "torch-2", name);
const plain = (path: string) => command("inspect", path).out;
type Numbers = { shape: number[]; data: number[] };
const EXPECTED: Record<string, Record<string, Numbers>> = JSON.parse(
  readFileSync(at("expected.json"), "utf8"),
);

describe("for every file of PyTorch 2", () => {
  it.each(Object.keys(EXPECTED))("%s", (name) => {
    const { results } = run(at(name));
    expect(Object.keys(results).length).toBeGreaterThan(0);
    for (const { prefix, state } of Object.values(results)) {
      for (const [key, { shape, data }] of Object.entries(state)) {
        const { [prefix + key]: golden } = EXPECTED[name]!;
        expect([shape, data]).toEqual([golden!.shape, golden!.data]);
      }
    }
  });

  it.each(["exported.pt2", "exported-2.4.pt2"])("%s, with what its graph tells", (name) => {
    const { code, results } = run(at(name));
    expect(code).toContain('LSTM.fromStateDict(weights, { prefix: "lstm." });');
    expect(code).toContain("lstm.forward(Tensor.zeros([1, 1, 3])); // (batch, steps, 3)");
    expect(Object.keys(results)).toEqual(["lstm", "head"]);
    expect(plain(at(name))).not.toContain("do not tell batch_first");
  });

  it("a program whose layers differ in them", () => {
    const { code } = run(at("exported-mixed.pt2"));
    expect(code).toContain("first.forward(Tensor.zeros([1, 1, 2])); // (batch, steps, 2)");
    expect(code).toContain("last.forward(Tensor.zeros([1, 1, 6])); // (steps, batch, 6)");
    expect(code).not.toContain("do not tell");
  });
});

it("gives PyTorch's numbers for the layers of a program or a module, the batch first where it is", () => {
  const outputs: Record<string, Record<string, Record<"input" | "output", Numbers>>> = JSON.parse(
    readFileSync(at("outputs.json"), "utf8"),
  );
  const tensor = ({ shape, data }: Numbers) => new Tensor(Float32Array.from(data), shape);
  for (const [name, layers] of Object.entries(outputs)) {
    const given = Object.entries(layers).map(([layer, { input }]) => [layer, tensor(input)] as const);
    const { results } = run(at(name), [], Object.fromEntries(given));
    for (const [layer, { output }] of Object.entries(layers)) {
      const got = results[layer]!.output;
      expect([layer, got.shape]).toEqual([layer, output.shape]);
      const apart = got.data.map((value, index) => Math.abs(value - output.data[index]!));
      expect(Math.max(...apart)).toBeLessThan(2e-6);
    }
  }
});

it("loads a layer without a prefix, beside other tensors", () => {
  const { results } = run(at("no-prefix.pt"));
  expect(Object.keys(results)).toEqual(["lstm", "head"]);
});

describe("shards", () => {
  const INDEX = "model.safetensors.index.json";
  const [FIRST, SECOND] = [1, 2].map((shard) => `model-0000${shard}-of-00002.safetensors`) as [
    string,
    string,
  ];

  it("are read with the index beside them, as a module and in a browser", () => {
    const { code, results } = run(at(INDEX));
    expect(code).toContain("readSafetensors(bytes)");
    expect(Object.keys(results).sort()).toEqual(["head", "lstm"]);
    expect(plain(at(INDEX))).toContain("LSTM 3 -> 4, 2 layers");
    const { out } = command("inspect", at(INDEX), "--code", "--fetch");
    expect(out).toContain("await (await fetch(encodeURIComponent(name))).arrayBuffer()");
    expect(out).not.toContain("node:");
  });

  it("are named where one is given, or missing", () => {
    const alone = command("inspect", at(FIRST));
    expect(alone.code).toBe(4);
    expect(alone.error).toContain(`shard 1 of 2; give ${INDEX} beside it, which names all`);
    for (const name of [INDEX, FIRST]) copyFileSync(at(name), join(folder, name));
    const missing = command("inspect", join(folder, INDEX));
    expect(missing.code).toBe(4);
    expect(missing.error).toContain(`shards: missing of 2 files: "${SECOND}"`);
    const outside = write(
      "out.index.json",
      JSON.stringify({ weight_map: { w: `../${basename(folder)}/a` } }),
    );
    expect(command("inspect", outside).error).toContain(
      'weight_map["w"]: expected the name of a file beside',
    );
    expect(command("inspect", write("no.index.json", "{")).error).toContain("not valid JSON");
  });
});
