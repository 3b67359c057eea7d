/** Random small graphs: a model gives what the host gives, with and without rewrites, for several shapes. */
import { expect, it } from "vitest";
import { readOnnxGraph } from "../../src/graph/onnx.js";
import { runOnHost } from "../../src/graph/run-host.js";
import { loadOnnx } from "../../src/models/index.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { GRAPH_OPERATORS } from "../support/graph-operators.js";
import { randomGraph } from "../support/random-graph.js";

const SEEDS = Number(process.env.RANDOM_GRAPHS ?? 150);

it(`${SEEDS} random graphs give what the host gives`, () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { bytes, features } = randomGraph(seed);
    const { graph } = readOnnxGraph(bytes);
    using fused = loadOnnx(bytes);
    using plain = loadOnnx(bytes, { fuse: false });
    for (const [batch, steps] of [
      [1, 3],
      [2, 5],
      [1, 3],
    ] as const) {
      const x = Tensor.randn([batch, steps, features], seed);
      const expected = runOnHost(
        graph,
        GRAPH_OPERATORS,
        new Map([["x", { ...x, dtype: "float32", data: x.data }]]),
      );
      for (const model of [fused, plain]) {
        const got = model.run({ x });
        for (const [name, { data, shape }] of expected) {
          expect([seed, name, got[name]!.shape]).toEqual([seed, name, shape]);
          const worst = Math.max(
            0,
            ...Array.from(data, (number, at) => off(Number(got[name]!.data[at]), number)),
          );
          expect([seed, name, worst < 1]).toEqual([seed, name, true]);
        }
      }
    }
  }
}, 120_000);

/** How far two numbers are apart, 1e-5 of their size or of 1 being 1. */
function off(a: number, b: number): number {
  if (Object.is(a, b) || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  return Math.abs(a - b) / (1e-5 * Math.max(1, Math.abs(b)));
}
