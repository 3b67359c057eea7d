/** What a state dict of many names may cost: a bounded message, and work in proportion. */
import { expect, it } from "vitest";
import { selectParameters } from "../../src/nn/state-dict.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { expectLinear } from "../support/work.js";

const unexpected = (count: number) =>
  new Map(Array.from({ length: count }, (_, index) => [`name ${index}`, Tensor.zeros([1])] as const));

it("lists a hundred of many unexpected names, and counts the rest", async () => {
  const names = Array.from({ length: 100 }, (_, index) => `unexpected name ${index}`);
  expect(() => selectParameters("LSTM", [], unexpected(1000), {})).toThrow(
    new RangeError(`LSTM.loadStateDict: ${names.join("; ")}; 900 more`),
  );
  await expectLinear(200, (count) => {
    const dict = unexpected(count);
    return () => expect(() => selectParameters("LSTM", [], dict, {})).toThrow("more");
  });
});
