/** What a manifest says of the weights and of the files that hold them, checked. */

import { isArray, show, showShape } from "../../tensor/checks.js";
import { MOST_DIMENSIONS, MOST_TENSORS } from "../../tensor/like.js";
import { FormatError, shorten, unsupported } from "../bytes.js";
import { type Dtype, elementsOf } from "../dtype.js";
import { isObject } from "../json.js";

/** The element types that become tensors, and where they have another type, how they are stored. */
const DTYPES: ReadonlyMap<unknown, Dtype> = new Map<unknown, Dtype>([
  ["float32", "F32"],
  ["int32", "I32"],
  ["bool", "BOOL"],
]);
const QUANTISED: ReadonlyMap<unknown, Dtype> = new Map<unknown, Dtype>([
  ["uint8", "U8"],
  ["uint16", "U16"],
  ["float16", "F16"],
]);
export interface Weight {
  readonly name: string;
  readonly label: string;
  readonly shape: readonly number[];
  readonly elements: number;
  readonly dtype: string;
  /** How the numbers are stored; undefined for text and complex numbers. */
  readonly stored: Dtype | undefined;
  /** value = stored * scale + min, where numbers of 8 or 16 bits are stored. */
  readonly range: { readonly scale: number; readonly min: number } | undefined;
}

export interface Group {
  readonly paths: readonly string[];
  readonly weights: readonly Weight[];
}

/** What the manifest says, checked. It may be any object, so each property is read once. */
export function groupsOf(manifest: unknown, format: string): Group[] {
  const names = new Set<string>();
  const files = new Set<string>();
  return listOf(manifest, `${format}: manifest`).map((group, at) => {
    const label = `${format}: manifest[${at}]`;
    if (!isObject(group)) throw wrong(label, "an object with paths and weights", group);
    const { paths, weights } = group;
    return {
      paths: listOf(paths, `${label}.paths`).map((path, index) => {
        if (typeof path !== "string") throw wrong(`${label}.paths[${index}]`, "a string", path);
        return once(files, path, `${format}: file ${show(path)}`);
      }),
      weights: listOf(weights, `${label}.weights`).map((weight, index) => {
        const place = `${label}.weights[${index}]`;
        if (!isObject(weight)) throw wrong(place, "an object with name, shape and dtype", weight);
        const checked = weightOf(weight, format, place);
        once(names, checked.name, checked.label);
        return checked;
      }),
    };
  });
}

/** The same of ml5's manifest: a file for each weight, all of float32. */
export function filesOf(manifest: Readonly<Record<string, unknown>>): Group[] {
  const files = new Set<string>();
  return Object.keys(manifest).map((name) => {
    const label = `tensorflow: weight ${show(name)}`;
    const entry = manifest[name];
    if (!isObject(entry)) throw wrong(label, "an object with filename and shape", entry);
    const { filename, shape: sizes } = entry;
    if (typeof filename !== "string") throw wrong(`${label}: filename`, "a string", filename);
    once(files, filename, `tensorflow: file ${show(filename)}`);
    const { shape, elements } = shapeOf(sizes, label);
    const weight = { name, label, shape, elements, dtype: "float32", stored: "F32" as const };
    return { paths: [filename], weights: [{ ...weight, range: undefined }] };
  });
}

function weightOf(weight: Readonly<Record<string, unknown>>, format: string, place: string): Weight {
  const { name, shape: sizes, dtype, quantization } = weight;
  if (typeof name !== "string") throw wrong(`${place}.name`, "a string", name);
  const label = `${format}: weight ${show(name)}`;
  const { shape, elements } = shapeOf(sizes, label);
  if (dtype === "string" || dtype === "complex64") {
    return { name, label, shape, elements, dtype, stored: undefined, range: undefined };
  }
  const plain = DTYPES.get(dtype);
  if (plain === undefined) {
    const known = [...DTYPES.keys()].join(", ");
    const got = typeof dtype === "string" ? `dtype ${show(dtype)}` : `a dtype that is ${show(dtype)}`;
    throw unsupported(`${label}: ${got} is not supported; supported are ${known}`);
  }
  const common = { name, label, shape, elements, dtype: dtype as string };
  if (quantization == null) return { ...common, stored: plain, range: undefined };
  if (!isObject(quantization)) throw wrong(`${label}: quantization`, "an object", quantization);
  const { dtype: small, original_dtype: original, scale, min } = quantization;
  const stored = QUANTISED.get(small);
  if (stored === undefined) {
    const known = [...QUANTISED.keys()].join(", ");
    throw unsupported(`${label}: quantization.dtype ${show(small)} is not supported; supported are ${known}`);
  }
  if (dtype === "bool" || (original != null && original !== dtype)) {
    throw wrong(`${label}: quantization of dtype ${dtype}`, "float32 or int32", original ?? dtype);
  }
  if (stored === "F16") {
    if (dtype !== "float32") throw wrong(`${label}: quantization to float16`, '"float32"', dtype);
    return { ...common, stored, range: undefined };
  }
  return {
    ...common,
    stored,
    range: {
      scale: finite(scale, `${label}: quantization.scale`),
      min: finite(min, `${label}: quantization.min`),
    },
  };
}

function shapeOf(sizes: unknown, label: string): { shape: readonly number[]; elements: number } {
  // Copied before it is checked: longer than any shape may be, it is cut off.
  const shape = isArray(sizes)
    ? Array.from({ length: Math.min(sizes.length, MOST_DIMENSIONS + 1) }, (_, at) => sizes[at])
    : [];
  const elements = isArray(sizes) ? elementsOf(shape) : undefined;
  if (elements === undefined) {
    const got = shape.every((size) => typeof size === "number") && isArray(sizes);
    throw wrong(
      `${label}: shape`,
      "an array of sizes",
      sizes,
      got ? showShape(shape as number[]) : undefined,
    );
  }
  return { shape: shape as number[], elements };
}

function finite(value: unknown, label: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw wrong(label, "a finite number", value);
  return value;
}

/** A copy of a list, cut off where no manifest goes on. */
function listOf(list: unknown, label: string): unknown[] {
  const length = isArray(list) ? list.length : Number.NaN;
  if (!(length <= MOST_TENSORS)) throw wrong(label, `an array of up to ${MOST_TENSORS} items`, list);
  return Array.from({ length }, (_, at) => (list as readonly unknown[])[at]);
}

/** Remembers a name that may occur once. */
function once(seen: Set<string>, name: string, label: string): string {
  if (seen.has(name)) throw new FormatError(`${label} occurs twice`);
  seen.add(name);
  return name;
}

function wrong(label: string, expected: string, got: unknown, shown = show(got)): FormatError {
  return new FormatError(`${label}: expected ${expected}, got ${shorten(shown)}`);
}
