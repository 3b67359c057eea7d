/** Two numbers after two others, with broadcasting: arithmetic, comparisons, logic. */

import { sameShape } from "../../tensor/checks.js";
import type { Dtype, HostTensor, Type } from "../ir.js";
import {
  type Call,
  type FillingOperator,
  INTEGERS,
  isFloat,
  NUMBERS,
  NUMBERS_AND_BOOLS,
  type Operand,
} from "../operator.js";
import { broadcast, broadcastStrides, eachOffset, elementsIn } from "../shapes.js";

type Apply = (a: number, b: number) => number;

/** Visits pairs of the numbers of two tensors, which are broadcast to `shape`. */
export function zip(a: HostTensor, b: HostTensor, output: HostTensor, apply: Apply): void {
  const { data: out, shape } = output;
  if (sameShape(a.shape, shape) && sameShape(b.shape, shape)) {
    for (let at = 0; at < out.length; at++) out[at] = apply(a.data[at]!, b.data[at]!);
    return;
  }
  const aStrides = broadcastStrides(a.shape, shape);
  if (b.data.length === 1) {
    const right = b.data[0]!;
    eachOffset(shape, aStrides, 0, (at, index) => {
      out[index] = apply(a.data[at]!, right);
    });
    return;
  }
  const rights = new Int32Array(out.length);
  eachOffset(shape, broadcastStrides(b.shape, shape), 0, (at, index) => {
    rights[index] = at;
  });
  eachOffset(shape, aStrides, 0, (at, index) => {
    out[index] = apply(a.data[at]!, b.data[rights[index]!]!);
  });
}

/** The second input as opset 6 has it: equal, or with `broadcast` placed from `axis` on. */
export function placed<Any extends Operand>(call: Call, a: Operand, b: Any): Any {
  // Slopes of a PRelu are of channels.
  const ofChannels = call.node.operator === "PRelu" && b.shape.length === 1 && a.shape.length > 1;
  if (call.opset >= 7 || !(ofChannels || call.node.attributes.has("broadcast"))) return b;
  const stated = call.int("axis", ofChannels ? 1 : a.shape.length - b.shape.length);
  const axis = stated < 0 ? stated + a.shape.length : stated;
  const after = a.shape.length - axis - b.shape.length;
  if (after < 0 || axis < 0) throw call.broken(`attribute axis: ${stated} does not fit the inputs`);
  return { ...b, shape: [...b.shape, ...new Array<number>(after).fill(1)] };
}

export function broadcastOf(call: Call, a: Operand, b: Operand): readonly number[] {
  const shape = broadcast(a.shape, b.shape);
  if (shape === undefined) {
    throw call.broken(`shapes [${a.shape.join(", ")}] and [${b.shape.join(", ")}] do not fit each other`);
  }
  return shape;
}

/** Until opset 6 they say where the second input lies in the first. */
const PLACED: FillingOperator["attributes"] = { broadcast: "int", axis: "int", consumed_inputs: "ints" };
const BOOLS: readonly Dtype[] = ["bool"];

/** The type of what two inputs of these types give: theirs, in the shape that both are broadcast to. */
function both(call: Call, dtypes: readonly Dtype[], mixed = false): Type {
  const a = call.expect(0, dtypes);
  const b = call.expect(1, dtypes);
  if (a.dtype !== b.dtype && !mixed) {
    throw call.broken(`inputs of ${a.dtype} and ${b.dtype}; they must be of one type`);
  }
  return { dtype: a.dtype, shape: broadcastOf(call, a, placed(call, a, b)) };
}

const numbers = (call: Call): readonly Type[] => [both(call, NUMBERS)];
const truths = (call: Call): readonly Type[] => [{ ...both(call, NUMBERS_AND_BOOLS), dtype: "bool" }];
const bools = (call: Call): readonly Type[] => [both(call, BOOLS)];

/** Fills the output with what `apply` makes of pairs of numbers. */
function pairs(call: Call, [output]: readonly HostTensor[], apply: Apply): void {
  const a = call.data(0);
  zip(a, placed(call, a, call.data(1)), output!, apply);
}

/** The type of any number of inputs of one type. */
function all(call: Call): readonly Type[] {
  const { dtype, shape: first } = call.expect(0, NUMBERS);
  let shape = first;
  for (let at = 1; at < call.inputs.length; at++) {
    shape = broadcastOf(call, { dtype, shape }, call.expect(at, [dtype]));
  }
  return [{ dtype, shape }];
}

/** Applies a function to any number of inputs, from the first on. */
function fold(call: Call, [output]: readonly HostTensor[], apply: Apply): void {
  const first = call.data(0);
  zip(first, { ...first, shape: [], data: first.data.slice(0, 1) }, output!, (a) => a);
  for (let at = 1; at < call.inputs.length; at++) zip(output!, call.data(at), output!, apply);
}

const toward0 = (a: number, b: number): number => {
  const quotient = Math.trunc(a / b);
  return Number.isFinite(quotient) ? quotient : 0;
};
/** The remainder with the sign of the divisor. */
const floored = (a: number, b: number): number => (b === 0 ? 0 : a - b * Math.floor(a / b));

/** The same of floats, as Python has it: a zero of the divisor's sign, and the divisor where it is infinite. */
const flooredFloat = (a: number, b: number): number => {
  const rest = a % b;
  if (rest === 0) return Math.sign(b) < 0 ? -0 : 0;
  return rest < 0 !== b < 0 ? rest + b : rest;
};

export const Add: FillingOperator = {
  name: "Add",
  attributes: PLACED,
  shape: numbers,
  run: (call, outputs) => pairs(call, outputs, (a, b) => a + b),
};

export const Sub: FillingOperator = {
  name: "Sub",
  attributes: PLACED,
  shape: numbers,
  run: (call, outputs) => pairs(call, outputs, (a, b) => a - b),
};

export const Mul: FillingOperator = {
  name: "Mul",
  attributes: PLACED,
  shape: numbers,
  run: (call, outputs) => pairs(call, outputs, call.input(0).dtype === "int32" ? Math.imul : (a, b) => a * b),
};

export const Div: FillingOperator = {
  name: "Div",
  attributes: PLACED,
  shape: numbers,
  run: (call, outputs) => pairs(call, outputs, isFloat(call.input(0).dtype) ? (a, b) => a / b : toward0),
};

export const Pow: FillingOperator = {
  name: "Pow",
  attributes: PLACED,
  shape: (call) => [both(call, NUMBERS, true)],
  work: (_, [output]) => 32 * elementsIn(output!.shape),
  run: (call, outputs) =>
    pairs(call, outputs, isFloat(call.input(0).dtype) ? (a, b) => a ** b : (a, b) => Math.trunc(a ** b)),
};

export const Mod: FillingOperator = {
  name: "Mod",
  attributes: { fmod: "int", broadcast: "int", axis: "int", consumed_inputs: "ints" },
  shape: numbers,
  run: (call, outputs) => {
    const { dtype } = call.input(0);
    if (call.flag("fmod", false)) {
      pairs(call, outputs, (a, b) => (b === 0 && INTEGERS.includes(dtype) ? 0 : a % b));
    } else pairs(call, outputs, isFloat(dtype) ? flooredFloat : floored);
  },
};

export const PRelu: FillingOperator = {
  name: "PRelu",
  attributes: PLACED,
  shape: numbers,
  run: (call, outputs) => pairs(call, outputs, (x, slope) => (x < 0 ? slope * x : x)),
};

export const Equal: FillingOperator = {
  name: "Equal",
  attributes: PLACED,
  shape: truths,
  run: (call, outputs) => pairs(call, outputs, (a, b) => (a === b ? 1 : 0)),
};

export const Less: FillingOperator = {
  name: "Less",
  attributes: PLACED,
  shape: truths,
  run: (call, outputs) => pairs(call, outputs, (a, b) => (a < b ? 1 : 0)),
};

export const LessOrEqual: FillingOperator = {
  name: "LessOrEqual",
  attributes: PLACED,
  shape: truths,
  run: (call, outputs) => pairs(call, outputs, (a, b) => (a <= b ? 1 : 0)),
};

export const Greater: FillingOperator = {
  name: "Greater",
  attributes: PLACED,
  shape: truths,
  run: (call, outputs) => pairs(call, outputs, (a, b) => (a > b ? 1 : 0)),
};

export const GreaterOrEqual: FillingOperator = {
  name: "GreaterOrEqual",
  attributes: PLACED,
  shape: truths,
  run: (call, outputs) => pairs(call, outputs, (a, b) => (a >= b ? 1 : 0)),
};

export const And: FillingOperator = {
  name: "And",
  attributes: PLACED,
  shape: bools,
  run: (call, outputs) => pairs(call, outputs, (a, b) => a & b),
};

export const Or: FillingOperator = {
  name: "Or",
  attributes: PLACED,
  shape: bools,
  run: (call, outputs) => pairs(call, outputs, (a, b) => a | b),
};

export const Xor: FillingOperator = {
  name: "Xor",
  attributes: PLACED,
  shape: bools,
  run: (call, outputs) => pairs(call, outputs, (a, b) => a ^ b),
};

export const Max: FillingOperator = {
  name: "Max",
  attributes: { consumed_inputs: "ints" },
  shape: all,
  run: (call, outputs) => fold(call, outputs, Math.max),
};

export const Min: FillingOperator = {
  name: "Min",
  attributes: { consumed_inputs: "ints" },
  shape: all,
  run: (call, outputs) => fold(call, outputs, Math.min),
};

export const Sum: FillingOperator = {
  name: "Sum",
  attributes: { consumed_inputs: "ints" },
  shape: all,
  run: (call, outputs) => fold(call, outputs, (a, b) => a + b),
};

export const Not: FillingOperator = {
  name: "Not",
  oldest: 1,
  attributes: {},
  shape: (call) => [{ dtype: call.expect(0, ["bool"]).dtype, shape: call.input(0).shape }],
  run: (call, [output]) => {
    const { data } = call.data(0);
    for (let at = 0; at < data.length; at++) output!.data[at] = data[at] === 0 ? 1 : 0;
  },
};

export const Where: FillingOperator = {
  name: "Where",
  attributes: {},
  shape: (call) => {
    const condition = call.expect(0, ["bool"]);
    const [a, b] = [call.input(1), call.input(2)];
    if (a.dtype !== b.dtype) throw call.broken(`inputs of ${a.dtype} and ${b.dtype}`);
    const shape = broadcastOf(call, condition, { dtype: a.dtype, shape: broadcastOf(call, a, b) });
    return [{ dtype: a.dtype, shape }];
  },
  run: (call, [output]) => {
    const { data: out, shape } = output!;
    const condition = call.data(0);
    const chosen = new Uint8Array(out.length);
    eachOffset(shape, broadcastStrides(condition.shape, shape), 0, (at, index) => {
      chosen[index] = condition.data[at]!;
    });
    for (const input of [1, 2]) {
      const { data, shape: own } = call.data(input);
      eachOffset(shape, broadcastStrides(own, shape), 0, (at, index) => {
        if ((chosen[index] !== 0) === (input === 1)) out[index] = data[at]!;
      });
    }
  },
};
