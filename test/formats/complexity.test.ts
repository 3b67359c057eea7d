/** What a file may cost: work grows in proportion to it. Counted, not timed. */
import { describe, expect, it } from "vitest";
import { readSafetensors, writeSafetensors } from "../../src/formats/index.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { expectLinear } from "../support/work.js";

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

it("finds work that is quadratic", async () => {
  const quadratic = (size: number) => {
    const names = Array.from({ length: size }, (_, index) => `name ${index}`);
    return () => names.filter((name) => names.indexOf(name) < 0);
  };
  await expect(expectLinear(100, quadratic)).rejects.toThrow("work 10000, 40000, 160000, 640000");
});
