/** Kernels of Softmax and its logarithm along any axis. */

import { around } from "../../graph/shapes.js";
import { modelKernels } from "../../wasm/models.js";
import type { Compiled, Compiling } from "../operator.js";

/** Of float32 numbers. */
export function compileSoftmax({ call, types, runtime, activation }: Compiling): Compiled | undefined {
  const { dtype, shape } = types[0]!;
  if (dtype !== "float32" || activation !== undefined) return undefined;
  // Until opset 12 all axes from the stated one on were one.
  const isOne = call.opset < 13;
  const { outer, size, inner } = around(shape, call.axis(call.int("axis", isOne ? 1 : -1), shape.length));
  const [count, columns] = isOne ? [size * inner, 1] : [size, inner];
  const logarithm = call.node.operator === "LogSoftmax" ? 1 : 0;
  return {
    inPlace: 0,
    bind: (place) => {
      const [from, to] = [place.input(0), place.output(0)];
      const kernels = modelKernels(runtime);
      return () => kernels.softmaxAxis(from, to, outer, count, columns, logarithm);
    },
  };
}
