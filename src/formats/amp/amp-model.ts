/** What the readers of amp models return, and how they read JSON. */

import { isArray, reading, show, wrongType } from "../../tensor/checks.js";
import { withMetadata } from "../../tensor/metadata.js";
import { type StateDict, Tensor } from "../../tensor/tensor.js";
import { type Bytes, FormatError, isBytes } from "../bytes.js";
import { isObject, parseJson } from "../json.js";
import { type LayerOptions, layerOptions } from "../layer-options.js";
import type { ReaderName } from "../recognise/file-kind.js";
import { explained, otherFile, readAs } from "../recognise/index.js";
import { knownJson } from "../recognise/json-kind.js";
import { decodeUtf8 } from "../utf8.js";

/**
 * A recurrent amp model. For each sample it takes one value or more and gives one or more:
 *
 *     x = inputGain * input
 *     output = outputGain * (head(recurrent(x)) + (skip ? first channel of x : 0))
 */
export interface AmpModel {
  readonly kind: "LSTM" | "GRU";
  /** Channels of the input: the sample, then the settings of knobs if the model has any. */
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly outputSize: number;
  /**
   * `recurrent`, and where the file has an initial state `h0` and `c0`, (numLayers, hiddenSize) each. Its `metadata` has
   * the kind and the options.
   */
  readonly stateDict: StateDict;
  /** All that `new LSTM` or `new GRU` takes. */
  readonly options: LayerOptions;
  /** For `LSTM.fromStateDict` or `GRU.fromStateDict`: `weight_ih_l0`... */
  readonly recurrent: StateDict;
  /** For `Linear.fromStateDict`: `weight` (outputSize, hiddenSize), and `bias` (outputSize) if it has one. */
  readonly head: StateDict;
  /** The state to begin with, [h0, c0], each (numLayers, 1, hiddenSize). If it is undefined, zeros. */
  readonly initialState: readonly [Tensor, Tensor] | undefined;
  readonly skip: boolean;
  /** A factor, not decibels. 1 if the file states none. */
  readonly inputGain: number;
  readonly outputGain: number;
  /** In Hz. Undefined if the file states none. */
  readonly sampleRate: number | undefined;
}

/** What a reader makes of a file; the rest follows from it. */
export type AmpParts = Omit<AmpModel, "stateDict" | "options">;

/** A JSON file as readers take it: its bytes, its text, or the object parsed from it. */
export type JsonSource = Bytes | string | Readonly<Record<string, unknown>>;

/** No weight has more. The limit also stops at an array that contains itself. */
const MOST_DIMENSIONS = 8;

/** Of lists that hold anything but numbers: 1024 layers and a head are the longest. */
const MOST_ITEMS = 1025;

/** A parsed JSON value and its name for messages: `nam: config.hidden_size`. */
export class JsonValue {
  constructor(
    readonly value: unknown,
    readonly name: string,
  ) {}

  get(key: string): JsonValue {
    const value = this.has(key) ? (this.value as Record<string, unknown>)[key] : undefined;
    return new JsonValue(value, this.name.endsWith(":") ? `${this.name} ${key}` : `${this.name}.${key}`);
  }

  /** Whether this is an object that has such a key with a value other than null. */
  has(key: string): boolean {
    return isObject(this.value) && Object.hasOwn(this.value, key) && this.value[key] != null;
  }

  object(): this {
    if (!isObject(this.value)) throw this.error("an object", this.value);
    return this;
  }

  keys(): string[] {
    return Object.keys(this.object().value as object);
  }

  items(): JsonValue[] {
    const { value } = this;
    const length = isArray(value) ? value.length : Number.NaN;
    if (!(length <= MOST_ITEMS)) throw this.error(`an array of up to ${MOST_ITEMS} items`, value);
    const items = value as readonly unknown[];
    return Array.from({ length }, (_, at) => new JsonValue(items[at], `${this.name}[${at}]`));
  }

  number(): number {
    if (typeof this.value !== "number" || !Number.isFinite(this.value))
      throw this.error("a number", this.value);
    return this.value;
  }

  /** The same value, or the number that a text writes: AIDA-X has `"samplerate": "48000"`. */
  orText(): JsonValue {
    const { value, name } = this;
    const isNumber =
      typeof value === "string" && value.length <= 32 && /^-?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(value);
    return isNumber ? new JsonValue(Number(value), name) : this;
  }

  integer(least: number, most = 65_536): number {
    const value = this.number();
    if (!Number.isInteger(value) || value < least || value > most) {
      throw this.error(`an integer from ${least} to ${most}`, value);
    }
    return value;
  }

  /** One of these strings. */
  oneOf<Choice extends string>(choices: readonly Choice[]): Choice {
    const choice = choices.find((known) => known === this.value);
    if (choice === undefined)
      throw this.error(choices.map((known) => JSON.stringify(known)).join(" or "), this.value);
    return choice;
  }

  /**
   * Nested arrays of numbers, all rows equally long, as a tensor. They are checked before a tensor is made.
   */
  tensor(): Tensor {
    const shape: number[] = [];
    for (let probe = this.value; isArray(probe); probe = probe[0]) {
      if (shape.push(probe.length) > MOST_DIMENSIONS) throw this.error("fewer dimensions", this.value);
    }
    if (shape.length === 0) throw this.error("an array of numbers", this.value);
    checkNumbers(this, shape, this.value, []);
    const numbers = new Float32Array(shape.reduce((product, length) => product * length, 1));
    copyNumbers(this.value as unknown[], shape, 0, numbers, 0);
    return new Tensor(numbers, shape);
  }

  error(expected: string, got: unknown): FormatError {
    // The file itself is named "nam:", a field of it "nam: config".
    const name = this.name.endsWith(":") ? this.name : `${this.name}:`;
    return new FormatError(`${name} expected ${expected}, got ${show(got)}`);
  }
}

/** Checks what is below `place`, the indices that lead there. Only a message spells them out. */
function checkNumbers(root: JsonValue, shape: readonly number[], value: unknown, place: number[]): void {
  const fail = (expected: string, got: unknown) =>
    new JsonValue(got, `${root.name}${place.map((at) => `[${at}]`).join("")}`).error(expected, got);
  const axis = place.length;
  const length = shape[axis]!;
  if (!isArray(value) || value.length !== length) throw fail(`an array of length ${length}`, value);
  const innermost = axis + 1 === shape.length;
  for (let at = 0; at < length; at++) {
    place[axis] = at;
    if (!innermost) checkNumbers(root, shape, value[at], place);
    else if (typeof value[at] !== "number") throw fail("a number", value[at]);
  }
  place.length = axis;
}

/** Copies checked nested arrays to `numbers`, from index `next` on. Returns the index after the last. */
function copyNumbers(
  value: readonly unknown[],
  shape: readonly number[],
  axis: number,
  numbers: Float32Array,
  next: number,
): number {
  const innermost = axis + 1 === shape.length;
  let end = next;
  for (let at = 0; at < shape[axis]!; at++) {
    if (innermost) numbers[end++] = value[at] as number;
    else end = copyNumbers(value[at] as unknown[], shape, axis + 1, numbers, end);
  }
  return end;
}

/**
 * What `read` makes of a file. An object that a caller gives may be anything, so all of `read` reads an argument.
 * @throws TypeError if `source` is neither bytes, text nor an object; FormatError if it is not a JSON object
 */
export function readJson(
  source: JsonSource,
  format: string,
  reader: ReaderName,
  read: (file: JsonValue) => AmpParts,
): AmpModel {
  const model = reading("source", EXPECTED, () => read(openJson(source, format, reader)));
  const { kind, inputSize, hiddenSize, numLayers, recurrent, initialState } = model;
  const stateDict: StateDict = new Map(recurrent);
  for (const [which, { data }] of (initialState ?? []).entries()) {
    stateDict.set(which === 0 ? "h0" : "c0", new Tensor(data.slice(), [numLayers, hiddenSize]));
  }
  const options = layerOptions(kind, {
    inputSize,
    hiddenSize,
    numLayers,
    bias: recurrent.has("bias_ih_l0"),
    initialState: initialState !== undefined,
  });
  return { ...model, stateDict: withMetadata(stateDict, { "": { kind, options: { ...options } } }), options };
}

const EXPECTED = "bytes, text or an object";

function openJson(source: JsonSource, format: string, reader: ReaderName): JsonValue {
  let value: unknown = source;
  if (typeof source === "string") {
    try {
      value = parseJson(source, format);
    } catch (cause) {
      // An HTML page, a pointer of Git LFS: its beginning tells.
      const start = source.slice(0, 1024).replace(/^\ufeff/, "");
      const bytes = Uint8Array.from(start, (unit) => unit.charCodeAt(0));
      throw /^\s*[[{]/.test(start) ? cause : explained(reader, bytes, cause);
    }
  } else if (isBytes(source)) {
    value = readAs(reader, source, (file) => parseJson(decodeUtf8(file, format), format));
  } else if (!isObject(source)) throw wrongType("source", EXPECTED, source);
  const kind = knownJson(value);
  if (kind !== undefined && kind.reader !== reader) throw otherFile(reader, kind);
  return new JsonValue(value, `${format}:`).object();
}

/** The sample rate in Hz, if the file states one. */
export function readSampleRate(value: JsonValue): number | undefined {
  if (value.value == null) return undefined;
  const rate = value.number();
  if (rate <= 0) throw value.error("a rate above 0", rate);
  return rate;
}
