/** Recurrent layers: one module, or several cells of which each takes what the one before it gives. */

import type { KerasRecurrent } from "../../../formats/keras/recurrent.js";
import type { Value } from "../../ir.js";
import { type GraphBuilder, text } from "../builder.js";
import { type LayerCall, tensorsIn } from "../layer-call.js";
import type { KerasTensor } from "../tensor.js";

/** What a module is given beside its rows. */
export interface Given {
  readonly mask: Value | undefined;
  /** Its states [D, N, H]: those that the graph gives; undefined for those that it has. */
  readonly initial: readonly Value[] | undefined;
}

/** What a module gives: rows [N, T, D H], and its last states [D, N, H]. */
export interface Run {
  readonly rows: Value;
  readonly states: readonly Value[];
  readonly recurrent: KerasRecurrent;
  readonly given: Given;
  /** Whether its states go from one call to the next. */
  readonly carries: boolean;
  /** What its rows are at masked steps. */
  readonly masked: "repeat" | "state" | "zeros";
}

/** A step takes as long as it takes to make so many numbers. */
const NUMBERS_PER_STEP = 64;

const stateCount = ({ kind }: KerasRecurrent): number => (kind === "LSTM" ? 2 : 1);

/** The modules of a layer, in their order. Where the reader says why it has none, the layer was refused before. */
export function modulesOf(call: LayerCall): readonly KerasRecurrent[] {
  const { recurrent, parts } = call.file;
  const modules = recurrent === undefined ? parts?.map((part) => part.recurrent) : [recurrent];
  return modules ?? call.refuse("the file has no weights for it; build the model, then save it");
}

/** A module over a tensor [N, T, I]. @param x of the layer's input, whose batch and time it has */
export function runModule(
  call: LayerCall,
  rows: Value,
  recurrent: KerasRecurrent,
  x: KerasTensor,
  given: Given,
): Run {
  const { builder } = call;
  const { kind, stateDict, options } = recurrent;
  const carries = given.initial === undefined && carriesStates(call, recurrent, x);
  const shape = [options.bidirectional ? 2 : 1, x.shape[options.batchFirst ? 0 : 1]!, options.hiddenSize];
  const kept = carries
    ? ["h", "c"].slice(0, stateCount(recurrent)).map((what) => builder.state(what, shape))
    : [];
  const before = given.initial ?? kept.map((state) => state.before);
  const masked = maskedOutputOf(call, recurrent, carries);
  builder.spend((x.shape[options.batchFirst ? 1 : 0] ?? 1) * (NUMBERS_PER_STEP + options.hiddenSize));
  const [y, ...states] = builder.node(
    "lstm-wasm.Layer",
    [rows, given.mask, ...before],
    {
      layer: { kind: "layer", value: { kind, stateDict, options } },
      maskedOutput: text(masked),
    },
    1 + stateCount(recurrent),
  );
  for (const [at, state] of kept.entries()) state.after(states[at]!);
  return { rows: y!, states, recurrent, given, carries, masked };
}

/**
 * Before the first step that counts a row of Keras is 0, and so is the state. Of a stream, whose first step is another, it is
 * the state, and so it is in TensorFlow.js.
 */
function maskedOutputOf({ builder, context }: LayerCall, recurrent: KerasRecurrent, carries: boolean) {
  if (context.tfjs !== undefined) return "state";
  if (recurrent.maskedOutput === "zeros") return "zeros";
  return carries && !builder.stateful ? "state" : "repeat";
}

function carriesStates(call: LayerCall, { stateful }: KerasRecurrent, x: KerasTensor): boolean {
  if (!call.builder.stateful) return x.time && !call.isWrapped;
  if (stateful && call.isWrapped) call.refuse("stateful within another layer is not supported");
  return stateful;
}

/** Cells one after the other. Only the first one turns the time round: the others take its rows in the order of computing. */
export function runChain(
  call: LayerCall,
  modules: readonly KerasRecurrent[],
  x: KerasTensor,
  given: Given,
): readonly Run[] {
  const { builder } = call;
  let rows = x.value;
  let { mask } = given;
  let at = 0;
  const starts = new Map<KerasRecurrent, number>();
  for (const recurrent of inStateOrder(call, modules)) {
    starts.set(recurrent, at);
    at += stateCount(recurrent);
  }
  return modules.map((recurrent) => {
    const start = starts.get(recurrent)!;
    const initial = given.initial?.slice(start, start + stateCount(recurrent));
    const run = runModule(call, rows, recurrent, x, { mask, initial });
    rows = run.rows;
    if (recurrent.options.goBackwards && mask !== undefined) mask = builder.flip(mask, 1);
    return run;
  });
}

/** The last row [N, H] that a module of one direction computed. */
export function lastRow(builder: GraphBuilder, { rows, states, given, carries, masked }: Run): Value {
  // A row of which no step counts gives 0, whatever its state is.
  const isOther = masked === "repeat" ? given.initial !== undefined || carries : masked === "zeros";
  if (given.mask === undefined || !isOther) return builder.squeeze(states[0]!, 0);
  return builder.squeeze(builder.slice(rows, 1, -1, Number.MAX_SAFE_INTEGER), 1);
}

/** Cells in the order of their states: TensorFlow.js has those of the last cell first. */
function inStateOrder<Cell>({ version }: LayerCall, cells: readonly Cell[]): readonly Cell[] {
  return version.isTfjs ? cells.slice().reverse() : cells;
}

/** The last states [N, H] of modules of one direction, as outputs of the layer. */
export function lastStates(
  call: LayerCall,
  runs: readonly Run[],
  batch: number | null,
): readonly KerasTensor[] {
  return runs.flatMap(({ states, recurrent }) =>
    states.map((state) => call.tensor(call.builder.squeeze(state, 0), [batch, recurrent.options.hiddenSize])),
  );
}

/** The tensors of the states that the graph gives a layer: further inputs, or a keyword of Keras 3. */
export function initialStates(call: LayerCall): readonly KerasTensor[] {
  const [, ...rest] = call.inputs;
  return rest.length > 0 ? rest : tensorsIn(call.kwargs.get("initial_state"));
}

/**
 * The mask that a layer runs with: Keras 3 hands none on beside initial states, unless the call states it.
 * @param end which of more steps TensorFlow.js takes; undefined where these are several
 */
export function maskTaken(call: LayerCall, x: KerasTensor, end?: "first" | "last"): Value | undefined {
  const { tfjs, builder } = call.context;
  if (tfjs !== undefined) {
    const { last, steps } = tfjs;
    const own = x.shape[1]!;
    const isLonger = last !== undefined && steps !== undefined && own !== null && own < steps;
    if ((isLonger && end === undefined) || (last !== undefined && call.isWrapped)) {
      call.refuse('masks: "tfjs": it is handed the mask of other steps');
    }
    if (!isLonger) return last;
    return end === "first"
      ? builder.slice(last, 1, 0, own)
      : builder.slice(last, 1, -own, Number.MAX_SAFE_INTEGER);
  }
  const mask = call.maskOf(x);
  const isDropped =
    call.version.major === 3 && initialStates(call).length > 0 && call.keyword("mask") === undefined;
  return isDropped ? undefined : mask;
}

/** Checks how many states there are, and says that a stream has them no more. @returns undefined where there are none */
export function checkInitial(
  call: LayerCall,
  states: readonly KerasTensor[],
  modules: readonly KerasRecurrent[],
): readonly Value[] | undefined {
  if (states.length === 0) return undefined;
  const sizes = modules.flatMap((one) =>
    Array.from({ length: stateCount(one) }, () => one.options.hiddenSize),
  );
  const fits =
    states.length === sizes.length &&
    states.every(({ shape }, at) => shape.length === 2 && shape[1] === sizes[at]);
  if (!fits)
    call.refuse(`expected ${sizes.length} initial states of ${sizes.join(", ")} units, got ${states.length}`);
  if (call.input().time) call.notStreamable("its initial state is given by the model");
  return states.map((state) => call.builder.floats(state));
}

/** LSTM, GRU, SimpleRNN, RNN and the layers of cuDNN. */
export function recurrent(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const modules = modulesOf(call);
  const [first, last] = [modules[0]!, modules.at(-1)!];
  const isTimeFirst = !first.options.batchFirst;
  const given = call.ranked(call.input(), 3);
  if (given.shape[2] !== null && given.shape[2] !== first.options.inputSize) {
    call.broken(
      `its kernel takes ${first.options.inputSize} numbers for each step, its input has ${given.shape[2]}`,
    );
  }
  if (first.options.goBackwards && given.time) call.notStreamable("it goes backwards in time");
  if (isTimeFirst && given.time) call.notStreamable("its time is the first axis (time_major)");
  const floats = builder.floats(given);
  const x = {
    ...given,
    mask: maskTaken(call, given, first.options.goBackwards ? "last" : "first"),
    value: isTimeFirst ? builder.transpose(floats, [1, 0, 2]) : floats,
  };
  const initial = checkInitial(call, initialStates(call), inStateOrder(call, modules));
  const runs = runChain(call, modules, x, {
    mask: isTimeFirst && x.mask !== undefined ? builder.transpose(x.mask, [1, 0]) : x.mask,
    initial: initial?.map((state) => builder.unsqueeze(state, 0)),
  });
  const batch = given.shape[isTimeFirst ? 1 : 0]!;
  const { hiddenSize } = last.options;
  const rows = runs.at(-1)!;
  let output: KerasTensor;
  if (last.returnSequences) {
    const value = isTimeFirst ? builder.transpose(rows.rows, [1, 0, 2]) : rows.rows;
    output = call.tensor(value, [given.shape[0]!, given.shape[1]!, hiddenSize], {
      mask: given.mask,
      time: x.time,
    });
  } else output = call.tensor(lastRow(builder, rows), [batch, hiddenSize]);
  if (!last.returnState) return [output];
  return [output, ...lastStates(call, inStateOrder(call, runs), batch)];
}
