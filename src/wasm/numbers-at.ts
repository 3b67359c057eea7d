/** Numbers of any type in linear memory. */
import type { Numbers, Runtime } from "./runtime.js";

/**
 * A view of `count` numbers from an address on, to be asked for at each use: growth detaches it, and then it is made anew.
 * What is set there cannot go past them.
 */
export function numbersAt<View extends Numbers>(
  { memory }: Pick<Runtime, "memory">,
  Kind: new (buffer: ArrayBuffer, address: number, count: number) => View,
  address: number,
  count: number,
): () => View {
  let view: View | undefined;
  return () => {
    if (view?.length !== count) view = new Kind(memory.buffer as ArrayBuffer, address, count);
    return view!;
  };
}
