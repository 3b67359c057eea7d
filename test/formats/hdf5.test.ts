/** One content in every way that h5py and h5repack store it reads as the same. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { type Hdf5Dataset, type Hdf5Group, openHdf5 } from "../../src/formats/hdf5/index.js";
import { dtypeOf } from "../../src/formats/index.js";
import { Tensor } from "../../src/tensor/tensor.js";

const fileOf = (name: string) => new Uint8Array(readFileSync(new URL(`files/hdf5/${name}`, import.meta.url)));

interface Numbers {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly data: readonly string[];
}
const expected = JSON.parse(new TextDecoder().decode(fileOf("expected.json"))) as {
  /** The arrays that every file has. */
  readonly few: readonly string[];
  /** The data sets of chunks.h5 that hold the box. */
  readonly chunked: readonly string[];
  readonly box: Numbers;
  readonly pages: Numbers;
  readonly attributes: Record<string, string | string[] | Numbers>;
  readonly arrays: Record<string, Numbers>;
};

/** A tensor as expected.json has it. float64 became float32. */
function plain(value: unknown): unknown {
  if (!(value instanceof Tensor)) return value;
  return { shape: value.shape, dtype: dtypeOf(value), data: [...value.data].map(Number) };
}

function numbers(value: Numbers): unknown {
  const { shape, dtype, data } = value;
  const toNumber = (text: string) => {
    if (dtype === "bool") return Number(text === "True");
    if (text === "inf") return Number.POSITIVE_INFINITY;
    return dtype.startsWith("float") ? Math.fround(Number(text)) : Number(text);
  };
  return { shape, dtype, data: data.map(toNumber) };
}

const dataset = (group: Hdf5Group, path: string) => group.get(path) as Hdf5Dataset;

const VARIANTS = [
  "earliest.h5",
  "v108.h5",
  "latest.h5",
  "userblock.h5",
  "dense.h5",
  "gzip.h5",
  "gzip-latest.h5",
  "shuffle.h5",
  "repack-chunks.h5",
  "repack-compact.h5",
  "repack-latest.h5",
];

describe("openHdf5", () => {
  it.each(VARIANTS)("reads %s", (name) => {
    const root = openHdf5(fileOf(name), "test");
    for (const path of expected.few) {
      const value = expected.arrays[path]!;
      const set = dataset(root, path);
      expect([set.kind, set.path, set.shape, set.dtype]).toEqual([
        "dataset",
        `/${path}`,
        value.shape,
        value.dtype,
      ]);
      expect(plain(set.read()), path).toEqual(numbers(value));
    }
    for (const [key, value] of Object.entries(expected.attributes)) {
      const wanted = typeof value === "string" || Array.isArray(value) ? value : numbers(value);
      expect(plain(root.attribute(key)), key).toEqual(wanted);
    }
    expect(root.attributeNames()).toEqual(expect.arrayContaining(Object.keys(expected.attributes)));
    expect(root.attribute("toString")).toBeUndefined();
    expect(root.names()).toEqual(["__proto__", "alias", "empty", "lstm", "scalar"]);
    expect(root.get("lstm")!.attribute("name")).toBe("lstm");
  });

  it.each(VARIANTS)("follows links of %s, also back to the root", (name) => {
    const root = openHdf5(fileOf(name), "test");
    const lstm = root.get("lstm") as Hdf5Group;
    expect(plain(dataset(root, "alias").read())).toEqual(numbers(expected.arrays["lstm/kernel"]!));
    expect(plain(dataset(root, "lstm/up").read())).toEqual(numbers(expected.arrays["lstm/kernel"]!));
    expect(root.get("lstm/whole/lstm/whole")!.address).toBe(root.address);
    expect(lstm.get("/lstm/./whole/scalar")).toMatchObject({ kind: "dataset", path: "/lstm/./whole/scalar" });
    expect(lstm.get("kernel")!.path).toBe("/lstm/kernel");
    expect([root.get("none"), root.get("lstm/kernel/deeper"), root.get("constructor")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("reads numbers of every type, in both byte orders", () => {
    const root = openHdf5(fileOf("types.h5"), "test");
    for (const [path, value] of Object.entries(expected.arrays)) {
      const set = dataset(root, path);
      expect([set.shape, set.dtype], path).toEqual([value.shape, value.dtype]);
      expect(plain(set.read()), path).toEqual(numbers(value));
    }
    expect(dataset(root, "types/i8").read().data).toEqual(new BigInt64Array([-4n, 2n ** 60n]));
  });

  it.each([
    ["chunks.h5", "pages"],
    ["chunks-v110.h5", "rows"],
  ])("reads chunks of %s under every index", (name, long) => {
    const root = openHdf5(fileOf(name), "test");
    for (const path of expected.chunked) {
      expect(plain(dataset(root, path).read()), path).toEqual(numbers(expected.box));
    }
    const set = dataset(root, long);
    expect(set.shape[0]).toBeGreaterThan(250);
    expect([...set.read().data].map(String)).toEqual(expected.pages.data.slice(0, set.shape[0]));
    expect(root.names()).toEqual([...expected.chunked, long].sort());
  });

  it("reads many attributes, and one that is too large for its heap", () => {
    const root = openHdf5(fileOf("dense.h5"), "test");
    expect(root.attribute("more19")).toMatchObject({ data: new BigInt64Array([19n]), shape: [] });
    const huge = root.attribute("huge") as string[];
    expect([huge.length, huge[599]]).toEqual([600, "00000599"]);
    expect(dataset(root, "lstm/link19").read().data).toEqual(new Float32Array([0.25]));
  });

  it("reads types that have a name of their own", () => {
    const root = openHdf5(fileOf("refused.h5"), "test");
    expect(dataset(root, "named").read().data).toEqual(new Float32Array([0, 1, 2]));
    expect(root.get("named")!.attribute("typed")).toMatchObject({ data: new Float32Array([3]) });
  });

  it("refuses what is no HDF5 file, and sets that take more than is allowed", () => {
    expect(() => openHdf5(new Uint8Array(100), "test")).toThrow(
      new FormatError("test: not an HDF5 file: it has no signature"),
    );
    const root = openHdf5(fileOf("earliest.h5"), "test", 200);
    dataset(root, "lstm/kernel").read();
    dataset(root, "lstm/kernel").read();
    expect(() => dataset(root, "lstm/kernel").read()).toThrow(
      /^test: \/lstm\/kernel takes 96 bytes, more than/,
    );
  });
});
