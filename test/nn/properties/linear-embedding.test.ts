/** Linear and Embedding, to the bit. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Embedding, Linear, Tensor } from "../../../src/index.js";
import { RUNS, seed, size } from "../../support/properties.js";
import { expectSameBits, reshape, take, unmodified } from "../../support/tensors.js";

describe("Linear", () => {
  it("computes each row alone as in the batch, in any shape", () => {
    const rows = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 250, max: 520 }));
    const check = (inFeatures: number, outFeatures: number, bias: boolean, count: number, from: number) => {
      using linear = new Linear({ inFeatures, outFeatures, bias });
      const weight = Tensor.randn([outFeatures, inFeatures], from);
      linear.loadStateDict({ weight, ...(bias ? { bias: Tensor.randn([outFeatures], from + 1) } : {}) });
      const input = Tensor.randn([count, inFeatures], from + 2);
      const output = unmodified([input], () => linear.forward(input));
      for (const row of [0, count >> 1, count - 1]) {
        const alone = linear.forward(reshape(take(input, 0, [row]), [inFeatures]));
        expectSameBits(alone, reshape(take(output, 0, [row]), [outFeatures]), `row ${row}`);
      }
      const deep = linear.forward(reshape(input, [1, count, 1, inFeatures]));
      expectSameBits(deep, reshape(output, [1, count, 1, outFeatures]));
      expectSameBits(linear.stateDict().get("weight")!, weight);
    };
    fc.assert(fc.property(size, size, fc.boolean(), rows, seed, check), RUNS);
  });
});

describe("Embedding", () => {
  it("gives the rows of its table", () => {
    const drawn = fc.tuple(size, size, fc.array(fc.nat(), { maxLength: 20 }), seed);
    fc.assert(
      fc.property(drawn, ([numEmbeddings, embeddingDim, picks, from]) => {
        using embedding = new Embedding({ numEmbeddings, embeddingDim });
        const weight = Tensor.randn([numEmbeddings, embeddingDim], from);
        embedding.loadStateDict({ weight });
        const indices = picks.map((pick) => pick % numEmbeddings);
        expectSameBits(embedding.forward(indices), take(weight, 0, indices));
        const shape = [1, indices.length];
        expectSameBits(
          embedding.forward({ data: BigInt64Array.from(indices, BigInt), shape }),
          reshape(take(weight, 0, indices), [...shape, embeddingDim]),
        );
      }),
      RUNS,
    );
  });

  it("takes its sizes and its table from a state dict", () => {
    const weight = Tensor.randn([5, 3], 1);
    using embedding = Embedding.fromStateDict(
      { "emb.weight": weight, "fc.weight": weight },
      { prefix: "emb." },
    );
    expect([embedding.numEmbeddings, embedding.embeddingDim]).toEqual([5, 3]);
    expectSameBits(embedding.stateDict().get("weight")!, weight);
  });

  it.each([
    [1, 1],
    [-1, 3],
    [-4, 0],
  ])("has zeros for paddingIdx %d in row %d alone", (paddingIdx, row) => {
    using embedding = new Embedding({ numEmbeddings: 4, embeddingDim: 2, paddingIdx });
    const rows = [0, 1, 2, 3].map((index) => embedding.forward([index]).data.every((number) => number === 0));
    expect(rows).toEqual([0, 1, 2, 3].map((index) => index === row));
  });
});
