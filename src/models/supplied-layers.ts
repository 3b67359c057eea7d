/** The layers of `options.layers`: checked, and called with tensors. */

import type { KerasConfig } from "../formats/keras/config.js";
import type { HostFunction, HostTensor } from "../graph/ir.js";
import type { Supply } from "../graph/keras/supplied.js";
import { entriesOf, isArray, show, wrongType } from "../tensor/checks.js";
import { coded } from "../tensor/errors.js";
import type { TensorData } from "../tensor/like.js";
import { asAnyTensor, type StateDict, type Tensor } from "../tensor/tensor.js";
import { ownTensor, readInput } from "./values.js";

/** What a supplied layer computes: of its inputs its outputs, one tensor alone or in an array. */
export type SuppliedCall = (
  inputs: readonly Tensor<TensorData>[],
) => Tensor<TensorData> | readonly Tensor<TensorData>[];

/**
 * A layer that the caller supplies.
 * @param config as the file has it
 * @param weights the arrays that the file has for the layer, by the last part of their names
 */
export type SuppliedLayer = (config: KerasConfig, weights: StateDict) => SuppliedCall;

/** Supplied layers by the names of classes, `"package>Name"` of registered ones, or the name of one layer. */
export type SuppliedLayers = Readonly<Record<string, SuppliedLayer>>;

/** Whether code of the caller runs within a model, which must not be used then. */
export interface Busy {
  is: boolean;
}

/** @throws TypeError for anything but a plain object of functions */
export function checkLayers(layers: SuppliedLayers | undefined): ReadonlyMap<string, SuppliedLayer> {
  if (layers === undefined) return new Map();
  const expected = "a plain object of functions by the names of classes";
  const entries = entriesOf("options.layers", layers, expected);
  for (const [name, make] of entries) {
    if (typeof make !== "function") {
      throw wrongType(`options.layers.${name}`, "a function (config, weights) => (inputs) => outputs", make);
    }
  }
  return new Map(entries);
}

/** What gives the functions of layers: one for each layer, however often the model calls it. */
export function supplyOf(layers: ReadonlyMap<string, SuppliedLayer>, busy: Busy): Supply {
  const made = new Map<KerasConfig, HostFunction>();
  return ({ name, ownName, className, registeredName, config }, weights) => {
    const key = [name, ownName, registeredName, className].find(
      (one) => one !== undefined && layers.has(one),
    );
    if (key === undefined) return undefined;
    const known = made.get(config);
    if (known !== undefined) return known;
    const place = `keras: layer ${show(name)} (${className})`;
    const call = guarded(place, busy, () => layers.get(key)!(config, new Map(weights)));
    if (typeof call !== "function") {
      throw wrongType(`${place}: options.layers.${key}`, "a function of inputs to be returned", call);
    }
    const compute = hostFunction(place, call, busy);
    made.set(config, compute);
    return compute;
  };
}

/** Runs code of the caller. @throws TypeError that names the layer, with what it threw as its cause */
function guarded<Result>(place: string, busy: Busy, run: () => Result): Result {
  const before = busy.is;
  busy.is = true;
  try {
    return run();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw coded("TYPE", new TypeError(`${place}: options.layers threw: ${message}`, { cause }));
  } finally {
    busy.is = before;
  }
}

function hostFunction(place: string, call: SuppliedCall, busy: Busy): HostFunction {
  return (inputs) => {
    const given = guarded(place, busy, () =>
      call(inputs.map((input, at) => ownTensor(`${place}: input ${at}`, input))),
    );
    const outputs: readonly unknown[] = isArray(given) ? given : [given];
    if (outputs.length === 0)
      throw wrongType(`${place}: what it gives`, "a Tensor or an array of them", given);
    return outputs.map((output, at) => hostTensor(`${place}: output ${at}`, output));
  };
}

const DTYPES = ["float32", "int64", "int32", "int8", "uint8", "bool"] as const;

/** A copy of a tensor that the caller's code gave. */
function hostTensor(name: string, output: unknown): HostTensor {
  const tensor = asAnyTensor(output, name);
  const dtype = DTYPES.find((one) => one === tensor.dtype);
  if (dtype === undefined) throw wrongType(`${name}.dtype`, `one of ${DTYPES.join(", ")}`, tensor.dtype);
  const { shape, data } = readInput(name, { dtype }, tensor);
  return { dtype, shape: [...shape], data: data.slice() as HostTensor["data"] };
}
