/**
 * Runs the kernels of one node as a plan does, and compares what they make with the operator's evaluation on the host.
 * Everything lies in linear memory between guards, which must stay as they are.
 */
import { expect } from "vitest";
import { evaluate } from "../../../src/graph/evaluate.js";
import {
  ARRAYS,
  type Attribute,
  type AttributeKind,
  type Data,
  type Dtype,
  type HostTensor,
  type Node,
  type RecurrentLayer,
  type Type,
} from "../../../src/graph/ir.js";
import { Call, NeedsData, type PlainOperator, typesOf } from "../../../src/graph/operator.js";
import { Layer } from "../../../src/graph/operators/layer.js";
import { elementsIn } from "../../../src/graph/shapes.js";
import { Steps } from "../../../src/graph/steps.js";
import type { Compiled, Compiling, FusedActivation, View } from "../../../src/models/operator.js";
import type { Block } from "../../../src/wasm/block.js";
import { currentRuntime } from "../../../src/wasm/current.js";
import type { Precision } from "../../../src/wasm/precision.js";
import { Region } from "../../../src/wasm/region.js";
import { GRAPH_OPERATORS } from "../../support/graph-operators.js";

export type AttributeValue =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | HostTensor
  | RecurrentLayer;

export interface KernelCase {
  /** ONNX's name. */
  readonly operator: string;
  /** Of the kinds that the operator declares. */
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly inputs: readonly (HostTensor | undefined)[];
  /** Which inputs the compiler sees the numbers of, beside those that shapes depend on. */
  readonly constants?: readonly number[];
  /** 21 where it is left out. */
  readonly opset?: number;
  /** How many outputs the node has; 1 where it is left out. */
  readonly outputs?: number;
  /** By how many elements inputs and outputs lie beyond a multiple of 16 bytes, as views do. */
  readonly offset?: number;
  readonly activation?: FusedActivation;
  readonly precision?: Precision;
}

export interface Tolerance {
  readonly relative?: number;
  readonly absolute?: number;
}

type Compile = (node: Compiling) => Compiled | undefined;

/** The operator of a case, and its call with all numbers and with those of constants alone. */
export function callsOf(kernelCase: KernelCase): {
  operator: PlainOperator;
  full: Call;
  known: Call;
  types: readonly Type[];
} {
  const operator = kernelCase.operator === Layer.name ? Layer : GRAPH_OPERATORS.get(kernelCase.operator);
  if (operator === undefined || "control" in operator) throw new Error(`no operator ${kernelCase.operator}`);
  const { inputs, attributes = {}, opset = 21, outputs = 1 } = kernelCase;
  const node: Node = {
    name: "node",
    operator: kernelCase.operator,
    opset,
    label: `onnx: ${kernelCase.operator} node`,
    inputs: inputs.map((input, at) => (input === undefined ? undefined : { name: `input${at}` })),
    outputs: Array.from({ length: outputs }, (_, at) => ({ name: `output${at}` })),
    attributes: new Map(
      Object.entries(attributes).map(([name, value]) => [name, attributeOf(operator, name, value)]),
    ),
  };
  const known = new Set(kernelCase.constants);
  for (;;) {
    const call = new Call(
      node,
      inputs.map((input, at) =>
        input === undefined || known.has(at) ? input : { dtype: input.dtype, shape: input.shape },
      ),
    );
    try {
      const types = typesOf(operator, call).slice(0, outputs);
      return { operator, full: new Call(node, inputs), known: call, types };
    } catch (error) {
      if (!(error instanceof NeedsData) || known.has(error.input)) throw error;
      known.add(error.input);
    }
  }
}

function attributeOf(operator: PlainOperator, name: string, value: AttributeValue): Attribute {
  const declared = operator.attributes[name];
  if (declared === undefined) throw new Error(`${operator.name} has no attribute ${name}`);
  const kinds: readonly AttributeKind[] = typeof declared === "string" ? [declared] : declared;
  const kind = kinds.find((each) => {
    if (typeof value === "number") return each === "int" || each === "float";
    if (typeof value === "string") return each === "string";
    if ("stateDict" in value) return each === "layer";
    return "data" in value === (each === "tensor");
  });
  if (kind === "tensor") return { kind, value: () => value as HostTensor };
  return { kind, value } as Attribute;
}

/** Runs the kernels of a case. Undefined where the compiler has none for it. */
export function runKernels(
  kernelCase: KernelCase,
  compile: Compile,
  inPlace = false,
): HostTensor[] | undefined {
  const { known, types } = callsOf(kernelCase);
  const { inputs, offset = 0, activation, precision = "float32" } = kernelCase;
  const runtime = currentRuntime();
  const region = new Region(runtime, {});
  try {
    const made = new Map<Data, Map<string, unknown>>();
    const compiled = compile({
      call: known,
      types,
      activation,
      runtime,
      precision,
      shared: <Made>(numbers: Data, what: string, make: (region: Region) => Made): Made => {
        const ofNumbers = made.get(numbers) ?? new Map<string, unknown>();
        made.set(numbers, ofNumbers);
        if (!ofNumbers.has(what)) ofNumbers.set(what, make(region));
        return ofNumbers.get(what) as Made;
      },
    });
    if (compiled === undefined) return undefined;
    const placed = inputs.map((input) => input && new Placed(region, input, offset));
    const results = types.map((type, at) =>
      inPlace && at === 0 ? placed[compiled.inPlace!]! : new Placed(region, type, offset),
    );
    const scratch = region.allocate((compiled.scratchBytes ?? 0) + 16);
    const run = compiled.bind({
      input: (at) => placed[at]?.address ?? 0,
      output: (at) => results[at]!.address,
      scratch: scratch.pointer,
      record: (words) => {
        const block = region.allocate(Math.max(16, words.byteLength));
        runtime.write(block, 0, words);
        return block.pointer;
      },
    });
    // Twice: what a run leaves behind must not count.
    for (let time = 0; time < 2; time++) {
      for (const each of [...results, ...placed]) each?.clear();
      runtime.view(scratch).fill(Number.NaN);
      for (const [at, input] of inputs.entries()) if (input) placed[at]!.write(input.data);
      run();
    }
    for (const [at, each] of placed.entries()) {
      each?.checkGuards(`input ${at}`);
      if (each && !results.includes(each)) each.checkUnchanged(inputs[at]!.data, `input ${at}`);
    }
    for (const [at, each] of results.entries()) each.checkGuards(`output ${at}`);
    return types.map(({ dtype, shape }, at) => ({ dtype, shape, data: results[at]!.read() }));
  } finally {
    region.release();
  }
}

/** How many bytes around numbers must stay as they are. */
const GUARD = 64;
const GUARDED = 0xa5;

/** Room for a tensor, between guards. */
class Placed {
  readonly address: number;
  readonly #block: Block;
  readonly #before: number;
  readonly #bytes: number;
  readonly #type: Type;
  readonly #elements: number;

  constructor(region: Region, type: Type, offset: number) {
    const { BYTES_PER_ELEMENT: size } = ARRAYS[type.dtype];
    this.#type = { dtype: type.dtype, shape: type.shape };
    this.#elements = elementsIn(type.shape);
    this.#bytes = this.#elements * size;
    this.#before = GUARD + offset * size;
    this.#block = region.allocate(this.#before + this.#bytes + GUARD);
    this.address = this.#block.pointer + this.#before;
  }

  #all(): Uint8Array {
    return new Uint8Array(currentRuntime().memory.buffer, this.#block.pointer, this.#block.bytes);
  }

  #numbers(): Data {
    const { buffer } = currentRuntime().memory;
    const Numbers = ARRAYS[this.#type.dtype];
    if (this.address % Numbers.BYTES_PER_ELEMENT === 0) {
      return new Numbers(buffer as ArrayBuffer, this.address, this.#elements);
    }
    throw new Error("an address that is not aligned to its numbers");
  }

  clear(): void {
    this.#all().fill(GUARDED);
  }

  write(data: Data): void {
    this.#numbers().set(data);
  }

  read(): Data {
    return this.#numbers().slice();
  }

  checkUnchanged(data: Data, what: string): void {
    const numbers = this.#numbers();
    const changed = data.findIndex((x: number, at: number) => !Object.is(x, numbers[at]));
    expect(changed, `${what} changed`).toBe(-1);
  }

  checkGuards(what: string): void {
    const all = this.#all();
    const end = this.#before + this.#bytes;
    const changed = all.findIndex((byte, at) => (at < this.#before || at >= end) && byte !== GUARDED);
    expect(changed === -1 ? undefined : changed - this.#before, `${what}: written beyond it`).toBeUndefined();
  }
}

/** What the host makes of a case; with an activation, before it. */
export function onHost(kernelCase: KernelCase): HostTensor[] {
  const { operator, full, types } = callsOf(kernelCase);
  return evaluate(operator, full, new Steps()).slice(0, types.length);
}

/**
 * Expects that a case has kernels, and that they make what the host makes: in memory of their own, as views, and in
 * the room of an input where the compiler offers that.
 */
export function checkKernels(kernelCase: KernelCase, compile: Compile, tolerance: Tolerance = {}): void {
  const expected = onHost(kernelCase);
  const { activation } = kernelCase;
  if (activation !== undefined) expected[0] = activated(expected[0]!, activation);
  const offsets = kernelCase.offset === undefined ? [0, 1, 3] : [kernelCase.offset];
  for (const offset of offsets) {
    const results = runKernels({ ...kernelCase, offset }, compile);
    if (results === undefined) throw new Error(`no kernels for ${describeCase(kernelCase)}`);
    expectClose(results, expected, `${describeCase(kernelCase)} at ${offset}`, tolerance);
  }
  if (isInPlace(kernelCase, compile)) {
    const results = runKernels(kernelCase, compile, true);
    expectClose(results!, expected, `${describeCase(kernelCase)} in place`, tolerance);
  }
}

function isInPlace(kernelCase: KernelCase, compile: Compile): boolean {
  let inPlace: number | undefined;
  runKernels(kernelCase, (node) => {
    const compiled = compile(node);
    inPlace = compiled?.inPlace;
    return compiled;
  });
  return inPlace !== undefined;
}

/** An activation of a result, by the operator of its name. */
function activated(result: HostTensor, { name, alpha, beta }: FusedActivation): HostTensor {
  const attributes = GRAPH_OPERATORS.get(name)?.attributes ?? {};
  const given = Object.entries({ alpha, beta }).filter(([key]) => Object.hasOwn(attributes, key));
  return onHost({ operator: name, attributes: Object.fromEntries(given), inputs: [result] })[0]!;
}

function describeCase({ operator, inputs, attributes = {} }: KernelCase): string {
  const shapes = inputs.map((input) => (input ? `${input.dtype}[${input.shape}]` : "none"));
  return `${operator}(${shapes.join(", ")}) ${JSON.stringify(attributes)}`;
}

/** Expects equal types and numbers: integers exactly, floats within a tolerance of 1e-5 relative and 1e-6 absolute. */
export function expectClose(
  results: readonly HostTensor[],
  expected: readonly HostTensor[],
  what: string,
  { relative = 1e-5, absolute = 1e-6 }: Tolerance = {},
): void {
  expect(results.length, what).toBe(expected.length);
  for (const [at, { dtype, shape, data }] of results.entries()) {
    const wanted = expected[at]!;
    expect({ dtype, shape }, what).toEqual({ dtype: wanted.dtype, shape: wanted.shape });
    const floats = data instanceof Float32Array;
    const wrong = data.findIndex((x: number, index: number) => {
      const y = wanted.data[index]!;
      if (Number.isNaN(y)) return !Number.isNaN(x);
      if (x === y) return false;
      return !floats || !(Math.abs(x - y) <= absolute + relative * Math.abs(y));
    });
    if (wrong >= 0) {
      throw new Error(
        `${what}: output ${at}[${wrong}] is ${data[wrong]}, expected ${wanted.data[wrong]} of ${wanted.data.length}`,
      );
    }
  }
}

/** Expects that a view says where the numbers lie that the host makes. */
export function checkView(
  kernelCase: KernelCase,
  view: (call: Call, types: readonly Type[]) => View | undefined,
): void {
  const { known, types } = callsOf(kernelCase);
  const expected = onHost(kernelCase);
  const found = view(known, types);
  if (found === undefined) throw new Error(`no view for ${describeCase(kernelCase)}`);
  if ("outputs" in found) {
    for (const [at, from] of found.outputs.entries()) {
      const { data } = expected[at]!;
      expect(data, describeCase(kernelCase)).toEqual(
        kernelCase.inputs[0]!.data.slice(from, from + data.length),
      );
    }
  } else {
    for (const [at, from] of found.inputs.entries()) {
      const { data } = kernelCase.inputs[at]!;
      expect(data, describeCase(kernelCase)).toEqual(expected[0]!.data.slice(from, from + data.length));
    }
  }
}

/** Numbers from a seed: floats of about -4 to 4, integers of -9 to 9 or 0 to 9, 0 or 1 for bool. */
export function random(shape: readonly number[], seed: number, dtype: Dtype = "float32"): HostTensor {
  const data = new ARRAYS[dtype](elementsIn(shape));
  let state = (seed * 2654435761 + 12345) >>> 0;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  for (let at = 0; at < data.length; at++) {
    const x = next();
    if (dtype === "bool") data[at] = x < 0.5 ? 0 : 1;
    else if (data instanceof Float32Array) data[at] = (x + next() + next() - 1.5) * 2.6;
    else data[at] = dtype === "uint8" ? Math.floor(x * 10) : Math.floor(x * 19) - 9;
  }
  return { dtype, shape, data };
}

/** A tensor of these numbers. */
export function tensor(
  data: readonly number[],
  shape: readonly number[] = [data.length],
  dtype: Dtype = "float32",
): HostTensor {
  return { dtype, shape, data: ARRAYS[dtype].from(data) };
}

/** Integers below `end` from a seed. */
export function integers(seed: number): (end: number) => number {
  let state = (seed * 2246822519 + 99991) >>> 0;
  return (end) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * end);
  };
}
