/**
 * The weights of dynamically quantised layers, which PyTorch packs in objects of its own, by the plain names that the
 * layers had before.
 */

import { layerSuffix } from "../layer-suffix.js";
import { PyObject } from "./pickle/globals.js";
import { QuantisedView } from "./quantised.js";
import { TensorView, UnsupportedTensor } from "./rebuild-tensor.js";

export type View = TensorView | QuantisedView | UnsupportedTensor;

/** Weight and bias of one matrix product. */
interface Linear {
  readonly weight: View;
  readonly bias: View | undefined;
}

/** The two products of one layer and direction. */
interface Cell {
  readonly inputs: Linear;
  readonly hidden: Linear;
}

const LINEAR = "__torch__.torch.classes.quantized.LinearPackedParamsBase";
const CELL = "__torch__.torch.classes.rnn.CellParamsBase";

/** What a packed object holds, and the class of it. Undefined for anything else. */
function stateOf(value: unknown): { name: string; state: unknown } | undefined {
  if (!(value instanceof PyObject)) return undefined;
  const { name } = value.type;
  if (name !== "torch.ScriptObject") return { name, state: value.state };
  const [state, inner] = Array.isArray(value.state) ? value.state : [];
  return typeof inner === "string" ? { name: inner, state } : undefined;
}

/** Whether it is a tensor. */
export function isView(value: unknown): value is View {
  return value instanceof TensorView || value instanceof QuantisedView || value instanceof UnsupportedTensor;
}

/** @param value a packed object, or the pair that is in state dicts */
function linearOf(value: unknown): Linear | undefined {
  const packed = stateOf(value);
  const pair = Array.isArray(value) ? value : packed?.name === LINEAR ? packed.state : undefined;
  if (!Array.isArray(pair) || pair.length !== 2) return undefined;
  const [weight, bias] = pair;
  if (!isView(weight) || !(isView(bias) || bias === null)) return undefined;
  return { weight, bias: bias ?? undefined };
}

/** Its state is the kind, the biases, two lists of numbers, and the packed products. */
function cellOf(value: unknown): Cell | undefined {
  const packed = stateOf(value);
  if (packed?.name !== CELL || !Array.isArray(packed.state)) return undefined;
  const [, biases, , , products] = packed.state;
  const [inputs, hidden] = Array.isArray(products) ? products.map(linearOf) : [];
  if (inputs === undefined || hidden === undefined) return undefined;
  const [inputBias, hiddenBias] = Array.isArray(biases) ? biases : [];
  return {
    inputs: { ...inputs, bias: inputs.bias ?? (isView(inputBias) ? inputBias : undefined) },
    hidden: { ...hidden, bias: hidden.bias ?? (isView(hiddenBias) ? hiddenBias : undefined) },
  };
}

/** The names under which quantised layers keep what they pack. */
const PACKED =
  /^(.*\.)?(?:_all_weight_values\.(\d{1,5})\.param|_packed_weight_(ih|hh)|_packed_params\._packed_params)$/s;

/** The last parts of such names: what a module has them as. */
export const PACKED_PARTS: readonly string[] = [
  "param",
  "_packed_weight_ih",
  "_packed_weight_hh",
  "_packed_params",
];

/** Whether an entry of a state dict or a part of a module is one that {@link unpack} takes. */
export function isPacked(name: string, value: unknown): boolean {
  return (value instanceof PyObject || Array.isArray(value)) && PACKED.test(name);
}

/**
 * The plain entries of packed ones.
 *
 * @param packed       by their names
 * @param views        the tensors beside them; the scale and zero point of a Linear's output go
 * @param directions   of LSTMs and GRUs by prefix, where a module tells
 */
export function unpack(
  packed: ReadonlyMap<string, unknown>,
  views: Map<string, View>,
  directions: ReadonlyMap<string, number>,
): void {
  const stacks = new Map<string, (Cell | undefined)[]>();
  for (const [name, value] of packed) {
    const [, prefix = "", index, product] = PACKED.exec(name)!;
    if (index !== undefined) {
      const cells = stacks.get(prefix) ?? [];
      stacks.set(prefix, cells);
      // In PyTorch's files they come in this order.
      if (Number(index) !== cells.length) cells.push(undefined);
      cells.push(cellOf(value));
      continue;
    }
    const linear = linearOf(value);
    const plain = `${prefix}weight${product === undefined ? "" : `_${product}`}`;
    if (linear === undefined) {
      views.set(plain, new UnsupportedTensor("it is packed by PyTorch in a form that is not known"));
      continue;
    }
    put(views, linear, plain, product === undefined);
    if (product !== undefined) continue;
    for (const part of ["scale", "zero_point"]) {
      const view = views.get(prefix + part);
      if (view instanceof TensorView && Array.isArray(view.size) && view.size.length === 0) {
        views.delete(prefix + part);
      }
    }
  }
  for (const [prefix, cells] of stacks) putStack(views, prefix, cells, directions.get(prefix));
}

function putStack(
  views: Map<string, View>,
  prefix: string,
  cells: readonly (Cell | undefined)[],
  told: number | undefined,
): void {
  const isWhole = (list: readonly (Cell | undefined)[]): list is readonly Cell[] => !list.includes(undefined);
  const directions = isWhole(cells) ? (told ?? directionsOf(cells)) : undefined;
  if (directions === undefined || !isWhole(cells)) {
    const reason = isWhole(cells)
      ? "its two parts may be two layers or two directions, since the input is as wide as the state; save the model itself, which tells"
      : "it is packed by PyTorch in a form that is not known";
    views.set(`${prefix}weight_ih_l0`, new UnsupportedTensor(reason));
    return;
  }
  cells.forEach(({ inputs, hidden }, index) => {
    const suffix = layerSuffix(Math.floor(index / directions), index % directions === 1);
    put(views, inputs, `${prefix}weight_ih${suffix}`, true);
    put(views, hidden, `${prefix}weight_hh${suffix}`, true);
  });
}

/** By the widths of the inputs. Undefined where they do not tell. */
function directionsOf(cells: readonly Cell[]): number | undefined {
  if (cells.length % 2 === 1) return 1;
  const [input, second, third] = cells.slice(0, 3).map(({ inputs }) => columnsOf(inputs));
  const hidden = columnsOf(cells[0]!.hidden);
  if (third !== undefined) return third === hidden ? 1 : 2;
  if (input === hidden) return undefined;
  return second === input ? 2 : 1;
}

function columnsOf({ weight }: Linear): unknown {
  const view = weight instanceof QuantisedView ? weight.integers : weight;
  return view instanceof TensorView && Array.isArray(view.size) ? view.size[1] : undefined;
}

/** PyTorch computes with the bias in the packed product. A cell may have another one outside, which it ignores. */
function put(views: Map<string, View>, { weight, bias }: Linear, name: string, hasInt8: boolean): void {
  const view =
    weight instanceof QuantisedView && hasInt8
      ? new QuantisedView(weight.integers, weight.scales, weight.zeroPoints, weight.axis, true)
      : weight;
  views.set(name, view);
  const biasName = name.replace(/weight(?=[^.]*$)/, "bias");
  if (bias !== undefined) views.set(biasName, bias);
}
