/** Broken and hostile models, loaded and run: what they are told, and that nothing of them stays. */
import { afterAll, describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { loadOnnx } from "../../src/models/index.js";
import { memoryUsage } from "../../src/wasm/current.js";
import { errorOf } from "../support/error-of.js";
import { HOSTILE_GRAPHS } from "../support/hostile/graphs.js";
import { int64s, modelOf, node } from "../support/onnx-writer.js";

const INPUTS = { one: 1, yes: true, m: { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] } };

const before = memoryUsage();
afterAll(() => expect(memoryUsage().modules).toBe(before.modules));

describe("hostile models", () => {
  it.each(HOSTILE_GRAPHS.map((file) => [file.name, file] as const))(
    "are refused where all is constant: %s",
    (_, { make, message }) => {
      const error = errorOf(() => {
        using model = loadOnnx(make());
        model.run({});
      });
      expect(error).toBeInstanceOf(FormatError);
      expect((error as FormatError).message).toMatch(message);
    },
  );

  it.each(HOSTILE_GRAPHS.filter(({ isHeavy }) => isHeavy !== true).map((file) => [file.name, file] as const))(
    "are refused where constants are inputs: %s",
    (_, { make, message }) => {
      const error = errorOf(() => {
        using model = loadOnnx(make(true));
        model.run(INPUTS);
      });
      expect(error).toBeInstanceOf(FormatError);
      expect((error as FormatError).message).toMatch(message);
    },
  );

  it.each(["MaxPool", "AveragePool"])("are refused where a %s joins more than a second allows", (pool) => {
    const size = 4000;
    const nodes = [
      node(pool, ["x"], ["y"], {
        name: "n",
        attributes: { kernel_shape: [size, size], pads: Array<number>(4).fill(size - 1) },
      }),
    ];
    using model = loadOnnx(modelOf({ inputs: [{ name: "x", shape: [1, 1, 1, 1] }], outputs: ["y"], nodes }));
    expect(() => model.run(Float32Array.of(1))).toThrow(/node "n" \(.*Pool, opset 20\): more than \d+ steps/);
  });

  it("are refused where values that live together take more than 256 MB", () => {
    const nodes = [
      ...["a", "b", "c"].map((name) => node("Expand", ["x", "long"], [name], { name })),
      node("Sum", ["a", "b", "c"], ["y"], { name: "sum" }),
      node("ReduceMax", ["y"], ["z"], { name: "last" }),
    ];
    const initializers = [int64s("long", [2 ** 25])];
    const bytes = modelOf({ inputs: [{ name: "x", shape: ["n"] }], outputs: ["z"], initializers, nodes });
    using model = loadOnnx(bytes);
    expect(() => model.run(Float32Array.of(1))).toThrow(
      /node "a" \(Expand, opset 20\): its values and those beside it take 53687\d{4} bytes, more than 2684\d{5}$/,
    );
  });
});
