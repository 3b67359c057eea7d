/** int8 modules against themselves, bit for bit. */
import { describe, expect, it } from "vitest";
import { Tensor } from "../../../src/index.js";
import {
  drawn,
  expectSameBits,
  FORMS,
  float32Of,
  MODULES,
  rowsOf,
  runAny,
  selectGroups,
} from "../../support/int8-modules.js";

describe.each(MODULES)("%s bit for bit", (_, Module, extra) => {
  const make = (options: object) =>
    drawn(new Module({ inputSize: 9, hiddenSize: 21, ...extra, ...options, precision: "int8" }));
  const input = float32Of([40, 5, 9], 6, 2);
  const part = (row: number, length = 40) =>
    new Tensor(
      Float32Array.from(
        rowsOf(input, row)
          .slice(0, length)
          .flatMap((x) => [...x]),
      ),
      [length, 1, 9],
    );

  it("a row of a batch is that row alone", () => {
    using module = make({ numLayers: 2 });
    const [output] = runAny(module, input);
    for (let row = 0; row < 5; row++) {
      const [alone] = runAny(module, part(row));
      expect(alone.data).toEqual(Float32Array.from(rowsOf(output, row).flatMap((x) => [...x])));
    }
  });

  it("a stream is forward", () => {
    using module = make({ numLayers: 2 });
    const [output] = runAny(module, part(0));
    using stream = module.stream();
    rowsOf(part(0), 0).forEach((x, step) => {
      expect(stream.step(x).data).toEqual(rowsOf(output, 0)[step]);
    });
    const [batchOutput] = runAny(module, input);
    using batchStream = module.stream({ batchSize: 5 });
    for (let step = 0; step < 40; step++) {
      const x = new Tensor(input.data.slice(step * 45, (step + 1) * 45), [5, 9]);
      const size = batchOutput.data.length / 40;
      expect(batchStream.step(x).data).toEqual(batchOutput.data.slice(step * size, (step + 1) * size));
    }
  });

  it("lengths cut rows", () => {
    using module = make({ bidirectional: true });
    const lengths = [7, 40, 1, 39, 20];
    const [output] = runAny(module, input, lengths);
    lengths.forEach((length, row) => {
      const [alone] = runAny(module, part(row, length));
      const rows = rowsOf(output, row);
      expect(alone.data).toEqual(Float32Array.from(rows.slice(0, length).flatMap((x) => [...x])));
      expect(rows.slice(length).every((x) => x.every((value) => value === 0))).toBe(true);
    });
  });

  it("two directions are two modules, two layers are two modules", () => {
    using module = make({ bidirectional: true, numLayers: 2 });
    const dict = module.stateDict();
    const single = (layer: number, reverse: boolean) => {
      const suffix = `_l${layer}${reverse ? "_reverse" : ""}`;
      const found = [...dict].filter(([name]) => name.replace(/_scale$/, "").endsWith(suffix));
      return Module.fromStateDict(
        new Map(found.map(([name, tensor]) => [name.replace(suffix, "_l0"), tensor])),
      );
    };
    const reversed = ({ data, shape }: Tensor) => {
      const size = data.length / shape[0]!;
      const turned = new Float32Array(data.length);
      for (let step = 0; step < shape[0]!; step++) {
        turned.set(data.subarray(step * size, (step + 1) * size), data.length - (step + 1) * size);
      }
      return new Tensor(turned, shape);
    };
    let source = input;
    for (const layer of [0, 1]) {
      using ahead = single(layer, false);
      using back = single(layer, true);
      const a = runAny(ahead, source)[0];
      const b = reversed(runAny(back, reversed(source))[0]);
      const width = a.shape[2]!;
      const joined = new Float32Array(2 * a.data.length);
      for (let at = 0; at < a.data.length / width; at++) {
        joined.set(a.data.subarray(at * width, (at + 1) * width), 2 * at * width);
        joined.set(b.data.subarray(at * width, (at + 1) * width), (2 * at + 1) * width);
      }
      source = new Tensor(joined, [40, 5, 2 * width]);
    }
    expectSameBits("output", runAny(module, input)[0], source);
  });

  it("batchFirst is a transposition", () => {
    using module = make({});
    using first = make({ batchFirst: true }).loadStateDict(module.stateDict());
    const [output] = runAny(module, input);
    const turned = new Tensor(
      Float32Array.from([0, 1, 2, 3, 4].flatMap((row) => rowsOf(input, row).flatMap((x) => [...x]))),
      [5, 40, 9],
    );
    const [result] = runAny(first, turned);
    const expected = [0, 1, 2, 3, 4].flatMap((row) => rowsOf(output, row).flatMap((x) => [...x]));
    expect(result.data).toEqual(Float32Array.from(expected));
  });

  // The baseline build has one form only.
  if (FORMS.length > 1) {
    it("both forms of the activations give the same bits", () => {
      using given = make({ numLayers: 2, bidirectional: true });
      const dict = given.stateDict();
      const results = FORMS.map((form) => {
        selectGroups(form);
        using module = make({ numLayers: 2, bidirectional: true }).loadStateDict(dict);
        return runAny(module, input)[0];
      });
      expectSameBits("output", results[1]!, results[0]!);
    });
  }

  it("its state dict makes the same module again", () => {
    using module = make({ numLayers: 2 });
    using again = Module.fromStateDict(module.stateDict());
    expect(again.precision).toBe("int8");
    expect(again.stateDict()).toEqual(module.stateDict());
    expectSameBits("output", runAny(again, input)[0], runAny(module, input)[0]);
  });
});
