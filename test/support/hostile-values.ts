/** Values that lie, in place of a tensor, its numbers or its shape. */
import { createContext, runInContext } from "node:vm";
import { Tensor } from "../../src/tensor/tensor.js";

/** What a caller's own getter throws. */
export class Own extends Error {}

export const own = <Target extends object>(target: Target, properties: Record<string, unknown>): Target => {
  for (const [name, value] of Object.entries(properties)) {
    Object.defineProperty(target, name, { value, configurable: true });
  }
  return target;
};
export const revoked = (target: object): never => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy as never;
};
const realm = createContext({});
export const foreign = (code: string) => runInContext(code, realm) as unknown;

/** An array whose elements are `first` at the first reading and `later` from then on. */
export function changing(array: readonly number[], later: number): readonly number[] {
  const seen = new Set<string | symbol>();
  return new Proxy(array, {
    get(target, key) {
      const again = seen.has(key);
      seen.add(key);
      return again && typeof key === "string" && /^\d/.test(key) ? later : Reflect.get(target, key);
    },
  });
}

export const Growable = ArrayBuffer as unknown as new (
  bytes: number,
  options: object,
) => ArrayBuffer & { resize(bytes: number): void };

/** Numbers in place of those of a tensor argument of `shape`; each is made anew for each call. */
const DATA: Readonly<Record<string, (size: number) => unknown>> = {
  "a length that lies": (size) => own(new Float32Array(size * 64), { length: size, byteLength: size * 4 }),
  "a length that is less than told": (size) =>
    own(new Float32Array(1), { length: size, byteLength: size * 4 }),
  "a huge length": (size) => own(new Float32Array(size), { length: 2 ** 40, byteLength: 2 ** 42 }),
  "subarray overridden": (size) =>
    own(new Float32Array(size), {
      subarray: () => new Float32Array(1e6),
      slice: () => new Float32Array(1e6),
    }),
  "set and buffer overridden": (size) =>
    own(new Float32Array(size), { set: () => {}, buffer: new ArrayBuffer(1e6), byteOffset: 64 }),
  "another species": (size) =>
    own(new Float32Array(size), { constructor: { [Symbol.species]: Float64Array } }),
  "a subclass that lies": (size) =>
    new (class extends Float32Array {
      override get length() {
        return size * 100;
      }
      override subarray() {
        return new Float32Array(1e6) as never;
      }
    })(size),
  "an array that lies": (size) => new Proxy([1, 2], { get: (_, key) => (key === "length" ? size : 7) }),
  "an array that never ends": (size) =>
    own(Array(size).fill(1), {
      [Symbol.iterator as never]: function* () {
        for (;;) yield 1;
      },
    }),
  "a sparse array of 2^32 - 1": () => new Array(2 ** 32 - 1),
  "an array that is revoked": () => revoked([1]),
  "an object that is revoked": () => revoked({}),
  "an array of BigInts": (size) => new BigInt64Array(size),
  "a foreign array of BigInts": (size) => foreign(`new BigInt64Array(${size})`),
  "a foreign array": (size) => foreign(`new Float32Array(${size}).fill(0.5)`),
  "a foreign array of numbers": (size) => foreign(`Array(${size}).fill(0.5)`),
  "a DataView": (size) => new DataView(new ArrayBuffer(size * 4)),
  "a prototype only": () => Object.create(Float32Array.prototype),
  "another kind's prototype": (size) => Object.setPrototypeOf(new Int8Array(size), Float32Array.prototype),
  "a buffer too short for its array": (size) => {
    const buffer = new Growable(size * 4, { maxByteLength: size * 8 });
    const data = new Float32Array(buffer);
    buffer.resize(4);
    return data;
  },
  "a detached buffer": (size) => {
    const data = new Float32Array(size);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    return data;
  },
  "a symbol": () => Symbol("x"),
  "a BigInt": () => 5n,
  "a function": () => () => 1,
  null: () => null,
  undefined: () => undefined,
};

/** Shapes in place of an honest one. */
const SHAPES: Readonly<Record<string, (shape: readonly number[]) => unknown>> = {
  "a shape that grows at the second reading": (shape) => changing(shape, 9000),
  "a shape that shrinks at the second reading": (shape) => changing(shape, 1),
  "a shape of 2^32 - 1 axes": () => new Array(2 ** 32 - 1),
  "a shape whose length lies": (shape) =>
    new Proxy(shape, { get: (target, key) => (key === "length" ? 2 ** 31 : Reflect.get(target, key)) }),
  "a shape that is revoked": () => revoked([]),
  "a shape of symbols": (shape) => shape.map(() => Symbol("x")),
  "a shape of BigInts": (shape) => shape.map(BigInt),
  "a shape with NaN": (shape) => shape.map(() => Number.NaN),
  "a shape past 2^53": (shape) => shape.map(() => 2 ** 40),
  "a foreign shape": (shape) => foreign(JSON.stringify(shape)),
  "a shape that throws": (shape) =>
    new Proxy(shape, {
      get() {
        throw new Own();
      },
    }),
  "a typed array as shape": (shape) => Int32Array.from(shape),
};

/** Whole arguments. */
export const ARGUMENTS: Readonly<Record<string, () => unknown>> = {
  "a revoked proxy": () => revoked({}),
  "a proxy that throws TypeErrors": () =>
    new Proxy(
      {},
      {
        get() {
          throw new TypeError("Cannot x");
        },
      },
    ),
  "a getter that throws its own": () => ({
    get data() {
      throw new Own();
    },
    shape: [1],
  }),
  "an object that holds nothing": () => Object.create(null),
  "a symbol": () => Symbol("x"),
  "a function": () => () => {},
  "an array that holds itself": () => {
    const array: unknown[] = [];
    array.push(array);
    return array;
  },
  "a number": () => 5,
  "a string": () => "x",
};

export const product = (shape: readonly number[]) => shape.reduce((size, length) => size * length, 1);

/** Every hostile stand-in for a tensor of a shape. */
export function* tensors(shape: readonly number[]): Generator<[string, unknown]> {
  const size = product(shape);
  for (const [name, make] of Object.entries(DATA)) {
    yield [name, { data: make(size), shape }];
    yield [`${name}, in a tensor`, Object.assign(Tensor.zeros(shape), { data: make(size) })];
  }
  for (const [name, make] of Object.entries(SHAPES)) {
    yield [name, { data: new Float32Array(size), shape: make(shape) }];
    yield [`${name}, in a tensor`, Object.assign(Tensor.zeros(shape), { shape: make(shape) })];
    yield [`${name}, as dims`, { data: new Float32Array(size), dims: make(shape) }];
  }
  for (const [name, make] of Object.entries(ARGUMENTS)) yield [name, make()];
}
