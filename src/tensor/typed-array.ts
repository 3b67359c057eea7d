/**
 * Typed arrays as the engine has them. An array's own properties, its class and its realm may say otherwise: frames
 * and Node's vm have classes of their own, and JavaScript can give any array a `length`. So nothing here reads a
 * property of an array; the accessors of %TypedArray% are asked.
 */

/**
 * An accessor of a prototype, as a function. It is a constant of a scope of its own: what stands at a bundle's top level
 * is a `var` there, which V8 asks anew at each call and so calls where it could inline.
 */
function accessor<Value>(name: string | symbol, prototype = Object.getPrototypeOf(Uint8Array.prototype)) {
  const get = Object.getOwnPropertyDescriptor(prototype, name)!.get!;
  return (value: unknown): Value => get.call(value);
}

/** The name of a typed array's kind, `"Float32Array"`; undefined for anything else. */
export const kindOf = /* @__PURE__ */ accessor<string | undefined>(Symbol.toStringTag);

/** Elements; 0 where the buffer was transferred, or has become too short for the array. */
export const lengthOf: (array: ArrayBufferView | ArrayLike<unknown>) => number =
  /* @__PURE__ */ accessor<number>("length");

const bufferOf = /* @__PURE__ */ accessor<ArrayBuffer>("buffer");
const byteOffsetOf = /* @__PURE__ */ accessor<number>("byteOffset");
const byteLengthOf = /* @__PURE__ */ accessor<number>("byteLength");
const bufferLengthOf = /* @__PURE__ */ accessor<number>("byteLength", ArrayBuffer.prototype);

export function isFloat32Array(value: unknown): value is Float32Array {
  return kindOf(value) === "Float32Array";
}

export function isInt8Array(value: unknown): value is Int8Array {
  return kindOf(value) === "Int8Array";
}

/** Whether this is an array that a tensor may hold: float32, or integers of any width; not Float64 and Uint8Clamped. */
export function isNumbers(value: unknown): boolean {
  // Float32Arrays first: the expression would be compiled, 0.1 ms of a start.
  return isFloat32Array(value) || /nt\d+A/.test(kindOf(value) ?? "");
}

/**
 * A view of `count` elements from index `begin` on: of this realm, and of a fixed length, whatever becomes of the
 * buffer. @throws RangeError, the engine's, where they are not there
 */
export function partOf<Part extends Float32Array | Int8Array>(
  array: Part,
  begin: number,
  count: number,
): Part {
  const View = kindOf(array) === "Int8Array" ? Int8Array : Float32Array;
  const bytes = byteOffsetOf(array) + begin * View.BYTES_PER_ELEMENT;
  return new View(bufferOf(array), bytes, count) as Part;
}

/** Whether this is an ArrayBuffer of any realm, and not a shared one: its accessor knows its own. */
export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  try {
    return bufferLengthOf(value) >= 0;
  } catch {
    return false;
  }
}

/** Whether other threads may write the array's buffer, or make it longer. */
export function isShared(array: ArrayBufferView): boolean {
  return !isArrayBuffer(bufferOf(array));
}

/** The bytes of a typed array. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(bufferOf(array), byteOffsetOf(array), byteLengthOf(array));
}

/** The class of a typed array's kind, in this realm. */
export function classOf<Kind extends ArrayBufferView>(array: Kind): new (...args: unknown[]) => Kind {
  return (globalThis as unknown as Record<string, new (...args: unknown[]) => Kind>)[kindOf(array)!]!;
}

/** A typed array of another realm as one of this realm, over the same numbers; one of this realm as it is. */
export function ofThisRealm<Kind extends ArrayBufferView>(array: Kind): Kind {
  const View = classOf(array);
  if (Object.getPrototypeOf(array) === View.prototype) return array;
  return new View(bufferOf(array), byteOffsetOf(array), lengthOf(array));
}
