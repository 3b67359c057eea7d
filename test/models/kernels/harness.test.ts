/** The harness itself: it passes a kernel that is right, and fails one that is wrong or writes where it must not. */
import { expect, it } from "vitest";
import type { Compiled, Compiling } from "../../../src/models/operator.js";
import { checkKernels, checkView, random, runKernels } from "./harness.js";

const input = random([2, 3, 5], 1);
const neg = { operator: "Neg", inputs: [input] };

/** Negates `count` numbers, and changes what else a test asks for. */
function negate(count: number, spoil?: (floats: Float32Array, from: number) => void) {
  return ({ runtime }: Compiling): Compiled => ({
    inPlace: 0,
    bind: (place) => {
      const [from, to] = [place.input(0) / 4, place.output(0) / 4];
      return () => {
        const floats = new Float32Array(runtime.memory.buffer);
        for (let at = 0; at < count; at++) floats[to + at] = -floats[from + at]!;
        spoil?.(floats, to + count);
      };
    },
  });
}

it("passes a kernel that makes what the host makes", () => {
  checkKernels(neg, negate(30));
  expect(runKernels(neg, () => undefined)).toBeUndefined();
});

it("fails one that leaves a number out, writes past the last one, or into its input", () => {
  expect(() => checkKernels(neg, negate(29))).toThrow("Neg(float32[2,3,5]) {} at 0: output 0[29]");
  expect(() =>
    checkKernels(
      neg,
      negate(30, (floats, end) => (floats[end] = 0)),
    ),
  ).toThrow("written beyond it");
  const intoInput = ({ bind, ...rest }: Compiled): Compiled => ({
    ...rest,
    bind: (place) => bind({ ...place, input: place.input, output: () => place.input(0) }),
  });
  expect(() => checkKernels(neg, (node) => intoInput(negate(30)(node)))).toThrow();
  expect(() => checkKernels(neg, () => undefined)).toThrow("no kernels for Neg");
});

it("checks where a view says that numbers lie", () => {
  const identity = { operator: "Identity", inputs: [input] };
  checkView(identity, () => ({ outputs: [0] }));
  checkView(identity, () => ({ inputs: [0] }));
  expect(() => checkView(identity, () => ({ outputs: [1] }))).toThrow();
});
