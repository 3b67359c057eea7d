/** Tensors out of nothing: constants and ranges. */

import type { HostTensor } from "../ir.js";
import { type Call, type FillingOperator, type GivingOperator, int64s, NUMBERS } from "../operator.js";
import { elementsIn } from "../shapes.js";

/** What a Constant node holds, in whichever of its attributes. */
function constant(call: Call): HostTensor {
  const tensor = call.tensor("value");
  if (tensor !== undefined) return tensor;
  // Those of other kinds are not known to it, and refused before.
  const [attribute] = call.node.attributes.values();
  if (attribute?.kind === "int") return int64s([attribute.value], []);
  if (attribute?.kind === "ints") return int64s(attribute.value);
  if (attribute?.kind === "float") return floats([attribute.value], []);
  if (attribute?.kind === "floats") return floats(attribute.value, [attribute.value.length]);
  throw call.broken("it has no value");
}

function floats(numbers: readonly number[], shape: readonly number[]): HostTensor {
  return { dtype: "float32", shape, data: Float32Array.from(numbers) };
}

/** Numbers of a Range. */
function steps(call: Call): number {
  const [start, limit, step] = [call.scalar(0), call.scalar(1), call.scalar(2)];
  if (step === 0) throw call.broken("a step of 0");
  return Math.max(0, Math.ceil((limit - start) / step));
}

export const Constant: GivingOperator = {
  name: "Constant",
  attributes: {
    value: "tensor",
    value_int: "int",
    value_ints: "ints",
    value_float: "float",
    value_floats: "floats",
  },
  shape: (call) => {
    const { dtype, shape } = constant(call);
    return [{ dtype, shape }];
  },
  // Lists become arrays at each evaluation, tensors once.
  work: (call, [type]) => (call.node.attributes.has("value") ? 0 : 32 * elementsIn(type!.shape)),
  give: (call) => [constant(call)],
};

export const ConstantOfShape: FillingOperator = {
  name: "ConstantOfShape",
  attributes: { value: "tensor" },
  shape: (call) => [{ dtype: call.tensor("value")?.dtype ?? "float32", shape: call.integers(0) }],
  run: (call, [output]) => {
    output!.data.fill(call.tensor("value")?.data[0] ?? 0);
  },
};

export const Range: FillingOperator = {
  name: "Range",
  attributes: {},
  shape: (call) => {
    const { dtype } = call.expect(0, NUMBERS);
    return [{ dtype, shape: [steps(call)] }];
  },
  run: (call, [output]) => {
    const { data } = output!;
    const [start, step] = [call.scalar(0), call.scalar(2)];
    for (let at = 0; at < data.length; at++) data[at] = start + at * step;
  },
};
