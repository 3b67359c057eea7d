/** Code for recurrent layers of Keras, and what their callers do besides; and for the cells of TensorFlow's variables. */
import { fromKeras, type KerasRecurrent, type KerasWeights } from "lstm-wasm/formats";
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

/** A layer of a file that has arrays and no config. */
function writeArrays(code: Code, { layer, at, version }: KerasSource): void {
  const { className, name, weights } = layer;
  const kind = /LSTM/.test(className) ? "LSTM" : /GRU/.test(className) ? "GRU" : "RNN";
  const [kernel, recurrentKernel, bias] = ["kernel", "recurrent_kernel", "bias"].map((key) =>
    weights.get(key),
  );
  const arrays = { kernel, recurrentKernel, ...(bias === undefined ? {} : { bias }) } as KerasWeights;
  const options = {
    ...(kind === "GRU" && bias === undefined ? { resetAfter: true } : {}),
    ...(version === undefined ? {} : { kerasVersion: version }),
    // A version that had two defaults.
    ...(version?.startsWith("2.2.4-tf") && kind !== "RNN" ? { recurrentActivation: "sigmoid" } : {}),
  };
  let inputSize: number;
  try {
    inputSize = fromKeras(arrays, kind, options).get("weight_ih_l0")!.shape[1]!;
  } catch (error) {
    if (!(error instanceof TypeError) && !(error instanceof RangeError)) throw error;
    code.lines.push("", comment(`${JSON.stringify(name)} does not load: ${error.message}`));
    return;
  }
  code.formats.add("fromKeras");
  const from = code.names.claim("arrays");
  code.lines.push("", `const ${from} = layers[${at}].weights;`);
  const given = [
    'kernel: A.get("kernel")',
    'recurrentKernel: A.get("recurrent_kernel")',
    ...(bias === undefined ? [] : ['bias: A.get("bias")']),
  ].map((line) => line.replace("A", from));
  const passed = Object.keys(options).length === 0 ? "" : `, ${JSON.stringify(options)}`;
  const dict = `fromKeras({ ${given.join(", ")} }, "${kind}"${passed})`;
  const notes = [
    "The file has no config: pass the layer's activations and the like where they are not the usual ones.",
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
