/** What code says of an ONNX model beside its layers: what the exporter did, and which layers are parts of a chain. */
import { comment } from "./code-lines.js";
import type { Layer, Model } from "./model.js";

/** The option of readOnnx that its messages name for GRUs whose exporter left out linear_before_reset. */
const AS_MEANT = '{ gru: "pytorch" }';

/** The warnings of readOnnx as comments, and the line that reads such GRUs as PyTorch meant them. */
export function onnxNotes({ warnings, refused }: Model): string[] {
  const lines = warnings.flatMap((warning) => ["", comment(`Note: ${warning}`)]);
  if (![...warnings, ...refused].some((text) => text.includes(AS_MEANT))) return lines;
  return [
    ...lines,
    "",
    "// Its GRUs as PyTorch meant them:",
    `// const { layers } = readOnnx(bytes, ${AS_MEANT});`,
  ];
}

/** For each layer that is a part of a chain, by its place in `layers` of readOnnx, comments that say so. */
export function chainRemarks(layers: readonly Layer[]): ReadonlyMap<number, string[]> {
  const places = new Map<string, number>();
  for (const { source } of layers) if (source.kind === "onnx") places.set(source.layer.name, source.at);
  const remarks = new Map<number, string[]>();
  const add = (at: number, remark: string): void => {
    remarks.set(at, [...(remarks.get(at) ?? []), remark]);
  };
  for (const { source } of layers) {
    const before = source.kind === "onnx" ? places.get(source.layer.follows ?? "") : undefined;
    if (source.kind !== "onnx" || before === undefined) continue;
    if (!remarks.has(before) || remarks.get(before)!.length < 2) {
      add(
        before,
        `// A part of a chain: layers[${source.at}] takes its output, through nodes that this code lacks.`,
      );
    }
    add(source.at, `// It takes the output of layers[${before}], through nodes that this code lacks.`);
  }
  return remarks;
}
