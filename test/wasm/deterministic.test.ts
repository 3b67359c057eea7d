/**
 * The baseline build gives the same bits everywhere: deterministic-cases.ts against the checksums that are committed.
 * Both projects run it, that of the relaxed build after `init({ deterministic: true })`, as a user would.
 *
 * When the arithmetic was changed on purpose: `PRINT_CHECKSUMS=1 npx vitest run --config test/vitest.config.ts
 * --project simd test/wasm/deterministic.test.ts` prints the content of deterministic-checksums.json. The tests compare
 * all the same, so such a run fails until what it printed is committed.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileBuild } from "../../src/bundle/binaries.js";
import * as library from "../../src/index.js";
import { currentRuntime } from "../../src/wasm/current.js";
import { checksum, checksums, deterministicCases } from "../support/deterministic-cases.js";

const committed = JSON.parse(
  readFileSync(new URL("./deterministic-checksums.json", import.meta.url), "utf8"),
) as Record<string, string>;

describe("deterministic results", () => {
  beforeAll(() => {
    library.init({ deterministic: true });
    if (process.env.PRINT_CHECKSUMS) console.log(JSON.stringify(checksums(library), undefined, 2));
  });

  afterAll(() => {
    library.init({ deterministic: process.env.WASM_BUILD === "simd" });
  });

  it("come from the baseline build", () => {
    expect(currentRuntime().build).toBe("simd");
  });

  it("have a committed checksum for every case, and no other", () => {
    const names = deterministicCases.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(Object.keys(committed).sort()).toEqual([...names].sort());
  });

  it.each(deterministicCases)("are the committed bits: $name", ({ name, run }) => {
    const tensors = run(library);
    // A NaN's bits are the engine's own choice; zeros alone would prove nothing.
    expect(tensors.every(({ data }) => data.every(Number.isFinite))).toBe(true);
    expect(tensors.some(({ data }) => data.some((x) => x !== 0))).toBe(true);
    expect(checksum(tensors)).toBe(committed[name]);
  });

  it("differ in their checksum by one bit and by shape", () => {
    const tensor = library.Tensor.randn([4, 3], 1);
    const bits = new Uint32Array(tensor.data.slice().buffer);
    bits[7]! ^= 1;
    const flipped = new library.Tensor(new Float32Array(bits.buffer), [4, 3]);
    expect(checksum([flipped])).not.toBe(checksum([tensor]));
    expect(checksum([new library.Tensor(tensor.data, [3, 4])])).not.toBe(checksum([tensor]));
  });
});

describe("after init", () => {
  it("modules that exist keep the build they were made in", () => {
    using module = new library.GRU({ inputSize: 3, hiddenSize: 5 });
    const input = library.Tensor.randn([4, 3], 1);
    const [before] = module.forward(input);
    library.init({ deterministic: true });
    const [after] = module.forward(input);
    library.init({ deterministic: process.env.WASM_BUILD === "simd" });
    expect(after).toEqual(before);
    expect(currentRuntime().build).toBe(process.env.WASM_BUILD);
  });

  it("modules and streams of two builds work side by side, each as if it were alone", () => {
    const input = library.Tensor.randn([6, 3], 1);
    const dict = new library.LSTM({ inputSize: 3, hiddenSize: 7, numLayers: 2 }).stateDict();
    const { data } = library.Tensor.randn([3], 2);
    /** Bits of everything that a module and its stream give, before and after `between`. */
    const use = (module: library.LSTM, between: () => void) => {
      const stream = module.stream();
      const results = [checksum([module.forward(input)[0], stream.step(data)])];
      between();
      const clone = stream.clone();
      results.push(checksum([module.forward(input)[0], ...module.stateDict().values(), clone.step(data)]));
      stream.dispose();
      return results;
    };
    const builds = [{ deterministic: true }, { deterministic: process.env.WASM_BUILD === "simd" }] as const;
    const alone = builds.map((options) => {
      library.init(options);
      return use(library.LSTM.fromStateDict(dict), () => {});
    });
    const modules = builds.map((options) => {
      library.init(options);
      const large = new library.GRU({ inputSize: 200, hiddenSize: 200 });
      return { module: library.LSTM.fromStateDict(dict), large };
    });
    const [first, second] = modules as [(typeof modules)[0], (typeof modules)[0]];
    let inner: string[] = [];
    const outer = use(first.module, () => {
      inner = use(second.module, () => first.large.dispose());
      second.large.dispose();
    });
    expect([outer, inner]).toEqual(alone);
    for (const { module } of modules) module.dispose();
  });

  it("a module given compiled gives the bits of the build that it is", () => {
    using module = new library.GRU({ inputSize: 3, hiddenSize: 5 });
    const input = library.Tensor.randn([4, 3], 1);
    const dict = module.stateDict();
    const { module: compiled } = compileBuild(process.env.WASM_BUILD === "simd");
    library.init({ module: compiled });
    expect(currentRuntime().build).toBe("given");
    using given = library.GRU.fromStateDict(dict);
    library.init({ deterministic: process.env.WASM_BUILD === "simd" });
    expect(checksum([given.forward(input)[0]])).toBe(checksum([module.forward(input)[0]]));
  });
});
