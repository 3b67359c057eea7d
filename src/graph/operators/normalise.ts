/** Normalisations: of batches by what was learnt, of layers, groups and instances by their own mean. */

import type { HostTensor, Type } from "../ir.js";
import { type Call, type FillingOperator, FLOATS } from "../operator.js";
import { broadcast, broadcastStrides, eachOffset, elementsIn } from "../shapes.js";

/** Mean and 1 / sqrt(variance + epsilon) of some numbers. */
function momentsOf(data: ArrayLike<number>, from: number, count: number, epsilon: number): [number, number] {
  let sum = 0;
  for (let at = from; at < from + count; at++) sum += data[at]!;
  const mean = sum / count;
  let squares = 0;
  for (let at = from; at < from + count; at++) squares += (data[at]! - mean) ** 2;
  return [mean, 1 / Math.sqrt(squares / count + epsilon)];
}

/** An input with a number for each of `count` things. */
function expectCount(call: Call, at: number, count: number): void {
  const { shape } = call.input(at);
  if (elementsIn(shape) !== count) {
    throw call.broken(`input ${at} of shape [${shape.join(", ")}]; expected ${count} numbers`);
  }
}

export const BatchNormalization: FillingOperator = {
  name: "BatchNormalization",
  attributes: {
    epsilon: "float",
    momentum: "float",
    training_mode: "int",
    is_test: "int",
    spatial: "int",
    consumed_inputs: "ints",
  },
  shape: (call) => {
    const { dtype, shape } = call.expect(0, FLOATS);
    const isTraining = call.flag("training_mode", false) || (call.opset < 7 && !call.flag("is_test", false));
    if (isTraining || call.node.outputs.slice(1).some((output) => output !== undefined)) {
      throw call.refused("training mode and its outputs are not supported");
    }
    if (call.opset < 9 && !call.flag("spatial", true))
      throw call.refused("attribute spatial: 0 is not supported");
    for (let at = 1; at < 5; at++) expectCount(call, at, shape[1] ?? 1);
    return [{ dtype, shape }];
  },
  run: (call, [output]) => {
    const { data, shape } = call.data(0);
    const [scale, bias, mean, variance] = [1, 2, 3, 4].map((at) => call.data(at).data);
    const epsilon = call.float("epsilon", 1e-5);
    const channels = shape[1] ?? 1;
    const inner = elementsIn(shape.slice(2));
    for (let at = 0; at < data.length; at++) {
      const channel = Math.floor(at / inner) % channels;
      const factor = scale![channel]! / Math.sqrt(variance![channel]! + epsilon);
      output!.data[at] = (data[at]! - mean![channel]!) * factor + bias![channel]!;
    }
  },
};

/** Normalises `groups` parts of each item of the batch. */
function normaliseGroups(call: Call, output: HostTensor, groups: number): void {
  const { data, shape } = call.data(0);
  const [scale, bias] = [call.data(1).data, call.data(2).data];
  const epsilon = call.float("epsilon", 1e-5);
  const channels = shape[1]!;
  const inner = elementsIn(shape.slice(2));
  const count = (channels / groups) * inner;
  for (let from = 0; from < data.length; from += count) {
    const [mean, factor] = momentsOf(data, from, count, epsilon);
    for (let at = from; at < from + count; at++) {
      const channel = Math.floor(at / inner) % channels;
      // One scale for each channel, or for each group until opset 20.
      const place = Math.floor((channel * scale.length) / channels);
      output.data[at] = (data[at]! - mean) * factor * scale[place]! + bias[place]!;
    }
  }
}

export const GroupNormalization: FillingOperator = {
  name: "GroupNormalization",
  attributes: { epsilon: "float", num_groups: "int", stash_type: "int" },
  shape: (call) => {
    const { dtype, shape } = call.expect(0, FLOATS);
    const groups = call.int("num_groups", 0);
    if (shape.length < 2) throw call.broken(`an input of ${shape.length} axes`);
    const channels = shape[1]!;
    if (!(groups >= 1) || channels % groups !== 0)
      throw call.broken(`${channels} channels in ${groups} groups`);
    for (const at of [1, 2]) expectCount(call, at, call.opset < 21 ? groups : channels);
    return [{ dtype, shape }];
  },
  run: (call, [output]) => normaliseGroups(call, output!, call.int("num_groups", 1)),
};

export const InstanceNormalization: FillingOperator = {
  name: "InstanceNormalization",
  attributes: { epsilon: "float", consumed_inputs: "ints" },
  shape: (call) => {
    const { dtype, shape } = call.expect(0, FLOATS);
    if (shape.length < 2) throw call.broken(`an input of ${shape.length} axes`);
    for (const at of [1, 2]) expectCount(call, at, shape[1]!);
    return [{ dtype, shape }];
  },
  run: (call, [output]) => normaliseGroups(call, output!, call.input(0).shape[1]!),
};

export const LayerNormalization: FillingOperator = {
  name: "LayerNormalization",
  attributes: { axis: "int", epsilon: "float", stash_type: "int" },
  shape: (call): readonly Type[] => {
    const { dtype, shape } = call.expect(0, FLOATS);
    const axis = call.axis(call.int("axis", -1), shape.length);
    for (const at of call.has(2) ? [1, 2] : [1]) {
      const own = call.input(at).shape;
      if (broadcast(own, shape)?.join() !== shape.join()) {
        throw call.broken(`input ${at} of shape [${own.join(", ")}] does not fit [${shape.join(", ")}]`);
      }
    }
    const moments: Type = { dtype: "float32", shape: shape.map((size, at) => (at < axis ? size : 1)) };
    return [{ dtype, shape }, moments, moments];
  },
  run: (call, [output, means, factors]) => {
    const { data, shape } = call.data(0);
    const epsilon = call.float("epsilon", 1e-5);
    const { data: out } = output!;
    const count = elementsIn(shape.slice(call.axis(call.int("axis", -1), shape.length)));
    const sums = new Float64Array(out.length);
    for (let row = 0; row < means!.data.length; row++) {
      const [mean, factor] = momentsOf(data, row * count, count, epsilon);
      means!.data[row] = mean;
      factors!.data[row] = factor;
      for (let at = row * count; at < (row + 1) * count; at++) sums[at] = (data[at]! - mean) * factor;
    }
    const scale = call.data(1);
    eachOffset(shape, broadcastStrides(scale.shape, shape), 0, (from, at) => {
      sums[at]! *= scale.data[from]!;
    });
    if (call.has(2)) {
      const bias = call.data(2);
      eachOffset(shape, broadcastStrides(bias.shape, shape), 0, (from, at) => {
        sums[at]! += bias.data[from]!;
      });
    }
    out.set(sums);
  },
};
