/** Cast and CastLike, for every pair of types. */

import { CAST_FLOAT, CAST_UINT8 } from "../../../build/models-abi.js";
import type { Dtype } from "../../graph/ir.js";
import { isFloat } from "../../graph/operator.js";
import { outOfRange } from "../../graph/operators/cast.js";
import { elementsIn } from "../../graph/shapes.js";
import { modelKernels } from "../../wasm/models.js";
import type { Compiled, Compiling } from "../operator.js";
import { compileWhole } from "./copy.js";
import { NUMBER_TYPES } from "./integers.js";
import { viewCast } from "./views.js";

/** How the kernel takes numbers of a type. */
function taken(dtype: Dtype): number {
  if (isFloat(dtype)) return CAST_FLOAT;
  return dtype === "bool" ? CAST_UINT8 : NUMBER_TYPES[dtype];
}

export function compileCast(node: Compiling): Compiled | undefined {
  const { call, types, runtime } = node;
  if (viewCast(call, types) !== undefined) return compileWhole(node);
  const { dtype, shape } = call.input(0);
  const to = types[0]!.dtype;
  const count = elementsIn(shape);
  return {
    bind: (place) => {
      const { cast } = modelKernels(runtime);
      const [from, made, input, output] = [taken(dtype), NUMBER_TYPES[to], place.input(0), place.output(0)];
      return () => {
        if (cast(from, made, input, output, count) !== 0) throw outOfRange(call);
      };
    },
  };
}
