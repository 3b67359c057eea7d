/**
 * Kernels of nodes of other floats than float32. Their numbers lie in memory as float32, are computed so, and are rounded
 * after the node where they have 16 bits.
 */

import { CAST_BFLOAT, CAST_FLOAT, CAST_HALF } from "../../../build/models-abi.js";
import type { Dtype, Type } from "../../graph/ir.js";
import { Call, isFloat } from "../../graph/operator.js";
import { elementsIn } from "../../graph/shapes.js";
import { modelKernels } from "../../wasm/models.js";
import type { Compiled, Compiling, ModelOperator } from "../operator.js";

const isOther = ({ dtype }: Type): boolean => isFloat(dtype) && dtype !== "float32";

const asFloat32 = <Any extends Type>(type: Any): Any =>
  isOther(type) ? { ...type, dtype: "float32" as const } : type;

/** How the kernel `cast` rounds to numbers of a type; undefined for one that needs no rounding. */
function roundingOf(dtype: Dtype): number | undefined {
  if (dtype === "float16") return CAST_HALF;
  return dtype === "bfloat16" ? CAST_BFLOAT : undefined;
}

/** These round between their parts as well, as ONNX defines them by other operators, and are left to the host. */
const ROUNDS_WITHIN: ReadonlySet<string> = new Set(["Softmax", "LogSoftmax"]);

/** What an operator has for a node of any floats. */
export function compileFloats({ compile }: ModelOperator, node: Compiling): Compiled | undefined {
  const made = compile?.(node);
  const { call, types, runtime } = node;
  const isNarrow = call.inputs.some((input) => input !== undefined && isOther(input)) || types.some(isOther);
  if (made !== undefined || !isNarrow || compile === undefined) return made;
  if (ROUNDS_WITHIN.has(call.node.operator) && types.some(({ dtype }) => roundingOf(dtype) !== undefined))
    return undefined;
  const known = new Call(
    call.node,
    call.inputs.map((input) => input && asFloat32(input)),
  );
  const plain = compile({ ...node, call: known, types: types.map(asFloat32) });
  if (plain === undefined) return undefined;
  return {
    ...plain,
    bind: (place) => {
      const run = plain.bind(place);
      const { cast } = modelKernels(runtime);
      const rounds = types.flatMap(({ dtype, shape }, at) => {
        const kind = roundingOf(dtype);
        if (kind === undefined || call.node.outputs[at] === undefined) return [];
        const [output, count] = [place.output(at), elementsIn(shape)];
        return [() => cast(CAST_FLOAT, kind, output, output, count)];
      });
      if (rounds.length === 0) return run;
      return () => {
        run();
        for (const round of rounds) round();
      };
    },
  };
}
