/** Calls the layers of a Keras model one after the other: Sequential, functional, nested and shared. */

import { FormatError } from "../../formats/bytes.js";
import { bad, DEEPEST, innerLayers, type LayerConfig } from "../../formats/keras/config.js";
import { show } from "../../tensor/checks.js";
import { type Functional, functionalOf, isFunctional, layersOf } from "./functional.js";
import { checkDense, sequentialInput, statedInput } from "./inputs.js";
import {
  type Argument,
  type CallArguments,
  LayerCall,
  type LayerContext,
  type LayerTable,
  type LayerWeights,
  tensorsIn,
} from "./layer-call.js";
import { TEXT_LAYERS } from "./layers/text.js";
import { type RawArgument, Reference, referencesIn } from "./nodes.js";
import { named, type Output } from "./outputs.js";
import type { LayerRow } from "./summary.js";
import { type Supply, supplied } from "./supplied.js";
import type { KerasTensor } from "./tensor.js";
import { bare } from "./tfjs-masks.js";

/** Calls of layers with what they are given, those of nested models counted for every use. */
const MOST_CALLS = 50_000;

/** What a topology is told. */
export interface TopologyOptions extends Omit<LayerContext, "run"> {
  readonly table: LayerTable;
  /** Layers that the caller supplies. */
  readonly supply?: Supply | undefined;
  /** What the file has for each layer, by its full name. */
  readonly files: ReadonlyMap<string, LayerWeights>;
}

const NO_FILE: LayerWeights = { weights: new Map() };

export class Topology {
  readonly rows: LayerRow[] = [];
  readonly #options: TopologyOptions;
  readonly #context: LayerContext;
  /** By the config. */
  readonly #functionals = new Map<object, Functional>();
  /** Of models that have no graph, by their lists. */
  readonly #lists = new Map<object, readonly LayerConfig[]>();
  #callsLeft = MOST_CALLS;
  #depth = 0;
  /** How many wrappers are around the layer that is called. */
  #wrappers = 0;

  constructor(options: TopologyOptions) {
    this.#options = options;
    this.#context = {
      ...options,
      run: (layer, { file }, input) => {
        this.#wrappers++;
        try {
          return this.#call(layer, { args: [input], kwargs: new Map() }, file);
        } finally {
          this.#wrappers--;
        }
      },
    };
  }

  /** The whole model: makes its inputs, and gives its outputs. */
  whole(model: LayerConfig): readonly Output[] {
    if (!isFunctional(model)) return this.#wholeSequential(model);
    const { members, inputs, outputs } = this.#functional(model, true);
    if (outputs.length === 0) throw bad(`model ${show(model.name)}`, "has no outputs");
    const taken = new Set<string>();
    const given = inputs.map(({ key, reference }) => {
      const name = key ?? reference.layer;
      if (taken.has(name)) throw bad(`model ${show(model.name)}`, `input ${show(name)} occurs twice`);
      taken.add(name);
      const layer = members.get(reference.layer)?.layer;
      const input = layer && statedInput(layer);
      if (input === undefined) throw bad(`input ${show(reference.layer)}`, "is no layer with a shape");
      checkDense(layer!);
      return this.#options.builder.input(name, input.shape, input.dtype);
    });
    for (const [at, { reference }] of inputs.entries()) {
      this.rows.push({ layer: members.get(reference.layer)!.layer, outputs: [given[at]!], from: [] });
    }
    const tensors = this.#graph(model, given, true);
    return named(outputs.map(({ key, reference }, at) => [key ?? reference.layer, tensors[at]!]));
  }

  #wholeSequential(model: LayerConfig): readonly Output[] {
    const layers = layersOf(model, true);
    const first = layers[0];
    if (first === undefined) throw bad(`model ${show(model.name)}`, "has no layers");
    const input = sequentialInput(model, first, (name) => this.#options.files.get(name));
    if (input === undefined)
      throw bad(
        `model ${show(model.name)}`,
        "its config does not tell the shape of its input; build it, then save it",
      );
    checkDense(first);
    const name = first.className === "InputLayer" ? first.name : `${first.name}_input`;
    const given = this.#options.builder.input(name, input.shape, input.dtype);
    const tensors = this.#sequence(layers, [given], true);
    return named(tensors.map((tensor) => [layers.at(-1)!.name, tensor]));
  }

  #functional(model: LayerConfig, isWhole: boolean): Functional {
    const known = this.#functionals.get(model.config);
    if (known !== undefined) return known;
    const made = functionalOf(model, isWhole, this.#options.version);
    this.#functionals.set(model.config, made);
    return made;
  }

  /** The layers of a nested model that has no graph. */
  #listOf(model: LayerConfig): readonly LayerConfig[] {
    const list = innerLayers(model)!;
    const known = this.#lists.get(list) ?? layersOf(model, false);
    this.#lists.set(list, known);
    this.#spend(known.length, model);
    return known;
  }

  /** Counts calls, and what is looked at for them. */
  #spend(count: number, { name }: LayerConfig): void {
    this.#callsLeft -= count;
    if (this.#callsLeft < 0) {
      throw new FormatError(`keras: layer ${show(name)}: more than ${MOST_CALLS} calls of layers`);
    }
  }

  /** A layer, or a nested model. @param file what a wrapper has for it */
  #call(layer: LayerConfig, given: CallArguments, file?: LayerWeights): readonly KerasTensor[] {
    const { builder, tfjs } = this.#options;
    this.#spend(1, layer);
    if (this.#depth > DEEPEST) throw bad(`layer ${show(layer.name)}`, `nests deeper than ${DEEPEST}`);
    const { label, layerName } = builder;
    builder.label = `keras: layer ${show(layer.name)} (${layer.className})`;
    builder.layerName = layer.name;
    this.#depth++;
    const isModel = innerLayers(layer) !== undefined;
    const run = () => (isModel ? this.#nested(layer, given) : this.#plain(layer, given, file));
    tfjs?.hand(given.args.flatMap(tensorsIn));
    try {
      return tfjs === undefined ? run() : tfjs.within(isModel, run);
    } finally {
      this.#depth--;
      builder.label = label;
      builder.layerName = layerName;
    }
  }

  #plain(layer: LayerConfig, given: CallArguments, file?: LayerWeights): readonly KerasTensor[] {
    const { table, files, supply } = this.#options;
    const own = file ?? files.get(layer.name) ?? NO_FILE;
    const call: LayerCall = new LayerCall(layer, given, own, this.#context, this.#wrappers > 0);
    const isText = call.inputs.some(({ texts }) => texts !== undefined);
    if (isText && !TEXT_LAYERS.includes(layer.className)) call.refuse("strings are not supported");
    const compute = supply?.(layer, own.weights);
    if (compute !== undefined) return this.#checked(supplied(call, compute));
    const { className, registeredName, isOperation } = layer;
    if (own.problem !== undefined) call.refuse(withoutStart(own.problem, `${className}: `));
    if (registeredName !== undefined) call.refuse(`${registeredName} is code that the file does not hold`);
    const key = isOperation || this.#isBare(layer) ? `ops.${className}` : className;
    const run = Object.hasOwn(table, key) ? table[key] : undefined;
    if (run === undefined)
      call.refuse("layers of this class are not supported; options.layers may supply it");
    return this.#checked(call.marked(run(call)));
  }

  #checked(outputs: readonly KerasTensor[]): readonly KerasTensor[] {
    for (const { shape } of outputs) this.#options.builder.checkSize(shape, "an output");
    return outputs;
  }

  /**
   * Whether it is an operation of Keras 3 in an .h5 file, which has no modules: layers state whether they are trained.
   * A Cast has a dtype too, and there is no layer of its name.
   */
  #isBare({ className, config }: LayerConfig): boolean {
    const { table, version } = this.#options;
    const states = ["trainable", "dtype"].some((key) => Object.hasOwn(config, key));
    const isLayer = states && Object.hasOwn(table, className);
    return version.major === 3 && !isLayer && Object.hasOwn(table, `ops.${className}`);
  }

  #nested(model: LayerConfig, { args }: CallArguments): readonly KerasTensor[] {
    if (!isFunctional(model)) return this.#sequence(this.#listOf(model), tensorsIn(args[0]), false);
    const { inputs } = this.#functional(model, false);
    const [first] = args;
    const tensors =
      first instanceof Map
        ? inputs.map(({ key, reference }) => tensorsIn(first.get(key ?? reference.layer))[0])
        : args.flatMap(tensorsIn);
    if (tensors.length !== inputs.length || tensors.includes(undefined)) {
      throw bad(`model ${show(model.name)}`, `expected ${inputs.length} inputs, got ${tensors.length}`);
    }
    return this.#graph(model, tensors as KerasTensor[], false);
  }

  /** What a model is given as its layers see it. */
  readonly #given = (tensor: KerasTensor) => (this.#options.tfjs === undefined ? tensor : bare(tensor));

  /** The layers of a Sequential. */
  #sequence(
    layers: readonly LayerConfig[],
    inputs: readonly KerasTensor[],
    isWhole: boolean,
  ): readonly KerasTensor[] {
    let tensors: readonly KerasTensor[] = inputs.map(this.#given);
    for (const layer of layers) {
      if (layer.className !== "InputLayer") {
        tensors = this.#call(layer, {
          args: [tensors.length === 1 ? tensors[0]! : tensors],
          kwargs: new Map(),
        });
      }
      if (isWhole) this.rows.push({ layer, outputs: tensors, from: [] });
    }
    return tensors;
  }

  /** The outputs of a functional model: calls that these need, each after those that it needs. */
  #graph(model: LayerConfig, inputs: readonly KerasTensor[], isWhole: boolean): readonly KerasTensor[] {
    const functional = this.#functional(model, isWhole);
    this.#spend(functional.inputs.length + functional.outputs.length, model);
    const made = new Map<string, readonly KerasTensor[]>();
    for (const [at, { reference }] of functional.inputs.entries())
      made.set(reference.key, [this.#given(inputs[at]!)]);
    /** Of calls that wait for others: what each needs. */
    const open = new Map<string, readonly Reference[]>();
    const stack = functional.outputs.map(({ reference }) => reference).reverse();
    for (;;) {
      const top = stack.at(-1);
      if (top === undefined) break;
      const { key } = top;
      if (made.has(key)) {
        stack.pop();
        continue;
      }
      const { layer, call } = callAt(functional, top, model);
      const waits = open.get(key);
      const needed = waits ?? referencesIn([...call.args, ...call.kwargs.values()]);
      if (waits === undefined) this.#spend(needed.length, layer);
      const missing = needed.filter((reference) => !made.has(reference.key));
      if (missing.length > 0) {
        if (waits) throw bad(`layer ${show(layer.name)}`, "its inputs are made of its own output");
        open.set(key, needed);
        // TensorFlow.js begins with the last input, which decides which mask was handed on last.
        if (this.#options.tfjs === undefined) missing.reverse();
        for (const reference of missing) stack.push(reference);
        continue;
      }
      const resolve = (argument: RawArgument): Argument => resolved(argument, made, layer);
      const kwargs = new Map(Array.from(call.kwargs, ([name, value]) => [name, resolve(value)]));
      const outputs = this.#call(layer, { args: call.args.map(resolve), kwargs });
      made.set(key, outputs);
      if (isWhole) this.rows.push({ layer, outputs, from: needed });
    }
    return functional.outputs.map(({ reference }) => at(made, reference, model));
  }
}

const withoutStart = (text: string, start: string): string =>
  text.startsWith(start) ? text.slice(start.length) : text;

function callAt({ members }: Functional, { layer, node }: Reference, model: LayerConfig) {
  const member = members.get(layer);
  const call = member?.calls[node - member.first];
  if (member === undefined || call === undefined) {
    throw bad(`model ${show(model.name)}`, `call ${node} of layer ${show(layer)} is not in the config`);
  }
  return { layer: member.layer, call };
}

function at(
  made: ReadonlyMap<string, readonly KerasTensor[]>,
  reference: Reference,
  { name }: LayerConfig,
): KerasTensor {
  const tensor = made.get(reference.key)?.[reference.tensor];
  if (tensor === undefined) {
    throw bad(`layer ${show(name)}`, `layer ${show(reference.layer)} has no output ${reference.tensor}`);
  }
  return tensor;
}

/** An argument with tensors in the place of references. */
function resolved(
  argument: RawArgument,
  made: ReadonlyMap<string, readonly KerasTensor[]>,
  layer: LayerConfig,
): Argument {
  if (argument instanceof Reference) return at(made, argument, layer);
  if (typeof argument !== "object" || argument === null) return argument;
  if (argument instanceof Map) {
    return new Map(Array.from(argument, ([key, value]) => [key, resolved(value, made, layer)]));
  }
  return (argument as readonly RawArgument[]).map((value) => resolved(value, made, layer));
}
