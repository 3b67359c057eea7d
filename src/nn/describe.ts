/** How modules print: as PyTorch prints them, and as a table of their parameters. */
import { sizeOf } from "../tensor/like.js";
import { type OptionTable, usualOf } from "./options.js";
import type { ParameterSpec } from "./state-dict.js";

/** A row of a summary: how many numbers a layer's parameters have, and their bytes. */
export type Row = readonly [parameters: number, bytes: number, layer: string];

/** `40, 64, num_layers=2`: the values that a module's fields have for its options, in the table's order. */
export function describe(fields: object, table: OptionTable): string {
  let words = "";
  for (const [name, option] of Object.entries(table)) {
    const { named, print = String } = option;
    const value = fields[name as never] as unknown;
    const usual = usualOf(option, fields);
    if (value === usual && !named) continue;
    if (words !== "") words += ", ";
    if (named || usual !== undefined) words += `${name.replace(/[A-Z]/g, "_$&").toLowerCase()}=`;
    words += print(value);
  }
  return words;
}

export function rowOf(layer: string, specs: readonly ParameterSpec[]): Row {
  let parameters = 0;
  let bytes = 0;
  for (const { shape, int8 } of specs) {
    const size = sizeOf(shape);
    parameters += size;
    // An int8 matrix has a float32 scale for each row.
    bytes += int8 ? size + 4 * shape[0]! : 4 * size;
  }
  return [parameters, bytes, layer];
}

export function totalOf(rows: readonly Row[]): Row {
  return rows.reduce((sum, row) => [sum[0] + row[0], sum[1] + row[1], "total"], rowOf("total", []));
}

/** The layers come last: they may be wide. */
export function tabulate(rows: readonly Row[]): string {
  return [["parameters", "bytes", "layer"], ...rows, totalOf(rows)]
    .map(
      ([parameters, bytes, layer]) => `${`${parameters}`.padStart(11)}${`${bytes}`.padStart(13)}  ${layer}`,
    )
    .join("\n");
}
