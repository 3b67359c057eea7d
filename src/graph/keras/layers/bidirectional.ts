/** Bidirectional: one module of two directions, or two halves that differ, and how their outputs are merged. */

import type { KerasRecurrent, MergeMode } from "../../../formats/keras/recurrent.js";
import type { Value } from "../../ir.js";
import type { LayerCall } from "../layer-call.js";
import type { KerasTensor } from "../tensor.js";
import {
  checkInitial,
  initialStates,
  lastRow,
  lastStates,
  maskTaken,
  modulesOf,
  runChain,
  runModule,
} from "./recurrent.js";

/** The outputs of the two halves: all rows in the order of time, or the last ones; then their states. */
interface Halves {
  readonly forward: Value;
  readonly backward: Value;
  /** Both side by side, where they are one value. */
  readonly joined?: Value;
  readonly states: readonly KerasTensor[];
  readonly sizes: readonly [forward: number, backward: number];
}

export function bidirectional(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const given = call.ranked(call.input(), 3);
  if (given.time) call.notStreamable("its second half begins at the last step of time");
  const { mergeMode = "concat", returnSequences, returnState, options } = forwardOf(call);
  if (!options.batchFirst) call.refuse("time_major is not supported");
  const x = {
    ...given,
    value: builder.floats(given),
    mask: maskTaken(call, given),
  };
  const { recurrent } = call.file;
  const halves = recurrent === undefined ? ofTwo(call, x) : ofOne(call, x, recurrent);
  const lead = returnSequences ? given.shape.slice(0, 2) : given.shape.slice(0, 1);
  const rest = returnSequences ? { mask: given.mask, time: given.time } : {};
  const merged = merge(call, halves, mergeMode, lead.length);
  const outputs = merged.map(({ value, size }) => call.tensor(value, [...lead, size], rest));
  return returnState ? [...outputs, ...halves.states] : outputs;
}

/** The forward half, or its last cell: those before it give all rows, whatever the layer gives. */
function forwardOf(call: LayerCall): KerasRecurrent {
  const modules = modulesOf(call);
  const count = call.file.parts?.filter(({ name }) => name.startsWith("forward_")).length ?? 1;
  return modules[count - 1] ?? modules[0]!;
}

function merge(
  { builder }: LayerCall,
  { forward, backward, joined, sizes: [size, other] }: Halves,
  mode: MergeMode,
  axis: number,
): readonly { value: Value; size: number }[] {
  if (mode === null)
    return [
      { value: forward, size },
      { value: backward, size: other },
    ];
  if (mode === "concat")
    return [{ value: joined ?? builder.concat([forward, backward], axis), size: size + other }];
  const broadcast = Math.max(size, other);
  if (mode === "mul") return [{ value: builder.mul(forward, backward), size: broadcast }];
  const sum = builder.add(forward, backward);
  return [{ value: mode === "sum" ? sum : builder.mul(sum, builder.scalar(0.5)), size: broadcast }];
}

/** Both halves as one module. */
function ofOne(call: LayerCall, x: KerasTensor, recurrent: KerasRecurrent): Halves {
  const { builder } = call;
  const { hiddenSize } = recurrent.options;
  const { returnSequences, mergeMode } = recurrent;
  const own = checkInitial(call, initialStates(call), [recurrent, recurrent]);
  const count = own === undefined ? 0 : own.length / 2;
  const initial = own?.slice(0, count).map((state, at) =>
    builder.concat(
      [state, own[count + at]!].map((half) => builder.unsqueeze(half, 0)),
      0,
    ),
  );
  const run = runModule(call, x.value, recurrent, x, { mask: x.mask, initial });
  const half = (value: Value, at: number, axis: number) =>
    builder.slice(value, axis, at * hiddenSize, (at + 1) * hiddenSize);
  const state = (value: Value, at: number) => builder.squeeze(builder.slice(value, 0, at, at + 1), 0);
  const batch = x.shape[0]!;
  const states = recurrent.returnState
    ? [0, 1].flatMap((at) => run.states.map((value) => call.tensor(state(value, at), [batch, hiddenSize])))
    : [];
  const sizes = [hiddenSize, hiddenSize] as const;
  if (returnSequences) {
    const { rows } = run;
    if (mergeMode === "concat") return { forward: rows, backward: rows, joined: rows, states, sizes };
    return { forward: half(rows, 0, 2), backward: half(rows, 1, 2), states, sizes };
  }
  // A row of which no step counts gives 0, whatever its state is.
  const isOther = x.mask !== undefined && run.masked !== "state" && (initial !== undefined || run.carries);
  if (!isOther)
    return { forward: state(run.states[0]!, 0), backward: state(run.states[0]!, 1), states, sizes };
  const row = (at: number, from: number, to: number) =>
    half(builder.squeeze(builder.slice(run.rows, 1, from, to), 1), at, 1);
  return { forward: row(0, -1, Number.MAX_SAFE_INTEGER), backward: row(1, 0, 1), states, sizes };
}

/** Halves of two layers, of which each may have several cells. */
function ofTwo(call: LayerCall, x: KerasTensor): Halves {
  const { builder } = call;
  const parts = call.file.parts!;
  const chains = ["forward_", "backward_"].map((start) =>
    parts.filter(({ name }) => name.startsWith(start)).map(({ recurrent }) => recurrent),
  );
  const initial = checkInitial(call, initialStates(call), chains.flat());
  const half = initial === undefined ? 0 : initial.length / 2;
  const runs = chains.map((chain, at) =>
    runChain(call, chain, x, {
      mask: x.mask,
      initial: initial?.slice(at * half, (at + 1) * half).map((state) => builder.unsqueeze(state, 0)),
    }),
  );
  const states = lastStates(call, runs.flat(), x.shape[0]!);
  const [forward, backward] = runs.map((run) => run.at(-1)!) as [(typeof runs)[0][0], (typeof runs)[0][0]];
  const sizes = [forward.recurrent.options.hiddenSize, backward.recurrent.options.hiddenSize] as const;
  if (!forward.recurrent.returnSequences) {
    return { forward: lastRow(builder, forward), backward: lastRow(builder, backward), states, sizes };
  }
  // A half that goes backwards gives its rows in the order of computing.
  return { forward: forward.rows, backward: builder.flip(backward.rows, 1), states, sizes };
}
