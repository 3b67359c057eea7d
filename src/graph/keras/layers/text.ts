/** Layers that take strings, and IntegerLookup: numbers for words, by a vocabulary. */

import { show, wrongValue } from "../../../tensor/checks.js";
import type { HostTensor } from "../../ir.js";
import type { LayerCall } from "../layer-call.js";
import type { KerasTensor, Texts } from "../tensor.js";
import { ngrams, SPLITS, STANDARDS, split, standardized } from "../texts/split.js";
import {
  counted,
  indexOf,
  LOOKUP_MODES,
  MODES,
  type Vocabulary,
  vocabularyOf,
  type Word,
} from "../texts/vocabulary.js";

/** Classes of layers whose input may be strings. */
export const TEXT_LAYERS: readonly string[] = ["StringLookup", "TextVectorization"];

const missingIn =
  (call: LayerCall) =>
  (word: Word): never => {
    throw wrongValue(`keras: ${call.place}: inputs`, "words of its vocabulary", show(word));
  };

/** Rows of numbers, filled with 0 up to one length. */
function padded(rows: readonly (readonly number[])[], length: number): HostTensor {
  const data = new Float64Array(rows.length * length);
  for (const [at, row] of rows.entries()) data.set(row.slice(0, length), at * length);
  return { dtype: "int64", shape: [rows.length, length], data };
}

function countedRows(vocabulary: Vocabulary, rows: readonly (readonly number[])[]): HostTensor {
  const { depth } = vocabulary;
  const data = new Float32Array(rows.length * depth);
  for (const [at, row] of rows.entries()) {
    counted(vocabulary, row, data.subarray(at * depth, (at + 1) * depth));
  }
  return { dtype: "float32", shape: [rows.length, depth], data };
}

/** What a layer makes of strings, as an input of the graph. */
function fromTexts(
  call: LayerCall,
  x: KerasTensor,
  { shape, dtype }: Pick<KerasTensor, "shape" | "dtype">,
  convert: (texts: Texts) => HostTensor,
): readonly KerasTensor[] {
  call.notStreamable("it takes strings");
  call.builder.checkSize(shape, "an output");
  return [call.builder.converted(x.texts!, { shape, dtype }, convert)];
}

function stringsOf(call: LayerCall): KerasTensor {
  const x = call.only();
  return x.texts === undefined ? call.refuse("an input that is no strings is not supported") : x;
}

export function textVectorization(call: LayerCall): readonly KerasTensor[] {
  const x = stringsOf(call);
  for (const key of ["ragged", "sparse"]) if (call.flag(key)) call.refuse(`${key} is not supported`);
  const encoding = call.field("encoding") ?? "utf-8";
  if (encoding !== "utf-8") call.refuse(`encoding: ${show(encoding)} is not supported`);
  const isNull = (key: string) => Object.hasOwn(call.config, key) && call.field(key) === undefined;
  const standard = isNull("standardize")
    ? undefined
    : call.word("standardize", STANDARDS, "lower_and_strip_punctuation");
  const widths = widthsOf(call);
  const mode = call.word("output_mode", MODES, "int");
  const vocabulary = vocabularyOf(call, mode, { mask: "", unknown: "[UNK]", unknownCount: 1 });
  if (isNull("split")) {
    if (widths !== undefined || call.field("output_sequence_length") !== undefined) {
      call.refuse("split: null with ngrams or output_sequence_length is not supported");
    }
    return lookup(call, x, vocabulary, (text) => standardized(text, standard));
  }
  const how = call.word("split", SPLITS, "whitespace");
  if (x.shape.length > 2 || (x.shape.length === 2 && x.shape[1] !== 1)) {
    call.refuse("an input of other shapes than (batch) and (batch, 1) is not supported");
  }
  const missing = missingIn(call);
  const rowsOf = ({ data }: Texts) =>
    data.map((text) => {
      const words = split(standardized(text, standard), how);
      const all = widths === undefined ? words : ngrams(words, widths);
      return all.map((word) => indexOf(vocabulary, word, missing));
    });
  const batch = x.shape[0]!;
  if (mode !== "int") {
    return fromTexts(call, x, { shape: [batch, vocabulary.depth], dtype: "float32" }, (texts) =>
      countedRows(vocabulary, rowsOf(texts)),
    );
  }
  const isFixed = call.field("output_sequence_length") !== undefined;
  const length = isFixed ? call.integer("output_sequence_length", undefined, 1) : null;
  return fromTexts(call, x, { shape: [batch, length], dtype: "int64" }, (texts) => {
    const rows = rowsOf(texts);
    return padded(rows, length ?? rows.reduce((most, row) => Math.max(most, row.length), 0));
  });
}

/** How many words stand together. */
function widthsOf(call: LayerCall): readonly number[] | undefined {
  const stated = call.field("ngrams");
  if (stated === undefined) return undefined;
  const list: readonly unknown[] = Array.isArray(stated)
    ? stated
    : Array.from(
        { length: call.integer("ngrams", undefined, 1) > 16 ? 17 : (stated as number) },
        (_, at) => at + 1,
      );
  const fits =
    list.length > 0 &&
    list.length <= 16 &&
    list.every((width) => Number.isSafeInteger(width) && (width as number) >= 1 && (width as number) <= 64);
  return fits ? (list as readonly number[]) : call.refuse(`ngrams: ${show(stated)} is not supported`);
}

/** What the lookups have in common. */
function lookupOf(call: LayerCall, unknown: Word): Vocabulary {
  if (call.flag("invert")) call.refuse("invert is not supported: it gives words");
  if (call.flag("sparse")) call.refuse("sparse is not supported");
  const unknownCount = call.integer("num_oov_indices", 1, 0);
  if (unknownCount > 1 && call.field("salt") !== undefined) call.refuse("salt is not supported");
  const isHashed = call.word("oov_method", ["floormod", "farmhash"], "floormod") === "farmhash";
  const mode = call.word("output_mode", LOOKUP_MODES, "int");
  const [mask, oov] = ["mask_token", "oov_token"].map((key) => {
    const token = call.field(key);
    if (token !== undefined && typeof token !== typeof unknown) {
      call.broken(`${key}: expected a ${typeof unknown}, got ${show(token)}`);
    }
    return token as Word | undefined;
  });
  return vocabularyOf(call, mode, { mask, unknown: oov ?? unknown, unknownCount, isHashed });
}

/** The shape of what a lookup gives of an input of a shape. */
function shapeOfLookup(call: LayerCall, x: KerasTensor, { mode, depth }: Vocabulary): KerasTensor["shape"] {
  if (mode === "int") return x.shape;
  // An axis of one word becomes that of its row.
  const isOne = x.shape.length > 1 && x.shape.at(-1) === 1;
  if (mode === "one_hot") return [...(isOne ? x.shape.slice(0, -1) : x.shape), depth];
  if (x.shape.length !== 2) call.refuse(`output_mode ${mode} of ${x.shape.length} axes is not supported`);
  return [x.shape[0]!, depth];
}

/** @param axes  of what it gives */
function looked(
  vocabulary: Vocabulary,
  indices: readonly number[],
  shape: readonly number[],
  axes: number,
): HostTensor {
  if (vocabulary.mode === "int") return { dtype: "int64", shape, data: Float64Array.from(indices) };
  const isOneHot = vocabulary.mode === "one_hot";
  const width = isOneHot ? 1 : shape[1]!;
  const count = isOneHot ? indices.length : shape[0]!;
  const rows = Array.from({ length: count }, (_, at) => indices.slice(at * width, (at + 1) * width));
  const made = countedRows(vocabulary, rows);
  return isOneHot ? { ...made, shape: [...shape.slice(0, axes - 1), vocabulary.depth] } : made;
}

/** A number for each text, or counts of those of a row. */
function lookup(
  call: LayerCall,
  x: KerasTensor,
  vocabulary: Vocabulary,
  wordOf: (text: string) => string,
): readonly KerasTensor[] {
  const shape = shapeOfLookup(call, x, vocabulary);
  const missing = missingIn(call);
  const dtype = vocabulary.mode === "int" ? "int64" : "float32";
  return fromTexts(call, x, { shape, dtype }, ({ data, shape: own }) =>
    looked(
      vocabulary,
      data.map((text) => indexOf(vocabulary, wordOf(text), missing)),
      own,
      shape.length,
    ),
  );
}

export function stringLookup(call: LayerCall): readonly KerasTensor[] {
  return lookup(call, stringsOf(call), lookupOf(call, "[UNK]"), (word) => word);
}

export function integerLookup(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const x = call.only();
  if (x.dtype === "float32") call.refuse("an input that is no integers is not supported");
  const vocabulary = lookupOf(call, -1);
  if (vocabulary.unknown === undefined) call.refuse("num_oov_indices of 0 is not supported");
  const shape = shapeOfLookup(call, x, vocabulary);
  const missing = missingIn(call);
  const compute = ([input]: readonly HostTensor[]): readonly HostTensor[] => {
    const { data, shape: own } = input!;
    const indices = Array.from(data, (number) => indexOf(vocabulary, number, missing));
    return [looked(vocabulary, indices, own, shape.length)];
  };
  if (x.time && vocabulary.mode !== "int") call.notStreamable("it counts over all steps of time");
  const value = builder.node("lstm-wasm.Function", [builder.cast(x.value, x.dtype, "int64")], {
    compute: { kind: "function", value: compute },
  })[0]!;
  const isInt = vocabulary.mode === "int";
  return [call.tensor(value, shape, { dtype: isInt ? "int64" : "float32", time: isInt && x.time })];
}
