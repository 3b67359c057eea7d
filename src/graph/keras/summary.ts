/** A table of a model's layers with the rows and columns that Keras prints. */

import { field, type LayerConfig } from "../../formats/keras/config.js";
import { isFunctional, layersOf } from "./functional.js";
import type { LayerWeights } from "./layer-call.js";
import type { Reference } from "./nodes.js";
import { type KerasTensor, showOpen } from "./tensor.js";

/** A call of a layer of the whole model. */
export interface LayerRow {
  readonly layer: LayerConfig;
  readonly outputs: readonly KerasTensor[];
  /** The tensors that it is given. */
  readonly from: readonly Reference[];
}

/** Numbers of a layer, or of several. */
interface Count {
  all: number;
  fixed: number;
}

/**
 * @param rows  the calls of the whole model's layers
 * @param files  what the file has for each layer, by its full name
 */
export function summaryOf(
  root: LayerConfig,
  rows: readonly LayerRow[],
  files: ReadonlyMap<string, LayerWeights & { readonly config?: LayerConfig["config"] }>,
): string {
  const counts = countsOf(files);
  const calls = new Map<string, LayerRow[]>();
  for (const row of rows) {
    const known = calls.get(row.layer.name);
    if (known === undefined) calls.set(row.layer.name, [row]);
    else known.push(row);
  }
  const isGraph = isFunctional(root);
  const head = ["Layer (type)", "Output Shape", "Param #", ...(isGraph ? ["Connected to"] : [])];
  const total: Count = { all: 0, fixed: 0 };
  const table = [head];
  for (const { name, className } of layersOf(root, true)) {
    const own = calls.get(name);
    if (own === undefined || (className === "InputLayer" && !isGraph)) continue;
    const count = counts.get(name) ?? { all: 0, fixed: 0 };
    total.all += count.all;
    total.fixed += count.fixed;
    const shapes = own[0]!.outputs.map(({ shape }) => showOpen(shape));
    const from = own
      .flatMap((row) => row.from)
      .map(({ layer, node, tensor }) => `${layer}[${node}][${tensor}]`);
    table.push([
      `${name} (${className})`,
      shapes.length === 1 ? shapes[0]! : `[${shapes.join(", ")}]`,
      thousands(count.all),
      ...(isGraph ? [from.join(", ") || "-"] : []),
    ]);
  }
  const widths = head.map((_, column) => Math.min(WIDEST, longestOf(table.map((row) => row[column]!))));
  const lines = table.map((row) =>
    ` ${row.map((text, column) => text.padEnd(widths[column]!)).join("  ")}`.trimEnd(),
  );
  const rule = Math.min(WIDEST, longestOf(lines)) + 1;
  return [
    `Model: "${root.name}"`,
    "_".repeat(rule),
    lines[0]!,
    "=".repeat(rule),
    ...lines.slice(1),
    "=".repeat(rule),
    `Total params: ${sizeOf(total.all)}`,
    `Trainable params: ${sizeOf(total.all - total.fixed)}`,
    `Non-trainable params: ${sizeOf(total.fixed)}`,
  ].join("\n");
}

/** How wide a column may make the others' rows, and how long a rule is. */
const WIDEST = 200;

/** Slashes of a name that are looked at: those of models are fewer. */
const MOST_PARTS = 64;

const longestOf = (texts: readonly string[]): number =>
  texts.reduce((most, { length }) => Math.max(most, length), 0);

/** The numbers of each layer, and of each model with those below it. */
function countsOf(files: Parameters<typeof summaryOf>[2]): ReadonlyMap<string, Count> {
  const counts = new Map<string, Count>();
  for (const [name, { weights, config }] of files) {
    const isFixed = config !== undefined && field(config, "trainable") === false;
    const own: Count = { all: 0, fixed: 0 };
    for (const [key, { data }] of weights) {
      own.all += data.length;
      if (isFixed || /^moving_|(^|\/)(seed_generator|count)/.test(key)) own.fixed += data.length;
    }
    let parts = 0;
    for (let end = name.length; end > 0 && parts++ < MOST_PARTS; end = name.lastIndexOf("/", end - 1)) {
      const outer = name.slice(0, end);
      const sum = counts.get(outer) ?? { all: 0, fixed: 0 };
      counts.set(outer, { all: sum.all + own.all, fixed: sum.fixed + own.fixed });
    }
  }
  return counts;
}

const thousands = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

/** How many, and how many bytes as float32. */
function sizeOf(count: number): string {
  const units = ["B", "KB", "MB", "GB"];
  let bytes = count * 4;
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    unit++;
  }
  return `${thousands(count)} (${bytes.toFixed(2)} ${units[unit]})`;
}
