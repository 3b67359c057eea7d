/**
 * The Linear and Conv1d layers of an ONNX model: Gemm, MatMul with or without an Add behind it, and Conv. A node is one
 * if its weight is constant and it computes what PyTorch's module does.
 */

import { type StateDict, Tensor } from "../../tensor/tensor.js";
import { FormatError } from "../bytes.js";
import { getOrMake } from "../get-or-make.js";
import { type Constants, NotConstant } from "./constants.js";
import type { Graph, Node } from "./model-proto.js";
import type { Scope, Site } from "./scope.js";

/** A Linear or Conv1d of an ONNX model. Nodes that share a weight are one. */
export type OnnxModule =
  | (FoundModule & { readonly kind: "Linear"; readonly inFeatures: number; readonly outFeatures: number })
  | (FoundModule & {
      readonly kind: "Conv1d";
      readonly inChannels: number;
      readonly outChannels: number;
      readonly kernelSize: number;
      readonly stride: number;
      readonly dilation: number;
      readonly groups: number;
      /** At both ends. Undefined if the ends differ, or if the node has the size of the input decide. */
      readonly padding: number | undefined;
    });

interface FoundModule {
  /** The node's name, as {@link OnnxNode} has it. */
  readonly name: string;
  /** What stands before `weight` and `bias` in the file's names, with the dot; else the node's name and a dot. */
  readonly prefix: string;
  readonly bias: boolean;
  /** For `Linear.fromStateDict` and `Conv1d.fromStateDict`. May share numbers with `tensors`. */
  readonly stateDict: StateDict;
  /** The names in `tensors` of what it is made of. */
  readonly tensors: readonly string[];
}

/** The names in `tensors`, by the initializer or the Constant node. */
export type Names = ReadonlyMap<unknown, string>;

/** Nodes between a weight and its layer; as many as constants.ts takes. */
const MOST_DEPTH = 200;
/** Operators with a weight's numbers in their first input. */
const PASSING = new Set(["Cast", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"]);

/** A constant, and its name in `tensors`. */
interface Part {
  readonly tensor: Tensor;
  readonly source: string | undefined;
}

export function readModules(sites: readonly Site[], constants: Constants, names: Names): OnnxModule[] {
  const modules: OnnxModule[] = [];
  const seen = new Set<Tensor>();
  const uses = new Map<Graph, Map<string, Node[]>>();
  for (const site of sites) {
    const { node, scope } = site;
    const read = node.domain === "" ? READERS.get(node.opType) : undefined;
    if (read === undefined) continue;
    const constant = (name: string | undefined) => constantPart(name, scope, constants, names);
    const next = getOrMake(uses, scope.graph, () => usesOf(scope.graph)).get(node.outputs[0] ?? "") ?? [];
    try {
      const module = read({ site, constants, seen, constant, next });
      if (module !== undefined) modules.push(module);
    } catch (error) {
      // Broken, or too large beside the others. readOnnx reads the recurrent layers of such a model.
      if (!(error instanceof FormatError)) throw error;
    }
  }
  return modules;
}

/** The nodes of a graph that take each value. */
function usesOf(graph: Graph): Map<string, Node[]> {
  const uses = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const input of new Set(node.inputs)) getOrMake(uses, input, (): Node[] => []).push(node);
  }
  return uses;
}

interface Context {
  readonly site: Site;
  readonly constants: Constants;
  /** The weights of modules that are listed. */
  readonly seen: Set<Tensor>;
  readonly constant: (name: string | undefined) => Part | undefined;
  /** The nodes that take the node's output. */
  readonly next: readonly Node[];
}

const READERS: ReadonlyMap<string, (context: Context) => OnnxModule | undefined> = new Map([
  ["MatMul", readMatMul],
  ["Gemm", readGemm],
  ["Conv", readConv],
]);

function readMatMul({ site, constants, seen, constant, next }: Context): OnnxModule | undefined {
  const { node } = site;
  const weight = constant(node.inputs[1]);
  if (weight?.tensor.shape.length !== 2 || isSeen(weight, seen) || constant(node.inputs[0])) return undefined;
  const add = next.length === 1 && next[0]!.opType === "Add" && next[0]!.domain === "" ? next[0]! : undefined;
  const other = add?.inputs.find((name) => name !== node.outputs[0]);
  const bias = asBias(constant(other), weight.tensor.shape[1]!);
  return linear(site, { ...weight, tensor: transposed(weight.tensor, constants) }, bias);
}

function readGemm({ site, constants, seen, constant }: Context): OnnxModule | undefined {
  const { node, scope } = site;
  const number = (name: string) => scope.attribute(node, name);
  const isPlain = (number("alpha")?.f ?? 1) === 1 && (number("beta")?.f ?? 1) === 1;
  if (!isPlain || (number("transA")?.i ?? 0) !== 0) return undefined;
  const weight = constant(node.inputs[1]);
  if (weight?.tensor.shape.length !== 2 || isSeen(weight, seen) || constant(node.inputs[0])) return undefined;
  const isOut = (number("transB")?.i ?? 0) !== 0;
  const bias = asBias(constant(node.inputs[2]), weight.tensor.shape[isOut ? 0 : 1]!);
  if (node.inputs[2] && bias === undefined) return undefined;
  return linear(site, isOut ? weight : { ...weight, tensor: transposed(weight.tensor, constants) }, bias);
}

function linear(site: Site, weight: Part, bias: Part | undefined): OnnxModule {
  const [outFeatures, inFeatures] = weight.tensor.shape as [number, number];
  return { kind: "Linear", ...found(site, weight, bias), inFeatures, outFeatures };
}

function readConv({ site, seen, constant }: Context): OnnxModule | undefined {
  const { node, scope } = site;
  const weight = constant(node.inputs[1]);
  if (weight?.tensor.shape.length !== 3 || isSeen(weight, seen)) return undefined;
  const [outChannels, perGroup, kernelSize] = weight.tensor.shape as [number, number, number];
  const bias = asBias(constant(node.inputs[2]), outChannels);
  if (node.inputs[2] && bias === undefined) return undefined;
  const groups = scope.attribute(node, "group")?.i ?? 1;
  if (!Number.isSafeInteger(groups * perGroup) || groups < 1 || outChannels % groups !== 0) return undefined;
  const first = (name: string, least: number) => {
    const value = scope.attribute(node, name)?.ints[0] ?? least;
    return Number.isSafeInteger(value) && value >= least ? value : undefined;
  };
  const [stride, dilation, before] = [first("strides", 1), first("dilations", 1), first("pads", 0)];
  if (stride === undefined || dilation === undefined) return undefined;
  const auto = scope.attribute(node, "auto_pad")?.s ?? "NOTSET";
  const isEven = before === (scope.attribute(node, "pads")?.ints[1] ?? 0);
  return {
    kind: "Conv1d",
    ...found(site, weight, bias),
    inChannels: groups * perGroup,
    outChannels,
    kernelSize,
    stride,
    dilation,
    groups,
    padding: auto === "VALID" ? 0 : auto === "NOTSET" && isEven ? before : undefined,
  };
}

function found(site: Site, weight: Part, bias: Part | undefined): FoundModule {
  const parts = new Map([["weight", weight], ...(bias === undefined ? [] : [["bias", bias] as const])]);
  let prefix = `${site.name}.`;
  for (const [part, { source }] of parts) {
    if (source === part || source?.endsWith(`.${part}`)) {
      prefix = source.slice(0, -part.length);
      break;
    }
  }
  return {
    name: site.name,
    prefix,
    bias: bias !== undefined,
    stateDict: new Map(Array.from(parts, ([part, { tensor }]) => [part, tensor])),
    tensors: [...parts.values()].flatMap(({ source }) => source ?? []),
  };
}

/** Whether a module with this weight is listed. It counts as one from now on. */
function isSeen({ tensor }: Part, seen: Set<Tensor>): boolean {
  if (seen.has(tensor)) return true;
  seen.add(tensor);
  return false;
}

/** A weight or bias of floats. Undefined if it is missing, empty or made at run time. */
function constantPart(
  name: string | undefined,
  scope: Scope,
  constants: Constants,
  names: Names,
): Part | undefined {
  if (!name) return undefined;
  const value = constants.evaluate(name, scope);
  if (value instanceof NotConstant || !(value.data instanceof Float32Array) || value.data.length === 0)
    return undefined;
  return { tensor: value as Tensor, source: sourceOf(name, scope, names) };
}

/** What a constant's numbers come from, if they come from one place. */
function sourceOf(name: string, scope: Scope, names: Names): string | undefined {
  let [at, home] = [name, scope];
  for (let depth = 0; depth <= MOST_DEPTH; depth++) {
    const origin = home.find(at);
    if (origin.kind === "tensor") return names.get(origin.tensor);
    if (origin.kind === "input" || origin.node.domain !== "") return undefined;
    if (origin.node.opType === "Constant") return names.get(origin.node);
    if (!PASSING.has(origin.node.opType)) return undefined;
    [at, home] = [origin.node.inputs[0] ?? "", origin.scope];
  }
  return undefined;
}

/** A bias as PyTorch has it, from (out) or (1, ..., out). */
function asBias(part: Part | undefined, size: number): Part | undefined {
  if (part === undefined || part.tensor.data.length !== size || part.tensor.shape.at(-1) !== size) {
    return undefined;
  }
  return part.tensor.shape.length === 1 ? part : { ...part, tensor: new Tensor(part.tensor.data, [size]) };
}

/** (in, out) as (out, in). */
function transposed({ data, shape }: Tensor, { allowance }: Constants): Tensor {
  const [rows, columns] = shape as [number, number];
  allowance.spend(4 * data.length);
  const result = Tensor.zeros([columns, rows]);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result.data[column * rows + row] = data[row * columns + column]!;
    }
  }
  return result;
}

/**
 * The names in `tensors` of what these inputs of nodes are made of, where they are constant. Each value is walked to
 * once, however many inputs share it.
 */
export function sourcesOf(
  inputs: Iterable<{ readonly name: string; readonly scope: Scope }>,
  constants: Constants,
  names: Names,
): string[] {
  const sources = new Set<string>();
  const seen = new Map<Scope, Set<string>>();
  const stack: { name: string; scope: Scope }[] = [];
  const push = (name: string, scope: Scope) => {
    const known = getOrMake(seen, scope, () => new Set<string>());
    if (name === "" || known.has(name)) return;
    known.add(name);
    stack.push({ name, scope });
  };
  for (const { name, scope } of inputs) {
    if (name !== "" && constants.evaluate(name, scope) instanceof Tensor) push(name, scope);
  }
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const origin = top.scope.find(top.name);
    if (origin.kind === "input") continue;
    const source = names.get(origin.kind === "tensor" ? origin.tensor : origin.node);
    if (source !== undefined) sources.add(source);
    if (origin.kind === "node") for (const input of origin.node.inputs) push(input, origin.scope);
  }
  return [...sources];
}
