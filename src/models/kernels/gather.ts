/** Gather: rows of input 0 by indices. */

import { ARRAYS } from "../../graph/ir.js";
import { around, elementsIn } from "../../graph/shapes.js";
import { modelKernels } from "../../wasm/models.js";
import type { Compiled, Compiling } from "../operator.js";
import { compileReading, nothing } from "./copy.js";
import { readGathered } from "./readings.js";
import { locating, placesOf, rowRecord, tableBytes } from "./rows.js";

export function compileGathered(node: Compiling): Compiled | undefined {
  const regular = compileReading(node, readGathered);
  if (regular !== undefined) return regular;
  const { call, types, runtime } = node;
  const { dtype, shape } = call.input(0);
  const { outer, size, inner } = around(shape, call.axis(call.int("axis", 0), shape.length));
  const width = inner * ARRAYS[dtype].BYTES_PER_ELEMENT;
  const indices = call.input(1);
  const count = elementsIn(indices.shape);
  const axes = [{ size, step: width }];
  const places = indices.data && placesOf(indices.data, axes);
  if (indices.data !== undefined && places === undefined) return undefined;
  if (count === 0 || elementsIn(types[0]!.shape) === 0) return places && { bind: () => nothing };
  return {
    scratchBytes: places === undefined ? tableBytes(count) : 0,
    bind: (place) => {
      const table = places === undefined ? place.scratch : place.record(places);
      const record = rowRecord(place, {
        source: place.input(0),
        target: place.output(0),
        table,
        count,
        width,
        times: outer,
        step: size * width,
      });
      const { takeRows } = modelKernels(runtime);
      if (places !== undefined) return () => takeRows(record);
      const locateAll = locating(runtime, call, place, { at: 1, count, axes, table });
      return () => {
        locateAll();
        takeRows(record);
      };
    },
  };
}
