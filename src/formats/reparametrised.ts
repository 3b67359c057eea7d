/**
 * Weights that PyTorch keeps in parts: of weight_norm, spectral_norm, pruning and weight dropping. They are folded
 * into the plain weight that the module computes with in evaluation mode. A fold makes one tensor of the size of its
 * largest part, and the parts go: the state dict does not grow.
 */

import { sameShape } from "../tensor/checks.js";
import type { TensorData } from "../tensor/like.js";
import { withMetadata } from "../tensor/metadata.js";
import { type SkippedTensor, withSkipped } from "../tensor/skipped.js";
import { type StateDict, Tensor } from "../tensor/tensor.js";
import type { FileDict } from "./file-dict.js";
import { getOrMake } from "./get-or-make.js";

type Tensors = ReadonlyMap<string, Tensor<TensorData>>;

/** A plain weight, and the names of what it is made of. */
interface Fold {
  readonly name: string;
  readonly parts: readonly string[];
  readonly weight: Tensor<TensorData>;
}

/**
 * The state dict with plain weights, each where the first of its parts stood. Parts that do not fit each other stay
 * what they are. Pruning comes first, since a part of a norm may be pruned. A weight of another parametrization counts
 * as skipped.
 */
export function foldParts(dict: FileDict): FileDict {
  let plain: StateDict = dict;
  for (const findFolds of [findPruned, findNorms, findParametrised, findDropped]) {
    plain = replace(plain, findFolds(plain));
  }
  const others = findOthers(plain);
  if (plain === dict && others.length === 0) return dict;
  const told = withSkipped(plain === dict ? new Map(dict) : plain, [...dict.skipped, ...others]);
  return withMetadata(told, dict.metadata);
}

/** Weights that are computed in another way, such as orthogonal ones. */
function findOthers(dict: Tensors): SkippedTensor[] {
  return Array.from(parametrised(dict)).flatMap(([name, group]) => {
    if (dict.has(name)) return [];
    const kind = isChain(group)
      ? "several parametrizations in turn"
      : group.has("original") && group.has("0.base")
        ? "an orthogonal parametrization"
        : "a parametrization";
    const parameter = name.slice(name.lastIndexOf(".") + 1);
    const way = `torch.nn.utils.parametrize.remove_parametrizations(module, ${JSON.stringify(parameter)})`;
    return [{ name, reason: `it is computed by ${kind}; call ${way}, and save again` }];
  });
}

/** Whether a parametrization after the first has numbers of its own. */
function isChain(group: ReadonlyMap<string, string>): boolean {
  return [...group.keys()].some((part) => /^[1-9]\d*\./.test(part));
}

function replace(dict: StateDict, folds: readonly Fold[]): StateDict {
  if (folds.length === 0) return dict;
  const byPart = new Map<string, Fold>();
  for (const fold of folds) for (const part of fold.parts) byPart.set(part, fold);
  const plain: StateDict = new Map();
  for (const [name, tensor] of dict) {
    const fold = byPart.get(name);
    if (fold === undefined) plain.set(name, tensor);
    else plain.set(fold.name, fold.weight);
  }
  return plain;
}

/** The plain name before a suffix, where it is a parameter's: `lstm.weight_hh_l0` of `lstm.weight_hh_l0_g`. */
function plainName(name: string, suffix: string): string | undefined {
  if (!name.endsWith(suffix)) return undefined;
  const plain = name.slice(0, -suffix.length);
  return /weight|bias/.test(plain.slice(plain.lastIndexOf(".") + 1)) ? plain : undefined;
}

/** `X_orig` and `X_mask` of torch.nn.utils.prune. */
function findPruned(dict: Tensors): Fold[] {
  return findBySuffix(dict, "_mask", ["_orig", "_mask"], ([original, mask]) => {
    if (mask === undefined || !isFloat(original) || !sameShape(original.shape, mask.shape)) return undefined;
    return mapped(original, (value, at) => value * Number(mask.data[at]));
  });
}

/** `X_g` and `X_v` of weight_norm, and `X_orig`, `X_u` and `X_v` of spectral_norm. */
function findNorms(dict: Tensors): Fold[] {
  return [
    ...findBySuffix(dict, "_g", ["_g", "_v"], ([g, v]) => weightNorm(g, v)),
    ...findBySuffix(dict, "_orig", ["_orig", "_u", "_v"], ([original, u, v]) => spectralNorm(original, u, v)),
  ];
}

function findBySuffix(
  dict: Tensors,
  telling: string,
  suffixes: readonly string[],
  fold: (parts: readonly (Tensor<TensorData> | undefined)[]) => Tensor<TensorData> | undefined,
): Fold[] {
  const folds: Fold[] = [];
  for (const key of dict.keys()) {
    const name = plainName(key, telling);
    if (name === undefined || dict.has(name)) continue;
    const parts = suffixes.map((suffix) => name + suffix);
    const weight = fold(parts.map((part) => dict.get(part)));
    if (weight !== undefined) folds.push({ name, parts, weight });
  }
  return folds;
}

/** What lies below `PREFIX.parametrizations.X.`, by the plain name `PREFIX.X`: the rest of each name. */
function parametrised(dict: Tensors): Map<string, Map<string, string>> {
  const groups = new Map<string, Map<string, string>>();
  for (const key of dict.keys()) {
    const [, prefix, name, part] = /^(.*\.)?parametrizations\.([^.]+)\.(.+)$/s.exec(key) ?? [];
    if (part !== undefined) {
      getOrMake(groups, `${prefix ?? ""}${name}`, () => new Map<string, string>()).set(part, key);
    }
  }
  return groups;
}

/** The same two of torch.nn.utils.parametrizations. A chain of several parametrizations is left as it is. */
function findParametrised(dict: Tensors): Fold[] {
  const folds: Fold[] = [];
  for (const [name, group] of parametrised(dict)) {
    if (dict.has(name)) continue;
    const get = (part: string) => dict.get(group.get(part) ?? "");
    const weight =
      group.size === 2
        ? weightNorm(get("original0"), get("original1"))
        : group.size === 3
          ? spectralNorm(get("original"), get("0._u"), get("0._v"))
          : undefined;
    if (weight !== undefined) folds.push({ name, parts: [...group.values()], weight });
  }
  return folds;
}

/** g * v / |v|. The norm is over all axes of v but the one that g has; over all where g has none. */
function weightNorm(
  g: Tensor<TensorData> | undefined,
  v: Tensor<TensorData> | undefined,
): Tensor | undefined {
  if (!isFloat(g) || !isFloat(v)) return undefined;
  const axes = [...g.shape.keys()].filter((axis) => g.shape[axis] !== 1);
  const [axis = -1] = axes;
  if (axes.length > 1 || (axis >= 0 && g.shape[axis] !== v.shape[axis])) return undefined;
  if (g.shape.length !== v.shape.length && g.shape.length > 0) return undefined;
  const inner = v.shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const lines = g.data.length;
  const squares = new Float64Array(lines);
  const lineOf = (at: number) => (lines === 1 ? 0 : Math.floor(at / inner) % lines);
  for (let at = 0; at < v.data.length; at++) squares[lineOf(at)]! += v.data[at]! ** 2;
  return mapped(v, (value, at) => (value * g.data[lineOf(at)]!) / Math.sqrt(squares[lineOf(at)]!));
}

/**
 * The weight over u * W v, where W is the weight as a matrix. Its rows are those of the first axis that has as many as
 * u: PyTorch's files do not state the axis.
 */
function spectralNorm(
  original: Tensor<TensorData> | undefined,
  u: Tensor<TensorData> | undefined,
  v: Tensor<TensorData> | undefined,
): Tensor | undefined {
  if (!isFloat(original) || !isFloat(u) || !isFloat(v)) return undefined;
  const { shape, data } = original;
  const rows = u.data.length;
  const axis = shape.indexOf(rows);
  if (axis < 0 || rows * v.data.length !== data.length) return undefined;
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  let sigma = 0;
  for (let at = 0; at < data.length; at++) {
    const row = Math.floor(at / inner) % rows;
    const column = Math.floor(at / (inner * rows)) * inner + (at % inner);
    sigma += data[at]! * u.data[row]! * v.data[column]!;
  }
  return mapped(original, (value) => value / sigma);
}

/** The name of a recurrent layer's parameter, and of the same before weights are dropped. */
const RECURRENT = /^(.*\.)?((?:weight|bias)_(?:ih|hh|hr)(_l\d+(?:_reverse)?)?)(_raw)?$/s;

/**
 * `X_raw` of a weight that is dropped in training, in the layer or in a module around it. What the layer has as `X` is a
 * masked copy.
 */
function findDropped(dict: Tensors): Fold[] {
  const raw: { key: string; prefix: string; name: string; suffix: string }[] = [];
  for (const key of dict.keys()) {
    const [, prefix = "", name = "", suffix = "", isRaw] = RECURRENT.exec(key) ?? [];
    if (isRaw !== undefined) raw.push({ key, prefix, name, suffix });
  }
  if (raw.length === 0) return [];
  // The modules with recurrent parameters, by the prefix of the module around them.
  const inside = new Map<string, Set<string>>();
  const own = new Set<string>();
  for (const key of dict.keys()) {
    const [, prefix = "", , suffix = "", isRaw] = RECURRENT.exec(key) ?? [];
    if (!RECURRENT.test(key) || isRaw !== undefined) continue;
    own.add(prefix + suffix);
    const around = /^(.*\.)?[^.]+\.$/s.exec(prefix);
    if (around !== null) getOrMake(inside, (around[1] ?? "") + suffix, () => new Set<string>()).add(prefix);
  }
  return raw.flatMap(({ key, prefix, name, suffix }) => {
    const around = own.has(prefix + suffix) ? undefined : inside.get(prefix + suffix);
    const [layer] = around?.size === 1 ? around : [prefix];
    const plain = `${layer}${name}`;
    const weight = dict.get(key)!;
    const masked = dict.get(plain);
    if (masked !== undefined && !sameShape(masked.shape, weight.shape)) return [];
    return [{ name: plain, parts: masked === undefined ? [key] : [key, plain], weight }];
  });
}

function isFloat(tensor: Tensor<TensorData> | undefined): tensor is Tensor {
  return tensor?.data instanceof Float32Array;
}

/** A copy, since names may share a tensor. */
function mapped({ data, shape }: Tensor, change: (value: number, at: number) => number): Tensor {
  return new Tensor(data.map(change), shape);
}
