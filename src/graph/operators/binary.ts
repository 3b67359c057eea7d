/** Two numbers after two others, with broadcasting: arithmetic, comparisons, logic. */

import { sameShape } from "../../tensor/checks.js";
import type { Dtype, HostTensor, Type } from "../ir.js";
import { type Call, INTEGERS, isFloat, NUMBERS, type Operand, type PlainOperator } from "../operator.js";
import { broadcast, broadcastStrides, eachOffset } from "../shapes.js";

const ALL: readonly Dtype[] = [...NUMBERS, "bool"];
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
function placed<Any extends Operand>(call: Call, a: Operand, b: Any): Any {
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

interface Options {
  readonly takes: readonly Dtype[];
  /** The type of the result, if it is not that of the inputs. */
  readonly gives?: Dtype;
  /** Whether the second input may be of another type. */
  readonly mixed?: boolean;
  readonly attributes?: PlainOperator["attributes"];
}

function binary(name: string, options: Options, make: (call: Call, dtype: Dtype) => Apply): PlainOperator {
  return {
    name,
    attributes: { broadcast: "int", axis: "int", consumed_inputs: "ints", ...options.attributes },
    shape: (call): readonly Type[] => {
      const a = call.expect(0, options.takes);
      const b = call.expect(1, options.takes);
      if (a.dtype !== b.dtype && options.mixed !== true) {
        throw call.broken(`inputs of ${a.dtype} and ${b.dtype}; they must be of one type`);
      }
      return [{ dtype: options.gives ?? a.dtype, shape: broadcastOf(call, a, placed(call, a, b)) }];
    },
    run: (call, [output]) => {
      const a = call.data(0);
      zip(a, placed(call, a, call.data(1)), output!, make(call, a.dtype));
    },
  };
}

const arithmetic = (name: string, apply: Apply): PlainOperator =>
  binary(name, { takes: NUMBERS }, () => apply);
const comparison = (name: string, apply: Apply): PlainOperator =>
  binary(name, { takes: ALL, gives: "bool" }, () => apply);
const logic = (name: string, apply: Apply): PlainOperator => binary(name, { takes: ["bool"] }, () => apply);

/** Any number of inputs, from the first on. */
function variadic(name: string, apply: Apply): PlainOperator {
  return {
    name,
    attributes: { consumed_inputs: "ints" },
    shape: (call) => {
      const first = call.expect(0, NUMBERS);
      let shape = first.shape;
      for (let at = 1; at < call.inputs.length; at++) {
        const input = call.expect(at, [first.dtype]);
        shape = broadcastOf(call, { dtype: first.dtype, shape }, input);
      }
      return [{ dtype: first.dtype, shape }];
    },
    run: (call, [output]) => {
      const out = output!;
      zip(call.data(0), { ...call.data(0), shape: [], data: call.data(0).data.slice(0, 1) }, out, (a) => a);
      for (let at = 1; at < call.inputs.length; at++) zip(out, call.data(at), out, apply);
      return undefined;
    },
  };
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

export const binaryOperators: readonly PlainOperator[] = [
  arithmetic("Add", (a, b) => a + b),
  arithmetic("Sub", (a, b) => a - b),
  binary("Mul", { takes: NUMBERS }, (_, dtype) => (dtype === "int32" ? Math.imul : (a, b) => a * b)),
  binary("Div", { takes: NUMBERS }, (_, dtype) => (isFloat(dtype) ? (a, b) => a / b : toward0)),
  binary("Pow", { takes: NUMBERS, mixed: true }, (_, dtype) =>
    isFloat(dtype) ? (a, b) => a ** b : (a, b) => Math.trunc(a ** b),
  ),
  binary("Mod", { takes: NUMBERS, attributes: { fmod: "int" } }, (call, dtype) => {
    if (call.flag("fmod", false)) return (a, b) => (b === 0 && INTEGERS.includes(dtype) ? 0 : a % b);
    return isFloat(dtype) ? flooredFloat : floored;
  }),
  binary("PRelu", { takes: NUMBERS }, () => (x, slope) => (x < 0 ? slope * x : x)),
  comparison("Equal", (a, b) => (a === b ? 1 : 0)),
  comparison("Less", (a, b) => (a < b ? 1 : 0)),
  comparison("LessOrEqual", (a, b) => (a <= b ? 1 : 0)),
  comparison("Greater", (a, b) => (a > b ? 1 : 0)),
  comparison("GreaterOrEqual", (a, b) => (a >= b ? 1 : 0)),
  logic("And", (a, b) => a & b),
  logic("Or", (a, b) => a | b),
  logic("Xor", (a, b) => a ^ b),
  variadic("Max", Math.max),
  variadic("Min", Math.min),
  variadic("Sum", (a, b) => a + b),
];

export const logicOperators: readonly PlainOperator[] = [
  {
    name: "Not",
    oldest: 1,
    attributes: {},
    shape: (call) => [{ dtype: call.expect(0, ["bool"]).dtype, shape: call.input(0).shape }],
    run: (call, [output]) => {
      const { data } = call.data(0);
      for (let at = 0; at < data.length; at++) output!.data[at] = data[at] === 0 ? 1 : 0;
    },
  },
  {
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
  },
];
