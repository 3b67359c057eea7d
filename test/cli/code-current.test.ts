/**
 * What `inspect` offers loads as it is printed: packed, reparametrised and odd files of PyTorch, and models by the
 * default ONNX exporter. What it offers is all that `listModules` and `readOnnx` list.
 */
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  listBrokenModules,
  listModules,
  readOnnx,
  readSafetensors,
  readTorch,
} from "../../src/formats/index.js";
import { Tensor } from "../../src/index.js";
import { command, FILES, folder, write } from "../support/cli.js";
import { run } from "../support/cli-code.js";
import { expectedIn } from "../support/onnx-expected.js";

const filesOf = (folder: string) =>
  readdirSync(join(FILES, folder)).filter((name) => !name.endsWith(".json"));

const TWO_PARTS = "its two parts may be two layers or two directions";
/** The layers of a file that do not load, and why; of both versions of PyTorch. */
const BARRED: Readonly<Record<string, readonly (readonly [prefix: string, reason: string])[]>> = {
  "orthogonal.pt": [["lstm.", "computed by an orthogonal parametrization"]],
  "quantised-pair.pt": [
    ["twice.", TWO_PARTS],
    ["both_ways.", TWO_PARTS],
  ],
  "skipped-weight.pt": [["lstm.", "it is complex"]],
};

describe("for packed, reparametrised and odd files of PyTorch", () => {
  it.each(filesOf("torch-current"))("%s", (name) => {
    const path = join(FILES, "torch-current", name);
    const bytes = readFileSync(path);
    const dict = name.endsWith(".safetensors") ? readSafetensors(bytes) : readTorch(bytes);
    const barred = BARRED[name.replace("-2.4", "")] ?? [];
    const { code, results } = run(path);
    const listed = listModules(dict).map(({ prefix }) => prefix);
    const loaded = Object.values(results).map(({ prefix }) => prefix);
    expect(loaded.sort()).toEqual(listed.sort());
    const broken = listBrokenModules(dict).map(({ prefix, problem }) => [prefix, problem]);
    expect(broken).toEqual(barred.map(([prefix, reason]) => [prefix, expect.stringContaining(reason)]));
    expect(code.split("does not load: ")).toHaveLength(1 + barred.length);
    for (const [prefix, reason] of barred) {
      expect(listed).not.toContain(prefix);
      expect(code).toContain(reason);
    }
    for (const { output } of Object.values(results)) expect(output.data.length).toBeGreaterThan(0);
    // The listing prints the same lines.
    const { code: exit, out } = command("inspect", path);
    expect(exit).toBe(0);
    for (const [line] of code.matchAll(/^const \w+ = \w+\.fromStateDict.*$/gm)) expect(out).toContain(line);
  });
});

describe("for models by the default ONNX exporter", () => {
  const projected = "lstm-projected-state.onnx";

  it("but for one that it writes wrong, of which it says so", () => {
    const { out } = command("inspect", join(FILES, "onnx-dynamo", projected));
    expect(out).toMatch(/not supported: .* writes so an LSTM with proj_size, .*: save the state dict/);
    expect(out).not.toContain("fromStateDict");
  });

  it.each(filesOf("onnx-dynamo").filter((name) => name !== projected))("%s", (name) => {
    const path = join(FILES, "onnx-dynamo", name);
    const { layers, modules } = readOnnx(readFileSync(path));
    const { results, code } = run(path);
    expect(Object.keys(results).length).toBe(layers.length + modules.length);
    const indices = [...code.matchAll(/fromStateDict\((layers|modules)\[(\d+)\]/g)].map(
      ([, list, index]) => list + index!,
    );
    expect(indices).toEqual([
      ...layers.map((_, index) => `layers${index}`),
      ...modules.map((_, index) => `modules${index}`),
    ]);
  });

  it("with each direction of a node, where their activations differ", () => {
    const cases: { name: string; model: string }[] = JSON.parse(
      readFileSync(join(FILES, "onnx-nodes.json"), "utf8"),
    );
    const { model } = cases.find(({ name }) => name === "RNN of two directions that differ")!;
    const { results, code } = run(write("differ.onnx", Buffer.from(model, "base64")));
    expect(Object.keys(results)).toHaveLength(2);
    for (const direction of ["forward", "reverse"]) {
      expect(code).toContain(`// Of one node: the ${direction} direction, whose activations are its own.`);
    }
  });
});

describe("for models by both exporters of PyTorch 2.4", () => {
  it.each(filesOf("onnx-2.4"))("%s", (name) => {
    const path = join(FILES, "onnx-2.4", name);
    const { layers, modules } = readOnnx(readFileSync(path));
    const { results, code } = run(path);
    // Of an unrolled layer the file keeps the weights, by PyTorch's names.
    const isUnrolled = name.includes("unrolled");
    expect(code.includes('fromStateDict(tensors, { prefix: "rnn." })')).toBe(isUnrolled);
    expect(Object.keys(results)).toHaveLength(layers.length + modules.length + Number(isUnrolled));
  });
});

describe("for models whose weights are in a file beside them", () => {
  const FOLDER = new URL("../formats/files/onnx-external/", import.meta.url);

  it.each([
    ["pytorch.onnx", "pytorch.onnx", "pytorch.onnx.data"],
    ["optimum.onnx", "optimum.onnx", "optimum.onnx_data"],
    // Renamed without the file beside it, which keeps its name.
    ["optimum.onnx", "renamed.onnx", "optimum.onnx_data"],
  ])("%s as %s", (name, renamed, beside) => {
    const path = join(folder, renamed);
    copyFileSync(new URL(name, FOLDER), path);
    copyFileSync(new URL(beside, FOLDER), join(folder, beside));
    const { x, y } = expectedIn(FOLDER)[name]!.run!;
    const [batch, steps, features] = x!.shape as [number, number, number];
    const turned = Array.from({ length: steps }, (_, step) =>
      Array.from({ length: batch }, (_, row) => {
        const from = (row * steps + step) * features;
        return x!.data.slice(from, from + features);
      }),
    );
    const given = new Tensor(Float32Array.from(turned.flat(2)), [steps, batch, features]);
    const variable = /^const (\w+) = LSTM\.from/m.exec(command("inspect", path, "--code").out)![1]!;
    const { code, results } = run(path, [], { [variable]: given });
    expect(code).toContain(`externalData: { "${beside}": data }`);
    const { data, shape } = results[variable]!.output;
    expect(shape).toEqual([steps, batch, y!.shape[2]]);
    const units = y!.shape[2]!;
    const apart = y!.data.map((value, at) => {
      const [row, step] = [Math.floor(at / units / steps), Math.floor(at / units) % steps];
      return Math.abs(value - data[(step * batch + row) * units + (at % units)]!);
    });
    expect(Math.max(...apart)).toBeLessThan(2e-6);
  });
});
