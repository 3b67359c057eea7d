/** A whole model run step by step over long arrays, whose outputs are joined. */

import { Tensor, type TensorData } from "lstm-wasm";
import type { Model, ModelStream, ModelSummary } from "lstm-wasm/models";
import type { Texts } from "../graph/keras/tensor.js";
import { Progress } from "./progress.js";
import type { WholeFile } from "./whole-file.js";

type AnyTensor = Tensor<TensorData>;
/** Numbers, or strings, which are no tensors. */
export type Input = AnyTensor | number | Texts;

/** How arrays are cut into frames, and what steps give is joined. */
interface Cut {
  readonly count: number;
  /** Of frame `at`, as a step takes it. */
  frame(name: string, array: AnyTensor, at: number): AnyTensor;
  /** The axis along which what steps give of this shape is joined, and whether it is a new one. */
  axisOf(shape: readonly number[]): { readonly axis: number; readonly isNew: boolean };
}

/**
 * Arrays frame by frame: those of an ONNX model along their first axis, with outputs fed back; those of a model of layers
 * along axis 1, which is time.
 * @param states  outputs by the inputs that they are fed back to; those that are obvious where it is empty
 */
export function runFrames(
  { model, isLayers }: WholeFile,
  given: ReadonlyMap<string, Input>,
  states: ReadonlyMap<string, string>,
): Record<string, AnyTensor> {
  const stream = model.stream(states.size === 0 ? undefined : Object.fromEntries(states));
  try {
    const last = new Set(
      states.size > 0 || isLayers
        ? states.values()
        : (model.summary() as ModelSummary).states.map(({ output }) => output),
    );
    const fed = new Set(Object.keys(stream.state));
    const start = new Map(Array.from(given).filter(([name]) => fed.has(name)));
    if (start.size > 0) stream.state = { ...stream.state, ...Object.fromEntries(start) } as never;
    const step = Object.fromEntries(Array.from(given).filter(([name]) => !fed.has(name)));
    const arrays = Object.entries(step).filter((entry): entry is [string, AnyTensor] => {
      // A number in a file is the same at each step, as one of the command line is.
      return typeof entry[1] !== "number" && "dtype" in entry[1] && entry[1].shape.length > 0;
    });
    const cut = isLayers ? cutTime(stream, arrays) : cutFrames(model, arrays);
    const progress = new Progress(cut.count);
    const collected = new Map<string, AnyTensor>();
    for (let at = 0; at < cut.count; at++) {
      for (const [name, array] of arrays) step[name] = cut.frame(name, array, at);
      for (const [name, result] of Object.entries(stream.step(step))) {
        if (!last.has(name)) collect(collected, name, result, cut, at);
        else if (at === cut.count - 1) collected.set(name, copyOf(result, result.shape, result.data.slice()));
      }
      progress.update(at + 1);
    }
    progress.end();
    return Object.fromEntries(collected);
  } finally {
    stream.dispose();
  }
}

/** Along the first axis. A frame has an axis of size 1 in its place where the model has as many axes as the array. */
function cutFrames(model: Model<unknown>, arrays: readonly [string, AnyTensor][]): Cut {
  const counts = new Set(arrays.map(([, { shape }]) => shape[0] ?? 0));
  const [count = 0] = counts;
  if (counts.size !== 1 || count === 0) {
    throw new RangeError("--stream: inputs need a first axis of frames, of one size for all");
  }
  const ranks = new Map(model.inputs.map(({ name, shape }) => [name, shape?.length]));
  return {
    count,
    frame(name, array, at) {
      const frame = slice(array, 0, at, 1);
      return ranks.get(name) === array.shape.length ? frame : copyOf(frame, array.shape.slice(1), frame.data);
    },
    axisOf: (shape) => ({ axis: 0, isNew: shape[0] !== 1 }),
  };
}

/** Along axis 1, by what a step takes of it. An input of which a step takes all is the same at every step. */
function cutTime(stream: ModelStream, arrays: readonly [string, AnyTensor][]): Cut {
  const steps = new Map(stream.inputs.map(({ name, shape }) => [name, shape?.[1]]));
  const sizeOf = (name: string, { shape }: AnyTensor): number => {
    const size = steps.get(name);
    return shape.length < 2 ? 0 : typeof size === "number" ? size : shape.length > 2 ? 1 : shape[1]!;
  };
  let count = 1;
  let longest = 1;
  for (const [name, array] of arrays) {
    const size = sizeOf(name, array);
    const frames = size === 0 ? 1 : array.shape[1]! / size;
    if (!Number.isInteger(frames) || frames < 1 || (frames > 1 && count > 1 && frames !== count)) {
      const expected = `a multiple of ${size} steps on axis 1, as many for all inputs`;
      throw new RangeError(
        `--stream: input ${JSON.stringify(name)}: expected ${expected}, got ${array.shape[1]}`,
      );
    }
    count = Math.max(count, frames);
    longest = Math.max(longest, size);
  }
  return {
    count,
    frame(name, array, at) {
      const size = sizeOf(name, array);
      return size === 0 || array.shape[1] === size ? array : slice(array, 1, at * size, size);
    },
    axisOf: (shape) => ({ axis: 1, isNew: shape.length < 3 || shape[1] !== longest }),
  };
}

/** A part of an array along an axis. */
function slice(array: AnyTensor, axis: number, from: number, size: number): AnyTensor {
  const { data, shape } = array;
  const inner = shape.slice(axis + 1).reduce((product, length) => product * length, 1);
  const outer = shape.slice(0, axis).reduce((product, length) => product * length, 1);
  const part = data.slice(0, outer * size * inner) as TensorData;
  for (let row = 0; row < outer; row++) {
    const start = (row * shape[axis]! + from) * inner;
    (part as Float32Array).set(
      data.subarray(start, start + size * inner) as Float32Array,
      row * size * inner,
    );
  }
  return copyOf(
    array,
    shape.map((length, at) => (at === axis ? size : length)),
    part,
  );
}

/** A tensor of the same type. */
function copyOf({ dtype }: AnyTensor, shape: readonly number[], data: TensorData): AnyTensor {
  return new Tensor(data, shape, { dtype } as never);
}

/** Puts what a step gives into the whole. */
function collect(
  collected: Map<string, AnyTensor>,
  name: string,
  result: AnyTensor,
  { count, axisOf }: Cut,
  step: number,
): void {
  const { data, shape } = result;
  const { axis, isNew } = axisOf(shape);
  const sizes = isNew ? [...shape.slice(0, axis), 1, ...shape.slice(axis)] : shape;
  let whole = collected.get(name);
  if (whole === undefined) {
    const Kind = data.constructor as new (length: number) => TensorData;
    const all = sizes.map((size, at) => (at === axis ? size * count : size));
    whole = copyOf(result, all, new Kind(data.length * count));
    collected.set(name, whole);
  }
  if (whole.data.length !== data.length * count) {
    throw new RangeError(`--stream: output ${JSON.stringify(name)} is of another size at frame ${step}`);
  }
  const width = sizes.slice(axis).reduce((product, size) => product * size, 1);
  for (let row = 0; row * width < data.length; row++) {
    const part = data.subarray(row * width, (row + 1) * width) as Float32Array;
    (whole.data as Float32Array).set(part, (row * count + step) * width);
  }
}
