/** What a file may cost: work grows in proportion to it. Counted, not timed. */
import { describe, expect, it } from "vitest";
import {
  listModules,
  quantizeStateDict,
  readSafetensors,
  writeSafetensors,
} from "../../src/formats/index.js";
import { visitStrided } from "../../src/formats/strided.js";
import { readPickle } from "../../src/formats/torch/pickle/index.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { op } from "../support/torch-writer.js";
import { expectLinear, workOf } from "../support/work.js";

const tensors = (count: number) =>
  new Map(Array.from({ length: count }, (_, index) => [`tensor.${index}`, Tensor.zeros([1])] as const));

describe("safetensors", () => {
  it("reads and writes many tensors in proportion", async () => {
    await expectLinear(500, (count) => {
      const bytes = writeSafetensors(tensors(count));
      return () => readSafetensors(bytes);
    });
    await expectLinear(500, (count) => {
      const dict = tensors(count);
      return () => writeSafetensors(dict);
    });
  });
});

describe("walks over names", () => {
  const layers = (count: number) =>
    new Map(
      Array.from({ length: count }, (_, index) => `lstm${index}.`).flatMap((prefix) => [
        [`${prefix}weight_ih_l0`, Tensor.zeros([4, 1])] as const,
        [`${prefix}weight_hh_l0`, Tensor.zeros([4, 1])] as const,
      ]),
    );

  it("lists and quantises many layers in proportion", async () => {
    for (const walk of [listModules, quantizeStateDict]) {
      await expectLinear(50, (count) => {
        const dict = layers(count);
        return () => walk(dict);
      });
    }
  });
});

describe("views", () => {
  it("take as long with 62 axes of size 1 as without", async () => {
    const visit = (shape: number[]) => () =>
      visitStrided(
        shape,
        shape.map(() => 0),
        0,
        () => {},
      );
    const plain = await workOf(visit([64, 64]));
    const ones = await workOf(visit([64, 64, ...Array.from({ length: 62 }, () => 1)]));
    expect(ones).toBeLessThan(plain * 1.1);
  });
});

describe("pickles", () => {
  it("keep numbers that a file can make collide out of the keys of maps and sets", () => {
    const colliding = [
      op.long((1n << 64n) + 1n, 10),
      op.long((1n << 65n) + 1n, 10),
      [0x47, ...Array(8).fill(0x41)],
      op.int(-1),
      op.int(65_536),
    ];
    const pairs = colliding.flatMap((key) => [...key, ...op.none]);
    const pickles = [
      [...op.emptyDict, ...op.mark, ...pairs, ...op.setItems],
      [...op.mark, ...pairs, 0x64],
      [0x8f, ...op.mark, ...colliding.flat(), 0x90],
      [...op.mark, ...colliding.flat(), 0x91],
      [
        ...op.global("builtins", "set"),
        ...op.mark,
        ...op.mark,
        ...colliding.flat(),
        0x6c,
        ...op.tuple,
        ...op.reduce,
      ],
    ];
    for (const pickle of pickles) {
      const { value } = readPickle(Uint8Array.from([...op.proto(), ...pickle, ...op.stop]));
      const keys = [...(value as Map<unknown, unknown>).keys()];
      expect(keys.map((key) => typeof key)).toEqual(colliding.map(() => "object"));
    }
  });
});

it("finds work that is quadratic", async () => {
  const quadratic = (size: number) => {
    const names = Array.from({ length: size }, (_, index) => `name ${index}`);
    return () => names.filter((name) => names.indexOf(name) < 0);
  };
  await expect(expectLinear(100, quadratic)).rejects.toThrow("work 10000, 40000, 160000, 640000");
});
