/** What state dicts of many names and lists of many tensors may cost: a bounded message, and work in proportion. */
import { describe, expect, it } from "vitest";
import { concat, Linear, LSTM, quantizeModule, Sequential, topk } from "../../src/index.js";
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

describe("stacks of many layers", () => {
  const sizes = { inputSize: 1, hiddenSize: 1 };
  /** A stack's state in a dict with as many names of other modules. */
  const stateOf = (numLayers: number) => {
    using lstm = new LSTM({ ...sizes, numLayers });
    return new Map([...unexpected(4 * numLayers), ...lstm.stateDict()]);
  };

  it("read and load their state in proportion", async () => {
    await expectLinear(32, (numLayers) => {
      const lstm = new LSTM({ ...sizes, numLayers });
      return () => lstm.stateDict();
    });
    await expectLinear(32, (numLayers) => {
      const lstm = new LSTM({ ...sizes, numLayers });
      const dict = stateOf(numLayers);
      return () => lstm.loadStateDict(dict, { strict: false });
    });
  });

  it("are made from a state dict and quantised in proportion", async () => {
    await expectLinear(32, (numLayers) => {
      using lstm = new LSTM({ ...sizes, numLayers });
      const dict = lstm.stateDict();
      return () => LSTM.fromStateDict(dict).dispose();
    });
    await expectLinear(32, (numLayers) => {
      const lstm = new LSTM({ ...sizes, numLayers });
      return () => quantizeModule(lstm, Tensor.zeros([4, 1]));
    });
  });
});

it("makes a Linear from a dict of many names in proportion", async () => {
  await expectLinear(100, (count) => {
    const dict = new Map([...unexpected(count), ["head.weight", Tensor.zeros([1, 1])] as const]);
    return () => Linear.fromStateDict(dict, { prefix: "head." }).dispose();
  });
});

it("reads and loads the state of a chain of many members in proportion", async () => {
  const chain = (length: number) =>
    new Sequential(Array.from({ length }, () => new Linear({ inFeatures: 1, outFeatures: 1 })));
  await expectLinear(32, (length) => {
    const sequential = chain(length);
    return () => sequential.loadStateDict(sequential.stateDict());
  });
});

describe("lists and rows", () => {
  it("joins many tensors without elements beside many rows in proportion", async () => {
    await expectLinear(200, (count) => {
      const tensors = [
        Tensor.zeros([count, 1]),
        ...Array.from({ length: count }, () => Tensor.zeros([count, 0])),
      ];
      return () => concat(tensors, 1);
    });
  });

  it.each(["rising", "falling"])("finds the largest of a %s row in proportion", async (order) => {
    await expectLinear(2000, (size) => {
      const data = Float32Array.from({ length: size }, (_, at) => (order === "rising" ? at : -at));
      return () => topk(new Tensor(data, [size]), 5);
    });
  });

  it("finds half of a rising row in n log n", async () => {
    await expectLinear(2000, (size) => {
      const data = Float32Array.from({ length: size }, (_, at) => at);
      return () => topk(new Tensor(data, [size]), size / 2);
    });
  });
});

it("a Linear reads its state in proportion to its size, and loads it in proportion to the dict", async () => {
  await expectLinear(256, (inFeatures) => {
    const linear = new Linear({ inFeatures, outFeatures: 64 });
    return () => linear.stateDict();
  });
  await expectLinear(256, (inFeatures) => {
    const linear = new Linear({ inFeatures, outFeatures: 64 });
    const dict = linear.stateDict();
    return () => linear.loadStateDict(dict);
  });
  await expectLinear(100, (count) => {
    const linear = new Linear({ inFeatures: 1, outFeatures: 1 });
    const dict = new Map([...unexpected(count), ...linear.stateDict()]);
    return () => linear.loadStateDict(dict, { strict: false });
  });
  await expectLinear(200, (count) => {
    const linear = new Linear({ inFeatures: 1, outFeatures: 1 });
    const dict = new Map([...unexpected(count), ...linear.stateDict()]);
    return () => expect(() => linear.loadStateDict(dict)).toThrow("more");
  });
});
