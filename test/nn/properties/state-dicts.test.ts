/** State dicts come back as they were loaded, under any prefix. */
import { describe, expect } from "vitest";
import { GRU, LSTM, RNN, Tensor } from "../../../src/index.js";
import {
  expectSameResult,
  makeModule,
  makeNetwork,
  type Recurrent,
  run,
  seededDict,
} from "../../support/networks.js";
import { holds, inputOf } from "../../support/properties.js";
import { expectSameBits, unmodified } from "../../support/tensors.js";

describe("state dicts", () => {
  const CLASSES = { LSTM, GRU, RNN };

  holds("come back as they were loaded, in PyTorch's order, and make the same network", (spec, drawn) => {
    const dict = seededDict(spec);
    using module = makeModule(spec);
    unmodified([...dict.values()], () => module.loadStateDict(dict));
    const read = module.stateDict();
    expect([...read.keys()]).toEqual([...dict.keys()]);
    for (const [name, tensor] of read) expectSameBits(tensor, dict.get(name)!, name);

    const input = inputOf(spec, drawn);
    const expected = run(module, input);
    using copy = makeModule(spec).loadStateDict(Object.fromEntries(read));
    expectSameResult(run(copy, input), expected, "copy");
    // What stateDict gave are copies: changing them changes nothing.
    for (const { data } of read.values()) data.fill(1);
    expectSameResult(run(module, input), expected, "after changing the copies");
  });

  holds("are found below a prefix, and give the network's sizes", (spec, drawn) => {
    using module = makeNetwork(spec);
    const prefixed = new Map<string, Tensor>([["decoder.weight", Tensor.zeros([2])]]);
    for (const [name, tensor] of seededDict(spec)) prefixed.set(`encoder.rnn.${name}`, tensor);
    const options = { prefix: "encoder.rnn." };
    using loaded = makeModule(spec).loadStateDict(prefixed, options);
    using read = (CLASSES[spec.kind] as typeof RNN).fromStateDict(prefixed, {
      ...options,
      ...(spec.kind === "RNN" ? { nonlinearity: spec.nonlinearity } : {}),
    }) as Recurrent;
    const sizes = ({ inputSize, hiddenSize, numLayers, bidirectional, bias }: Recurrent) => [
      inputSize,
      hiddenSize,
      numLayers,
      bidirectional,
      bias,
    ];
    expect(sizes(read)).toEqual(sizes(module));
    const input = inputOf(spec, drawn);
    const expected = run(module, input);
    expectSameResult(run(loaded, input), expected, "loadStateDict");
    expectSameResult(run(read, input), expected, "fromStateDict");
  });
});
