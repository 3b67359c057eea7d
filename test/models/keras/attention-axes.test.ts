/** Attention over other axes than the second of three, beside numbers that are known, and what is refused. */
import { describe, it } from "vitest";
import {
  type Call,
  type CallMessage,
  counted,
  expectRefused,
  expectResult,
  type Given,
  layerOf,
  loadCall,
  of,
  STEPS,
  tensorOf,
  X,
  Y,
} from "../../support/keras-calls.js";

const array = (shape: readonly number[], ...numbers: number[]) => ({
  shape,
  data: Float32Array.from(numbers),
});
/** One head of one unit, whose projections leave everything as it is. */
const HEAD: Call["arrays"] = Object.fromEntries(
  ["query", "key", "value", "output"].map((name) => [
    `layers/multi_head_attention/${name}_dense/vars/0`,
    array([1, 1, 1], 1),
  ]),
);
const heads = (x: Given, config: object = {}, more: Partial<Call> = {}): Call => ({
  x,
  args: [X, X],
  config: { num_heads: 1, key_dim: 1, use_bias: false, ...config },
  arrays: HEAD,
  ...more,
});
const picture = (open: number | null = 2) => counted([null, open, 2, 1], [1, 2, 2, 1]);
/** All places are alike, so that each takes the mean of those that it sees. */
const [NUMBERS, ZEROS] = [of([0, 0, 4, 8], picture()), of([0, 0, 0, 0], picture())];
const MASKING = layerOf("Masking", "masked", X);
const MASKED = tensorOf("masked");
const truths = (shape: readonly number[], ...data: number[]) =>
  of(data, counted([null, ...shape.slice(1)], shape, "bool"));

describe("a MultiHeadAttention", () => {
  it.each<[string, object, number[]]>([
    ["sees all of a picture", {}, [3, 3, 3, 3]],
    ["sees one axis", { attention_axes: 2 }, [0, 0, 6, 6]],
    ["sees an axis that is counted from the end", { attention_axes: [-3] }, [2, 4, 2, 4]],
  ])("%s", (_, config, data) => {
    const call = heads(NUMBERS, config, { args: [Y, X], y: ZEROS, kwargs: { key: Y } });
    using model = loadCall("MultiHeadAttention", call);
    expectResult(model, call, [1, 2, 2, 1], data);
  });
});

const REPEAT = { module: "keras.layers", class_name: "RepeatVector", config: { name: "r", n: 1 } };
/** Four axes with a mask of two. */
const DEEP = layerOf("TimeDistributed", "deep", MASKED, { layer: REPEAT });

const REFUSALS: readonly CallMessage[] = [
  ["Attention", { x: STEPS, y: picture(), args: [[X, Y]] }, "expected an input of 3 axes, got 4"],
  [
    "Attention",
    { x: STEPS, before: [MASKING, DEEP], args: [[tensorOf("deep"), tensorOf("deep")]] },
    "masks of inputs of 4 axes are not supported",
  ],
  [
    "MultiHeadAttention",
    heads(picture(), {}, { before: [MASKING], args: [MASKED, X] }),
    "a mask of 3 axes is not supported",
  ],
  [
    "MultiHeadAttention",
    heads(STEPS, { attention_axes: [2] }),
    "attention_axes: [2] of 3 axes is not supported",
  ],
  [
    "MultiHeadAttention",
    heads(picture(), { attention_axes: [1, -3] }),
    "attention_axes: [1, 1] of 4 axes is not supported",
  ],
  [
    "MultiHeadAttention",
    heads(picture(), { attention_axes: [] }),
    "attention_axes: [] of 4 axes is not supported",
  ],
  [
    "MultiHeadAttention",
    heads(picture(), { attention_axes: 0 }),
    "attention_axes: expected an axis from 1 to 3, got 0",
  ],
  [
    "MultiHeadAttention",
    heads(picture(), {}, { kwargs: { use_causal_mask: true } }),
    "masks of other axes than attention_axes are not supported",
  ],
  [
    "MultiHeadAttention",
    heads(picture(), {}, { kwargs: { attention_mask: Y }, y: truths([1, 2, 2], 1, 1, 1, 1) }),
    "an attention_mask of 3 axes is not supported",
  ],
  [
    "MultiHeadAttention",
    heads(picture(null), {}, { y: picture(null), args: [X, Y], kwargs: { return_attention_scores: true } }),
    "several open axes, (None, 2, None, 2), are not supported",
  ],
];

describe("attention is refused", () => {
  it.each(REFUSALS)("%s %#", (name, call, message) => {
    expectRefused(() => loadCall(name, call), name, message);
  });
});
