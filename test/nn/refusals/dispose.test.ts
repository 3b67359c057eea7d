/** After dispose, every method of every class and stream throws. */
import { describe, expect, it } from "vitest";
import { Embedding, GRU, GRUCell, Linear, LSTM, LSTMCell, RNN, RNNCell } from "../../../src/index.js";
import { currentRuntime } from "../../../src/wasm/current.js";
import { any, SIZES, zeros } from "../../support/refusals.js";

describe("after dispose", () => {
  const classes = { LSTM, GRU, RNN, LSTMCell, GRUCell, RNNCell };
  const instances = {
    ...Object.fromEntries(Object.entries(classes).map(([name, Class]) => [name, new Class(SIZES)])),
    Linear: new Linear({ inFeatures: 6, outFeatures: 4 }),
    Embedding: new Embedding({ numEmbeddings: 5, embeddingDim: 3 }),
  };
  const calls = Object.entries(instances).flatMap(([name, module]) => {
    const dict = module.stateDict();
    const methods = ["forward", "trace", "stream", "loadStateDict", "stateDict"].filter((m) => m in module);
    module.dispose();
    return methods.map((method) => ({ name, method, call: () => any(module)[method](any(dict)) }));
  });

  it("covers every method of every class", () => {
    expect(calls.length).toBe(8 * 3 + 3 + 1);
  });

  it.each(calls)("$name.$method throws", ({ name, call }) => {
    expect(call).toThrow(new Error(`${name}: used after dispose()`));
  });

  it("a second dispose does nothing", () => {
    const before = currentRuntime().liveBytes;
    for (const module of Object.values(instances)) module.dispose();
    expect(currentRuntime().liveBytes).toBe(before);
  });

  for (const [name, Class] of Object.entries({ LSTM, GRU, RNN })) {
    const uses = (opened: ReturnType<LSTM["stream"]>) => ({
      step: () => opened.step(zeros(6)),
      "get state": () => opened.state,
      "set state": () => {
        opened.state = [zeros(1, 1, 4), zeros(1, 1, 4)];
      },
      reset: () => opened.reset(),
      clone: () => opened.clone(),
    });

    const module = new Class(SIZES);
    const disposed = any(module.stream());
    disposed.dispose();
    it.each(Object.entries(uses(disposed)))(`${name}.stream: %s throws`, (_, use) => {
      expect(use).toThrow(new Error("stream: used after dispose()"));
    });
    it(`${name}.stream: the module and its other streams go on`, () => {
      const other = module.stream();
      disposed.dispose();
      expect(other.step(zeros(6)).shape).toEqual([4]);
      other.dispose();
      expect(module.forward(zeros(2, 6))[0].shape).toEqual([2, 4]);
    });

    const ended = new Class(SIZES);
    const orphan = any(ended.stream());
    ended.dispose();
    it.each(Object.entries(uses(orphan)))(
      `${name}.stream after its module's dispose: %s throws`,
      (_, use) => {
        expect(use).toThrow(new Error("stream: used after its module's dispose()"));
      },
    );
    it(`${name}.stream after its module's dispose can be disposed of`, () => {
      const before = currentRuntime().liveBytes;
      orphan.dispose();
      expect(currentRuntime().liveBytes).toBeLessThan(before);
    });
  }
});
