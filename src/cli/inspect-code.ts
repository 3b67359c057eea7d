/** The code that loads a weight file: what `inspect` prints, and the module that `inspect --code` writes. */
import {
  Conv1d,
  Embedding,
  GRU,
  GRUCell,
  Linear,
  LSTM,
  LSTMCell,
  type ModuleMetadata,
  RNN,
  RNNCell,
  type StateDict,
} from "lstm-wasm";
import type { AmpModel, ModuleInfo, OnnxLayer } from "lstm-wasm/formats";
import { callOf, zeros } from "./call-code.js";
import { Code } from "./code.js";
import { bytesLines, comment, MOST_PREFIX, shardLines } from "./code-lines.js";
import { writeCell, writeKeras } from "./keras-code.js";
import type { Layer, Model } from "./model.js";
import { chainRemarks, onnxNotes } from "./onnx-notes.js";
import { besideOf, WORDS } from "./shards.js";
import { convolutionOptions } from "./summary.js";

const CLASSES = { Conv1d, Embedding, GRU, GRUCell, LSTM, LSTMCell, Linear, RNN, RNNCell };

/** A prefix of more parts is of no use in code, and costs work that grows with them. */
const MOST_PARTS = 32;

/** Layers that get code, in a listing and in a module: a model of fifty convolutions needs no fifty to show how. */
const SHOWN_LAYERS = 12;
const MODULE_LAYERS = 1000;

export interface CodeOptions {
  /** Whether the bytes come from `fetch`, not from Node's file system. */
  readonly fetch: boolean;
  /** Whether it is a module of its own, which has the code of all layers. */
  readonly isModule: boolean;
}

/** Lines of a module, with comments for what cannot be loaded. Names from the file stand in literals only. */
export function codeOf(path: string, model: Model, { fetch, isModule }: CodeOptions): string[] {
  const most = isModule ? MODULE_LAYERS : SHOWN_LAYERS;
  const code = new Code();
  const { layers, refused, reader, options, externalData, shards } = model;
  // First, since the layers that follow may need them.
  for (const reason of refused.slice(0, most)) code.lines.push("", comment(`Not supported: ${reason}`));
  code.lines.push(...onnxNotes(model));
  const remarks = chainRemarks(layers);
  const below = namesBelow(layers);
  for (const layer of layers.slice(0, most)) {
    const { source } = layer;
    if (source.kind === "amp") writeAmp(code, source.model);
    else if (source.kind === "onnx") writeOnnx(code, source, remarks);
    else if (source.kind === "keras") writeKeras(code, source);
    else if (source.kind === "cell") writeCell(code, source);
    else
      writeModule(code, layer, source.node ? [...source.dict.keys()] : (below.get(source.info.prefix) ?? []));
  }
  if (layers.length > most) {
    const where = isModule ? "" : "; inspect --code writes them";
    code.lines.push("", `// And ${layers.length - most} layers more${where}.`);
  }
  if (model.others !== undefined) code.lines.push("", comment(model.others));
  const beside = externalData.map(
    (name, at) => [name, at === 0 ? "data" : code.names.claim("data")] as const,
  );
  const data = beside.flatMap(([name, variable]) => bytesLines(variable, besideOf(path, name), fetch));
  const files = beside.map(([name, variable]) => `${JSON.stringify(name)}: ${variable}`).join(", ");
  const given = [...options, ...(files === "" ? [] : [`externalData: { ${files} }`])];
  const value = resultOf(reader, code.used);
  const isDescribed = /Tfjs|Manifest/.test(reader);
  // JSON.parse does not take the words that Python writes.
  const words = model.hasWords ? `.replace(${WORDS}, "$1null")` : "";
  const text = `new TextDecoder().decode(bytes[names[0]])${words}`;
  if (isDescribed) data.push(`const description = JSON.parse(${text});`);
  const read = isDescribed ? "description, bytes" : "bytes";
  return [
    ...(fetch ? [] : ['import { readFile } from "node:fs/promises";']),
    ...(code.imports.size === 0 ? [] : [`import { ${sorted(code.imports)} } from "lstm-wasm";`]),
    `import { ${sorted(code.formats.add(reader))} } from "lstm-wasm/formats";`,
    "",
    ...(shards === undefined ? bytesLines("bytes", path, fetch) : shardLines(shards, path, fetch)),
    ...data,
    `const ${value} = ${reader}(${read}${given.length === 0 ? "" : `, { ${given.join(", ")} }`});`,
    ...code.lines,
    "",
    code.outputs.length === 0
      ? `console.log(${LISTED[value] ?? "[...tensors.keys()]"});`
      : `console.log({ ${code.outputs.map(([name, output]) => `${name}: ${output}.shape`).join(", ")} });`,
  ];
}

/** What the reader's result is called, or what of it is read. */
function resultOf(reader: Model["reader"], used: ReadonlySet<string>): string {
  if (reader === "readOnnx")
    return `{ ${["layers", "modules", "tensors"].filter((part) => used.has(part)).join(", ") || "tensors"} }`;
  if (/Keras|Tfjs/.test(reader)) return KERAS;
  return /Torch|Safetensors|Manifest|Numpy/.test(reader) ? "weights" : "amp";
}

const KERAS = "{ layers }";

/** What code without layers lists, by its reader's result. */
const LISTED: Readonly<Record<string, string>> = {
  weights: "[...weights.keys()]",
  [KERAS]: "layers.map(({ name }) => name)",
};

/** Names in a dict by the prefixes of the layers that they lie below. */
function namesBelow(layers: readonly Layer[]): Map<string, string[]> {
  const below = new Map<string, string[]>();
  let dict: StateDict | undefined;
  for (const { source } of layers) {
    if (source.kind !== "module" || source.node !== undefined) continue;
    dict = source.dict;
    below.set(source.info.prefix, []);
  }
  for (const name of dict?.keys() ?? []) {
    below.get("")?.push(name);
    let dot = name.indexOf(".");
    for (let part = 0; part < MOST_PARTS && dot >= 0 && dot < MOST_PREFIX; part++) {
      below.get(name.slice(0, dot + 1))?.push(name);
      dot = name.indexOf(".", dot + 1);
    }
  }
  return below;
}

/** Names of a layer's own tensors after its prefix. What else lies below the prefix belongs to other layers. */
function ownNames(kind: ModuleInfo["kind"]): RegExp {
  if (/^(LSTM|GRU|RNN)$/.test(kind)) return /^((weight|bias)_(ih|hh|hr|c[ifo])_l\d|[hc]0$)/;
  return kind.endsWith("Cell") ? /^(weight|bias)_(ih|hh|c[ifo])(_scale)?$/ : /^(weight|bias)(_scale)?$/;
}

function writeModule(code: Code, { name, summary, source }: Layer, below: readonly string[]): void {
  if (source.kind !== "module") return;
  const { info, dict, from, node, told: said } = source;
  const { kind, prefix } = info;
  const { lines } = code;
  const shown = JSON.stringify(name);
  if (prefix.length > MOST_PREFIX || prefix.split(".").length > MOST_PARTS) {
    lines.push("", `// ${summary} is left out: its prefix has ${prefix.length} characters.`);
    return;
  }
  const own = ownNames(kind);
  const names = below.filter((key) => own.test(key.slice(prefix.length)));
  const present: StateDict = new Map(names.map((key) => [key, dict.get(key)!]));
  const { skipped, metadata } = dict;
  const problem = problemOf(info, Object.assign(present, { skipped, metadata }));
  if (problem !== undefined) {
    lines.push("", comment(`${summary} at ${shown} does not load: ${problem}`));
    return;
  }
  const variable = code.layer(kind, node === undefined ? prefix : name.slice(0, MOST_PREFIX));
  code.used.add(node === undefined ? from : "modules");
  lines.push("", ...(node === undefined ? untold(info, said) : []));
  let weights: string = from;
  if (names.length < below.length) {
    weights = code.names.claim(`${variable}Weights`);
    const rest = prefix === "" ? "name" : `name.replace(${JSON.stringify(prefix)}, "")`;
    const picked = `new Map([...${from}].filter(([name]) => ${own}.test(${rest})))`;
    const kept = said === undefined ? picked : `Object.assign(${picked}, { metadata: ${from}.metadata })`;
    lines.push(`const ${weights} = ${kept};`);
  }
  const told = prefix === "" ? [] : [`prefix: ${JSON.stringify(prefix)}`];
  if (node?.kind === "Conv1d") told.push(...convolutionOptions(node));
  const options = told.length === 0 ? "" : `, { ${told.join(", ")} }`;
  lines.push(`const ${variable} = ${kind}.fromStateDict(${weights}${options});`);
  code.forward(variable, callOf(info, node, said));
}

/** What a file's weights do not tell of a layer, as comments. */
function untold(info: ModuleInfo, said: ModuleMetadata | undefined): string[] {
  if (info.kind.startsWith("RNN") && said?.options.nonlinearity === undefined)
    return ['// Weights do not tell the nonlinearity: tanh, or { nonlinearity: "relu" }.'];
  if (info.kind !== "Conv1d" || said !== undefined) return [];
  const groups = (info.mostGroups ?? 1) > 1 ? ` (${info.mostGroups} if it is depthwise)` : "";
  return [`// Weights do not tell stride, padding, dilation and groups${groups}.`];
}

/** Why the weights make no module; undefined if they do. The one way to know is to make it. */
function problemOf({ kind, prefix }: ModuleInfo, dict: StateDict): string | undefined {
  try {
    (CLASSES[kind] as typeof Linear).fromStateDict(dict, { prefix }).dispose();
    return undefined;
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return error.message;
    throw error;
  }
}

function writeOnnx(
  code: Code,
  { layer, at }: { readonly layer: OnnxLayer; readonly at: number },
  remarks: ReadonlyMap<number, string[]>,
): void {
  const { kind, name, batchFirst, inputSize, takesState, takesLengths } = layer;
  // What the state dict has need not be given.
  const initialState = layer.options.initialState ? undefined : layer.initialState;
  const variable = code.layer(kind, name.slice(0, MOST_PREFIX));
  code.used.add("layers");
  const { lines } = code;
  lines.push("");
  lines.push(...(remarks.get(at) ?? []));
  if (layer.split)
    lines.push(`// Of one node: the ${layer.direction} direction, whose activations are its own.`);
  if (takesState) lines.push("// The model gives it a state: pass one as the second argument of forward.");
  if (takesLengths)
    lines.push("// The model gives it lengths: pass { lengths } as the third argument of forward.");
  lines.push(`const ${variable} = ${kind}.fromStateDict(layers[${at}].stateDict);`);
  const state = `layers[${at}].initialState`;
  const passed =
    initialState === undefined ? "" : kind === "LSTM" ? `[${state}.h0, ${state}.c0]` : `${state}.h0`;
  const batch = initialState?.h0.shape[1] ?? 1;
  code.forward(variable, {
    input: batchFirst ? zeros(batch, 1, inputSize) : zeros(1, batch, inputSize),
    state: passed,
    isAlone: false,
    told: batchFirst ? `(batch, steps, ${inputSize})` : `(steps, batch, ${inputSize})`,
  });
}

/** For each sample what the file's model gives: gains, recurrent layer, head, and the sample itself if it skips. */
function writeAmp(code: Code, model: AmpModel): void {
  const { kind, inputSize, outputSize, inputGain, outputGain, skip } = model;
  const layer = code.layer(kind, "");
  const head = code.layer("Linear", "head");
  code.imports.add("Tensor");
  const states =
    model.initialState === undefined ? "" : kind === "LSTM" ? "amp.initialState" : "amp.initialState[0]";
  const frame = outputSize === 1 ? "at" : `Math.floor(at / ${outputSize})`;
  const sum = skip ? `value + x.data[${frame}${inputSize === 1 ? "" : ` * ${inputSize}`}]` : "value";
  code.lines.push(
    "",
    `const ${layer} = ${kind}.fromStateDict(amp.recurrent);`,
    `const ${head} = Linear.fromStateDict(amp.head);`,
    `const x = Tensor.zeros([1, 1, ${inputSize}]); // (samples, 1, ${inputSize})`,
    ...(inputGain === 1 ? [] : ["x.data.forEach((value, at) => { x.data[at] = amp.inputGain * value; });"]),
    `const [hidden, state] = ${layer}.forward(x${states === "" ? "" : `, ${states}`});`,
    `const output = ${head}.forward(hidden); // (samples, 1, ${outputSize})`,
  );
  if (skip || outputGain !== 1) {
    const gained = outputGain === 1 ? sum : `amp.outputGain * ${skip ? `(${sum})` : sum}`;
    code.lines.push(`output.data.forEach((value, at) => { output.data[at] = ${gained}; });`);
  }
  code.outputs.push(["output", "output"]);
}

function sorted(names: ReadonlySet<string>): string {
  return [...names].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)).join(", ");
}
