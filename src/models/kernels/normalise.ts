/** Kernels of batch, layer, group and instance normalisation. */

import { NORMALISATION_BYTES } from "../../../build/models-abi.js";
import * as fields from "../../../build/records/normalisation.js";
import type { Call } from "../../graph/operator.js";
import { elementsIn } from "../../graph/shapes.js";
import { sameShape } from "../../tensor/checks.js";
import { modelKernels } from "../../wasm/models.js";
import type { Compiled, Compiling } from "../operator.js";
import { applyActivation, isActivation } from "./unary.js";

/** How a tensor is parted; assembly/models/records.ts says what the numbers are. */
interface Parts {
  readonly groups: number;
  readonly count: number;
  readonly run: number;
  readonly scales: number;
  /** Whether inputs 3 and 4 are means and variances. */
  readonly given?: boolean;
}

const doNothing = (): void => {};

function compileParts(node: Compiling, parts: Parts): Compiled | undefined {
  const { call, types, runtime, activation } = node;
  const { dtype, shape } = types[0]!;
  if (dtype !== "float32" || (activation !== undefined && !isActivation(activation.name))) return undefined;
  for (let at = 1; at < call.inputs.length; at++) {
    if (call.has(at) && call.input(at).dtype !== "float32") return undefined;
  }
  return {
    inPlace: 0,
    bind: (place) => {
      if (elementsIn(shape) === 0) return doNothing;
      const words = new Int32Array(NORMALISATION_BYTES / 4);
      words[fields.groups] = parts.groups;
      words[fields.count] = parts.count;
      words[fields.run] = parts.run;
      words[fields.scales] = parts.scales;
      words[fields.input] = place.input(0);
      words[fields.output] = place.output(0);
      words[fields.scale] = place.input(1);
      words[fields.bias] = call.has(2) ? place.input(2) : 0;
      words[fields.means] = parts.given === true ? place.input(3) : 0;
      words[fields.variances] = parts.given === true ? place.input(4) : 0;
      const epsilon = Float32Array.of(call.float("epsilon", 1e-5));
      words[fields.epsilon] = new Int32Array(epsilon.buffer)[0]!;
      const record = place.record(words);
      const kernels = modelKernels(runtime);
      const finish = applyActivation(node, place.output(0), elementsIn(shape));
      if (finish === undefined) return () => kernels.normalise(record);
      return () => {
        kernels.normalise(record);
        finish();
      };
    },
  };
}

const innerOf = ({ shape }: { readonly shape: readonly number[] }): number => elementsIn(shape.slice(2));

/** By means and variances that are given. */
export function compileBatchNormalization(node: Compiling): Compiled | undefined {
  const { shape } = node.call.input(0);
  const [batch = 1, channels = 1] = shape;
  const inner = innerOf(node.call.input(0));
  return compileParts(node, {
    groups: batch * channels,
    count: inner,
    run: inner,
    scales: channels,
    given: true,
  });
}

/** Each channel of each item. */
export function compileInstanceNormalization(node: Compiling): Compiled | undefined {
  const { shape } = node.call.input(0);
  const inner = innerOf(node.call.input(0));
  return compileParts(node, { groups: shape[0]! * shape[1]!, count: inner, run: inner, scales: shape[1]! });
}

/** Groups of channels of each item. */
export function compileGroupNormalization(node: Compiling): Compiled | undefined {
  const { call } = node;
  const { shape } = call.input(0);
  const groups = call.int("num_groups", 1);
  const inner = innerOf(call.input(0));
  const count = (shape[1]! / groups) * inner;
  // One scale for each group until opset 20.
  const isOfGroups = elementsIn(call.input(1).shape) === groups;
  return compileParts(node, {
    groups: shape[0]! * groups,
    count,
    run: isOfGroups ? count : inner,
    scales: isOfGroups ? groups : shape[1]!,
  });
}

/** Whether an input has a number for each of a row, which is `shape` from `axis` on. */
function isOfRow(call: Call, at: number, row: readonly number[]): boolean {
  const { shape } = call.input(at);
  const before = shape.length - row.length;
  return (
    before >= 0 && sameShape(shape.slice(before), row) && shape.slice(0, before).every((size) => size === 1)
  );
}

/** The axes from one on; scale and bias of all their numbers. Without the moments as outputs. */
export function compileLayerNormalization(node: Compiling): Compiled | undefined {
  const { call } = node;
  if (call.node.outputs.slice(1).some((output) => output !== undefined)) return undefined;
  const { shape } = call.input(0);
  const axis = call.axis(call.int("axis", -1), shape.length);
  const row = shape.slice(axis);
  if (!isOfRow(call, 1, row) || (call.has(2) && !isOfRow(call, 2, row))) return undefined;
  const count = elementsIn(row);
  return compileParts(node, { groups: elementsIn(shape.slice(0, axis)), count, run: 1, scales: count });
}
