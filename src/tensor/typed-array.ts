/**
 * Typed arrays as the engine has them. An array's own properties, its class and its realm may say otherwise: frames
 * and Node's vm have classes of their own, and JavaScript can give any array a `length`. So nothing here reads a
 * property of an array; the accessors of %TypedArray% are asked.
 */

const accessor = (name: string | symbol, prototype = Object.getPrototypeOf(Uint8Array.prototype)) =>
  Object.getOwnPropertyDescriptor(prototype, name)!.get!;

const KIND = accessor(Symbol.toStringTag);
const LENGTH = accessor("length");
const BUFFER = accessor("buffer");
const BYTE_OFFSET = accessor("byteOffset");
const BYTE_LENGTH = accessor("byteLength");
const BUFFER_LENGTH = accessor("byteLength", ArrayBuffer.prototype);

/** The name of a typed array's kind, `"Float32Array"`; undefined for anything else. */
export function kindOf(value: unknown): string | undefined {
  return KIND.call(value);
}

export function isFloat32Array(value: unknown): value is Float32Array {
  return KIND.call(value) === "Float32Array";
}

export function isInt8Array(value: unknown): value is Int8Array {
  return KIND.call(value) === "Int8Array";
}

/** Elements; 0 where the buffer was transferred, or has become too short for the array. */
export function lengthOf(array: ArrayBufferView | ArrayLike<unknown>): number {
  return LENGTH.call(array);
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
  const View = KIND.call(array) === "Int8Array" ? Int8Array : Float32Array;
  const bytes = BYTE_OFFSET.call(array) + begin * View.BYTES_PER_ELEMENT;
  return new View(BUFFER.call(array), bytes, count) as Part;
}

/** Whether this is an ArrayBuffer of any realm, and not a shared one: its accessor knows its own. */
export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  try {
    return BUFFER_LENGTH.call(value) >= 0;
  } catch {
    return false;
  }
}

/** Whether other threads may write the array's buffer, or make it longer. */
export function isShared(array: ArrayBufferView): boolean {
  return !isArrayBuffer(BUFFER.call(array));
}

/** The bytes of a typed array. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(BUFFER.call(array), BYTE_OFFSET.call(array), BYTE_LENGTH.call(array));
}

/** A typed array of another realm as one of this realm, over the same numbers; one of this realm as it is. */
export function ofThisRealm<Kind extends ArrayBufferView>(array: Kind): Kind {
  const View = (globalThis as unknown as Record<string, new (...args: unknown[]) => Kind>)[KIND.call(array)]!;
  if (Object.getPrototypeOf(array) === View.prototype) return array;
  return new View(BUFFER.call(array), BYTE_OFFSET.call(array), LENGTH.call(array));
}
