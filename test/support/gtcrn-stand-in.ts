/** What stands in for GTCRN where there is no model: a graph with the names of its inputs and outputs. */
import { floats, modelOf, node } from "./onnx-writer.js";

/** With one cache: frames as they were, and from the tenth on silence. */
export const GTCRN = modelOf({
  inputs: [
    { name: "mix", shape: [1, 257, 1, 2] },
    { name: "conv_cache", shape: [1] },
  ],
  outputs: ["enh", { name: "conv_cache_out", shape: [1] }],
  initializers: [floats("one", [1], [1]), floats("ten", [1], [9.5]), floats("zero", [1], [0])],
  nodes: [
    node("Add", ["conv_cache", "one"], ["conv_cache_out"]),
    node("Sub", ["ten", "conv_cache_out"], ["left"]),
    node("Relu", ["left"], ["some"]),
    node("Ceil", ["some"], ["several"]),
    node("Min", ["several", "one"], ["loud"]),
    node("Mul", ["mix", "loud"], ["enh"]),
  ],
});
