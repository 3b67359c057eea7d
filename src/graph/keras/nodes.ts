/**
 * The calls of a functional model's layers as its config has them: `[["x", 0, 0, {}]]` since Keras 1, `{ args, kwargs }`
 * in Keras 3. A config is JSON of bounded depth, so that these functions may call themselves.
 */

import { isObject } from "../../formats/json.js";
import { bad, field, type KerasConfig } from "../../formats/keras/config.js";
import { show } from "../../tensor/checks.js";

/** A tensor that a call of another layer gives. */
export class Reference {
  /** Of the call: that of all its outputs. */
  readonly key: string;

  constructor(
    readonly layer: string,
    readonly node: number,
    readonly tensor: number,
  ) {
    this.key = `${node}:${layer}`;
  }
}

/** An argument before its references are tensors. */
export type RawArgument =
  | Reference
  | readonly RawArgument[]
  | ReadonlyMap<string, RawArgument>
  | string
  | number
  | boolean
  | null;

export interface RawCall {
  readonly args: readonly RawArgument[];
  readonly kwargs: ReadonlyMap<string, RawArgument>;
}

/** `["x", 0, 0]`, with a fourth member in calls. */
export function referenceOf(value: unknown): Reference | undefined {
  if (!Array.isArray(value) || value.length < 3 || value.length > 4) return undefined;
  const [layer, node, tensor] = value;
  const isOne =
    typeof layer === "string" &&
    Number.isSafeInteger(node) &&
    node >= 0 &&
    Number.isSafeInteger(tensor) &&
    tensor >= 0;
  return isOne ? new Reference(layer, node, tensor) : undefined;
}

/** What a value is when no layer made it. */
function plain(value: unknown, convert: (value: unknown) => RawArgument): RawArgument {
  if (Array.isArray(value)) return value.map(convert);
  if (isObject(value)) {
    return new Map(Object.entries(value).map(([key, one]) => [key, convert(one)]));
  }
  return (value ?? null) as string | number | boolean | null;
}

/** An argument of Keras 3. */
function thirdArgument(value: unknown): RawArgument {
  const history =
    isObject(value) && field(value, "class_name") === "__keras_tensor__" && isObject(field(value, "config"))
      ? field(field(value, "config") as KerasConfig, "keras_history")
      : undefined;
  return referenceOf(history) ?? plain(value, thirdArgument);
}

/** An argument by keyword of Keras 2, where lists may be tensors. */
function secondArgument(value: unknown): RawArgument {
  return referenceOf(value) ?? plain(value, secondArgument);
}

/** The calls of a layer. @param layer `{ class_name, config, inbound_nodes }` */
export function callsOf(layer: KerasConfig, place: string): readonly RawCall[] {
  const nodes = field(layer, "inbound_nodes") ?? [];
  if (!Array.isArray(nodes)) throw bad(place, `inbound_nodes: expected a list, got ${show(nodes)}`);
  return nodes.map((node) => {
    if (isObject(node) && Array.isArray(field(node, "args"))) {
      const kwargs = field(node, "kwargs") ?? {};
      if (!isObject(kwargs)) throw bad(place, `kwargs: expected an object, got ${show(kwargs)}`);
      return {
        args: (field(node, "args") as unknown[]).map(thirdArgument),
        kwargs: new Map(Object.entries(kwargs).map(([key, value]) => [key, thirdArgument(value)])),
      };
    }
    return secondCall(node, place);
  });
}

/** A call of Keras 1 and 2: tensors of the layer's one argument, each with the call's keywords. */
function secondCall(node: unknown, place: string): RawCall {
  const kwargs = new Map<string, RawArgument>();
  const tensor = (value: unknown): RawArgument => {
    if (Array.isArray(value) && isObject(value[3])) {
      for (const [key, one] of Object.entries(value[3])) kwargs.set(key, secondArgument(one));
    }
    if (Array.isArray(value) && value[0] === "_CONSTANT_VALUE") return plain(value[2], secondArgument);
    const reference = referenceOf(value);
    if (reference !== undefined) return reference;
    if (Array.isArray(value)) return value.map(tensor);
    throw bad(place, `inbound_nodes: expected [layer, node, tensor], got ${show(value)}`);
  };
  if (isObject(node)) {
    const made = new Map(Object.entries(node).map(([key, value]) => [key, tensor(value)]));
    return { args: [made], kwargs };
  }
  if (!Array.isArray(node)) throw bad(place, `inbound_nodes: expected a list, got ${show(node)}`);
  // A call may be written as its one tensor.
  const entries = (referenceOf(node) === undefined ? node : [node]).map(tensor);
  return { args: entries.length === 1 ? entries : [entries], kwargs };
}

/** All references in an argument. */
export function referencesIn(argument: RawArgument): Reference[] {
  if (argument instanceof Reference) return [argument];
  if (typeof argument !== "object" || argument === null) return [];
  return Array.from(argument.values(), referencesIn).flat();
}

/** Tensors that a model has as inputs or outputs, with the keys of a dict where it is one. */
export interface PortReference {
  readonly key: string | undefined;
  readonly reference: Reference;
}

/** `input_layers` and `output_layers`: one, a list of them, or an object. */
export function portsOf(
  model: KerasConfig,
  key: "input_layers" | "output_layers",
  place: string,
): PortReference[] {
  const read = (value: unknown, name: string | undefined): PortReference[] => {
    const reference = referenceOf(value);
    if (reference !== undefined) return [{ key: name, reference }];
    if (Array.isArray(value)) return value.flatMap((one) => read(one, name));
    if (isObject(value)) return Object.entries(value).flatMap(([inner, one]) => read(one, inner));
    throw bad(place, `${key}: expected [layer, node, tensor], got ${show(value)}`);
  };
  return read(field(model, key) ?? [], undefined);
}
