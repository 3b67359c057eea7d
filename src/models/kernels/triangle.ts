/** Trilu: one triangle of each matrix. */

import { TRIANGLE_BYTES } from "../../../build/models-abi.js";
import * as Triangle from "../../../build/records/triangle.js";
import { ARRAYS } from "../../graph/ir.js";
import { elementsIn } from "../../graph/shapes.js";
import { modelKernels } from "../../wasm/models.js";
import type { Compiled, Compiling } from "../operator.js";

export function compileTriangle({ call, runtime }: Compiling): Compiled | undefined {
  const { dtype, shape } = call.input(0);
  const diagonal = call.has(1) ? call.input(1) : undefined;
  if (diagonal !== undefined && diagonal.data?.length !== 1) return undefined;
  const [rows, columns] = shape.slice(-2) as [number, number];
  const bytes = ARRAYS[dtype].BYTES_PER_ELEMENT;
  const isUpper = call.flag("upper", true);
  // Past these it keeps all or nothing.
  const k = Math.min(Math.max(diagonal?.data?.[0] ?? 0, -rows - 1), columns + 1);
  return {
    inPlace: 0,
    bind: (place) => {
      const words = new Int32Array(TRIANGLE_BYTES / 4);
      words[Triangle.source] = place.input(0);
      words[Triangle.target] = place.output(0);
      words[Triangle.matrices] = columns === 0 ? 0 : elementsIn(shape.slice(0, -2));
      words[Triangle.rows] = rows;
      words[Triangle.width] = columns * bytes;
      words[Triangle.first] = (isUpper ? k : k + 1) * bytes;
      words[Triangle.step] = bytes;
      words[Triangle.upper] = isUpper ? 1 : 0;
      const record = place.record(words);
      const { triangle } = modelKernels(runtime);
      return () => triangle(record);
    },
  };
}
