/** Code for recurrent layers of Keras, and what their callers do besides; and for the cells of TensorFlow's variables. */
import { fromKeras, type KerasLayer, type KerasRecurrent, type KerasWeights } from "lstm-wasm/formats";
import { zeros } from "./call-code.js";
import type { Code } from "./code.js";
import { comment, MOST_PREFIX } from "./code-lines.js";
import type { CellSource, KerasSource } from "./model.js";

type Kind = KerasRecurrent["kind"];

export function writeKeras(code: Code, source: KerasSource): void {
  const { layer, at, part } = source;
  const found = recurrentOf(source);
  if (found === undefined) {
    writeArrays(code, source);
    return;
  }
  const name = part === undefined ? layer.name : `${layer.name}/${layer.parts![part]!.name}`;
  const place = part === undefined ? `layers[${at}].recurrent` : `layers[${at}].parts[${part}].recurrent`;
  const { kind, options } = found;
  const dict = `${place}.stateDict`;
  writeLayer(code, { name, kind, dict, inputSize: options.inputSize, notes: kerasNotes(source) });
}

/** Of a layer with config. */
export function recurrentOf({ layer, part }: KerasSource): KerasRecurrent | undefined {
  return part === undefined ? layer.recurrent : layer.parts![part]!.recurrent;
}

interface Written {
  readonly name: string;
  readonly kind: Kind;
  /** The state dict as code. */
  readonly dict: string;
  readonly inputSize: number;
  readonly notes: readonly string[];
}

function writeLayer(code: Code, { name, kind, dict, inputSize, notes }: Written): void {
  const variable = code.layer(kind, name.slice(0, MOST_PREFIX));
  code.lines.push("", ...notes.map(comment), `const ${variable} = ${kind}.fromStateDict(${dict});`);
  const told = `(batch, steps, ${inputSize})`;
  code.forward(variable, { input: zeros(1, 1, inputSize), state: "", isAlone: false, told });
}

const JOINED = {
  concat: "both side by side",
  sum: "their sum",
  mul: "their product",
  ave: "their mean",
  null: "two outputs",
};

/** What Keras' layer does that the module does not, or does otherwise than one expects. */
export function kerasNotes(source: KerasSource): string[] {
  const found = recurrentOf(source);
  if (found === undefined) return [];
  const { options, returnSequences, stateful, mergeMode } = found;
  const { bidirectional, goBackwards } = options;
  const isCell = source.part !== undefined && mergeMode === undefined;
  const isLastCell = source.part === (source.layer.parts?.length ?? 0) - 1;
  const joined = mergeMode === undefined ? "" : JOINED[`${mergeMode}`];
  const notes: string[] = [];
  if (isCell) notes.push("One of several cells: each takes the output of the one before.");
  else if (mergeMode !== undefined && !bidirectional) {
    notes.push(`A half of a Bidirectional, which gives of its halves ${joined} (merge_mode).`);
  } else if (bidirectional && mergeMode !== "concat") {
    notes.push(`The output has both halves side by side; Keras' layer gives ${joined} (merge_mode).`);
  }
  if (goBackwards) {
    const turned = mergeMode === undefined ? "" : ", which Bidirectional turns back";
    notes.push(`It begins at the last step, whose row of the output is the first${turned}.`);
  }
  if (!returnSequences && (!isCell || isLastCell)) {
    const rows = bidirectional
      ? "the last row of the first half and the first row of the second"
      : "the last row";
    notes.push(`Keras' layer gives ${rows} alone (return_sequences=False).`);
  }
  if (stateful) notes.push("It is stateful: pass the state that the call before it gave.");
  return notes;
}

/** What a layer's arrays are called that make a direction. */
interface Half {
  readonly kernel: string;
  readonly recurrentKernel: string;
  readonly bias: string | undefined;
}

/** The directions of a recurrent layer in a file without config, one or two; empty for any other layer. */
export function halvesOf({ className, weights, config }: KerasLayer): readonly Half[] {
  const isRecurrent = /^(LSTM|GRU|SimpleRNN|CuDNNLSTM|CuDNNGRU|RNN|Bidirectional)$/.test(className);
  if (!isRecurrent || Object.keys(config).length > 0) return [];
  const halves = [...weights.keys()].flatMap((name) => {
    const [, start] = /^(.*\/|)recurrent_kernel$/s.exec(name) ?? [];
    if (start === undefined) return [];
    const bias = weights.has(`${start}bias`) ? `${start}bias` : undefined;
    return [{ kernel: `${start}kernel`, recurrentKernel: name, bias }];
  });
  return halves.length === (className === "Bidirectional" ? 2 : 1) ? halves : [];
}

/** The kind of a layer whose class does not tell it, by the number of its gates. */
function kindOf({ className, weights }: KerasLayer, { recurrentKernel }: Half): Kind {
  const [, named] = /(LSTM|GRU|SimpleRNN)/.exec(className) ?? [];
  if (named !== undefined) return named === "SimpleRNN" ? "RNN" : (named as Kind);
  const [rows = 1, columns = 0] = weights.get(recurrentKernel)!.shape;
  return columns === 4 * rows ? "LSTM" : columns === 3 * rows ? "GRU" : "RNN";
}

/** A layer of a file that has arrays and no config. */
function writeArrays(code: Code, { layer, at, version }: KerasSource): void {
  const { name, weights } = layer;
  const halves = halvesOf(layer);
  const kind = kindOf(layer, halves[0]!);
  const isTwo = halves.length === 2;
  const given = halves.map(({ kernel, recurrentKernel, bias }, index) => {
    const names = Object.entries({ kernel, recurrentKernel, ...(bias === undefined ? {} : { bias }) });
    const options = {
      ...(index > 0 ? { reverse: true } : {}),
      ...(kind === "GRU" && bias === undefined ? { resetAfter: true } : {}),
      ...(version === undefined ? {} : { kerasVersion: version }),
      // A version that had two defaults.
      ...(version?.startsWith("2.2.4-tf") && kind !== "RNN" ? { recurrentActivation: "sigmoid" } : {}),
    };
    return { names, options };
  });
  let inputSize: number;
  try {
    const [first] = given.map(({ names, options }) => {
      const arrays = Object.fromEntries(names.map(([key, array]) => [key, weights.get(array)]));
      return fromKeras(arrays as unknown as KerasWeights, kind, options);
    });
    inputSize = first!.get("weight_ih_l0")!.shape[1]!;
  } catch (error) {
    if (!(error instanceof TypeError) && !(error instanceof RangeError)) throw error;
    code.lines.push("", comment(`${JSON.stringify(name)} does not load: ${error.message}`));
    return;
  }
  code.formats.add("fromKeras");
  const from = code.names.claim("arrays");
  code.lines.push("", `const ${from} = layers[${at}].weights;`);
  const dicts = given.map(({ names, options }) => {
    const arrays = names.map(([key, array]) => `${key}: ${from}.get(${JSON.stringify(array)})`).join(", ");
    const passed = Object.keys(options).length === 0 ? "" : `, ${JSON.stringify(options)}`;
    return `fromKeras({ ${arrays} }, "${kind}"${passed})`;
  });
  let dict = dicts[0]!;
  if (isTwo) {
    const [forward, backward] = ["forward", "backward"].map((half) => code.names.claim(half));
    code.lines.push(`const ${forward} = ${dicts[0]};`, `const ${backward} = ${dicts[1]};`);
    dict = `Object.assign(new Map([...${forward}, ...${backward}]), { metadata: ${forward}.metadata })`;
  }
  const notes = [
    "The file has no config: pass the layer's activations and the like where they are not the usual ones.",
    ...(isTwo ? ["The output has both halves side by side: Keras' layer joins them by its merge_mode."] : []),
  ];
  writeLayer(code, { name, kind, dict, inputSize, notes });
}

export function writeCell(code: Code, { cell, scope, layer }: CellSource): void {
  const { kind, options } = layer;
  const notes =
    kind === "LSTM" ? ["forgetBias is 1 if it is not given, as the cells' is: no file has it."] : [];
  const given = scope === "" ? "" : `, { prefix: ${JSON.stringify(scope)} }`;
  const dict = `fromTensorFlow(weights, "${cell}"${given}).stateDict`;
  code.formats.add("fromTensorFlow");
  writeLayer(code, { name: scope, kind, dict, inputSize: options.inputSize, notes });
}
