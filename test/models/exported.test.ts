/** Whole files of both of PyTorch's exporters give what PyTorch gives, for inputs of two shapes and without rewrites. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadOnnx } from "../../src/models/index.js";

interface Numbers {
  readonly dtype: "float32" | "int64";
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface Run {
  readonly inputs: Readonly<Record<string, Numbers>>;
  readonly outputs: Readonly<Record<string, Numbers>>;
}

const folder = new URL("../formats/files/onnx-models/", import.meta.url);
const expected: Record<string, Run[]> = JSON.parse(readFileSync(new URL("expected.json", folder), "utf8"));

const typed = ({ dtype, shape, data }: Numbers) => ({
  shape,
  data: dtype === "int64" ? BigInt64Array.from(data, BigInt) : Float32Array.from(data),
});

const files = readdirSync(folder).filter((name) => name.endsWith(".onnx"));
/** What a file is the export of. */
const nameOf = (file: string) => file.slice(0, file.lastIndexOf("-"));

it("has a file for what PyTorch gives", () => {
  expect(Array.from(new Set(files.map(nameOf))).sort()).toEqual(Object.keys(expected).sort());
});

describe.each(files)("%s", (file) => {
  it.each([true, false])("gives what PyTorch gives, rewritten: %s", (fuse) => {
    using model = loadOnnx(readFileSync(new URL(file, folder)), { fuse });
    for (const { inputs, outputs } of expected[nameOf(file)]!) {
      const given = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, typed(value)]));
      const got = model.run(given);
      expect(Object.keys(got).sort()).toEqual(Object.keys(outputs).sort());
      for (const [name, { shape, data }] of Object.entries(outputs)) {
        expect([name, got[name]!.shape]).toEqual([name, shape]);
        const apart = data.map((number, at) => Math.abs(number - Number(got[name]!.data[at])));
        expect(Math.max(...apart)).toBeLessThan(1e-5);
      }
    }
  });
});
