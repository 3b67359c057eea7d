/**
 * A Loop whose body is planned once: each turn calls the body's kernels, copies what they made to where the next turn
 * reads it, and what is collected to a row of the output. A body whose shapes change from turn to turn is left to the
 * host.
 *
 * How often it runs is known before the run where counters alone say so. Else the condition is read after each turn, and
 * rows are collected on the host.
 */

import { FormatError } from "../../formats/bytes.js";
import type { Graph, Type, Value } from "../../graph/ir.js";
import type { Call, Operand } from "../../graph/operator.js";
import { MOST_COLLECTED } from "../../graph/operators/control.js";
import { elementsIn } from "../../graph/shapes.js";
import { sameShape } from "../../tensor/checks.js";
import { bytesOf } from "../arena.js";
import type { InnerGraph, InnerProgram, Nested, NestedPlace, Nesting } from "../operator.js";
import { LoopBody } from "../rewrites/loop-body.js";
import { cellAt } from "./cell.js";
import { Rows } from "./rows.js";
import { type Run, runsOf } from "./runs.js";

/** Turns that are counted before the run. */
const MOST_COUNTED = 2 ** 14;
/** Nodes of a body whose turns are. */
const MOST_NODES = 1000;

const TURN: Operand = { dtype: "int64", shape: [] };
const TRUE: Operand = { dtype: "bool", shape: [], data: Uint8Array.of(1) };

/** A loop of which all is known but numbers. */
interface Planned {
  readonly call: Call;
  readonly graph: Graph;
  readonly body: InnerGraph;
  /** Which inputs of the node are carried and change, counted from the first that is carried. */
  readonly carried: readonly number[];
  /** Types of the rows that are collected. */
  readonly rows: readonly Type[];
  readonly turns: number | undefined;
}

export function nestLoop(call: Call, around: Nesting): Nested | undefined {
  const { node } = call;
  const graph = call.graph("body");
  const firsts = node.inputs.slice(2);
  const count = firsts.length;
  if (firsts.includes(undefined) || graph.inputs.length !== count + 2) return undefined;
  if (graph.outputs.length <= count || node.outputs.length >= graph.outputs.length) return undefined;
  // What decides is one number, where it is there.
  const isScalar = (at: number) => !call.has(at) || elementsIn(call.input(at).shape) === 1;
  if (!isScalar(0) || !isScalar(1)) return undefined;

  const loop = new LoopBody(graph, firsts as Value[], around);
  const ports = graph.inputs.slice(2).map(({ value }) => value);
  const same = ports.map((port) => loop.same.get(port));
  const types = firsts.map((_, at) => typeOf(call.input(at + 2)));
  const body = around.fold(graph, [TURN, TRUE, ...types], [undefined, undefined, ...same]);
  if (!body.isTyped) return undefined;
  const carried = types.flatMap((_, at) => (same[at] === undefined ? [at] : []));
  const results = body.results.slice(1).map((value) => typeOf(body.known.get(value)!));
  if (!carried.every((at) => sameType(results[at]!, types[at]!))) return undefined;
  const condition = body.known.get(body.results[0]!)!;
  if (condition.dtype !== "bool" || elementsIn(condition.shape) !== 1) return undefined;

  const rows = results.slice(count);
  const turns = turnsOf(call, loop, condition);
  const elements = rows.reduce((sum, { shape }) => sum + elementsIn(shape) + 1, 0);
  if (turns !== undefined && turns * elements > MOST_COLLECTED) return undefined;
  const planned: Planned = { call, graph, body, carried, rows, turns };
  const collected = rows.map(({ dtype, shape }) =>
    turns === undefined ? undefined : { dtype, shape: [turns, ...shape] },
  );
  const reads = body.results.filter(
    (_, at) => at > count || carried.includes(at - 1) || (at === 0 && turns === undefined),
  );
  return {
    types: [...types, ...collected].slice(0, node.outputs.length),
    reads: [reads],
    bind: (place) => bindLoop(planned, place),
  };
}

const typeOf = ({ dtype, shape }: Type): Type => ({ dtype, shape });

const sameType = (a: Type, b: Type): boolean => a.dtype === b.dtype && sameShape(a.shape, b.shape);

/** How often it runs; undefined if that is known only at run time. */
function turnsOf(call: Call, loop: LoopBody, condition: Operand): number | undefined {
  for (const at of [0, 1]) if (call.has(at) && call.input(at).data === undefined) return undefined;
  const most = call.has(0) ? Math.max(0, call.scalar(0)) : Number.POSITIVE_INFINITY;
  if (call.has(1) && call.scalar(1) === 0) return 0;
  if (condition.data !== undefined) {
    const turns = condition.data[0] === 0 ? Math.min(most, 1) : most;
    return Number.isFinite(turns) ? turns : undefined;
  }
  if (loop.graph.nodes.length > MOST_NODES) return undefined;
  try {
    const turns = loop.turns(Math.min(most, MOST_COUNTED), true);
    return turns === MOST_COUNTED && most > MOST_COUNTED ? undefined : turns;
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function bindLoop(planned: Planned, place: NestedPlace): () => void {
  const { call, graph, body, turns } = planned;
  const { budget } = place;
  const [program] = place.programs as [InnerProgram];
  const turn = program.address(graph.inputs[0]!.value);
  const count = turn === undefined ? undefined : cellAt(place.runtime, "int64", turn);
  const bound = (at: number) => {
    if (!call.has(at)) return undefined;
    const cell = cellAt(place.runtime, call.input(at).dtype, place.input(at));
    return () => cell.get();
  };
  const [mostTurns, begins] = [bound(0), bound(1)];
  const goesOn =
    turns === undefined ? cellAt(place.runtime, "bool", program.address(body.results[0]!)!) : undefined;
  const { begin, next, end } = copiesOf(planned, place, program);
  return () => {
    const most = turns ?? mostTurns?.() ?? Number.POSITIVE_INFINITY;
    const isBegun = turns !== undefined || begins === undefined || begins() !== 0;
    begin();
    for (let at = 0; isBegun && at < most; at++) {
      budget.spend(call, 1 + body.cost);
      count?.set(at);
      program.run();
      // Before states are written, in whose room it may lie.
      const stops = goesOn !== undefined && goesOn.get() === 0;
      next(at);
      if (stops) break;
    }
    end();
  };
}

/** What is copied before the first turn, after each one and after the last. */
function copiesOf(
  { call, graph, body, carried, rows, turns }: Planned,
  place: NestedPlace,
  program: InnerProgram,
) {
  const { runtime } = place;
  const firsts = call.node.inputs.length - 2;
  const bytes = (at: number) => bytesOf(call.input(at + 2));
  const port = (at: number) => program.address(graph.inputs[at + 2]!.value);
  const made = (at: number) => program.address(body.results[at + 1]!)!;
  // A state that no turn reads is given on all the same.
  const rooms = carried.map((at) => port(at)!);
  const begin = runsOf(
    runtime,
    place,
    carried.map((at, index) => ({ source: place.input(at + 2), target: rooms[index]!, bytes: bytes(at) })),
  );
  const given: Run[] = [];
  const moved: Run[] = [];
  for (const [index, at] of carried.entries()) {
    const run = { source: made(at), target: rooms[index]!, bytes: bytes(at) };
    if (run.source === run.target) continue;
    // One that lies in the room of a state would be overwritten.
    const isInRoom = rooms.some(
      (room, other) => run.source < room + bytes(carried[other]!) && room < run.source + run.bytes,
    );
    if (!isInRoom) moved.push(run);
    else {
      const aside = place.record(new Int32Array(Math.ceil(run.bytes / 4)));
      given.push({ ...run, target: aside });
      moved.push({ ...run, source: aside });
    }
  }
  const isRead = (at: number) => call.node.outputs[at] !== undefined;
  const collected = rows
    .map((type, at) => ({ at: firsts + at, type, source: made(firsts + at) }))
    .filter(({ at }) => isRead(at));
  const lists =
    turns === undefined
      ? collected.map(
          ({ at, type, source }) =>
            new Rows(runtime, call, { type, source, give: (tensor) => place.give(at, tensor) }),
        )
      : [];
  const fixed =
    turns === undefined
      ? []
      : collected.map(({ at, type, source }) => ({ source, target: place.output(at), bytes: bytesOf(type) }));
  // Rows are taken before a state is overwritten that they may be.
  const next = runsOf(runtime, place, [...fixed, ...given, ...moved]);
  const end = runsOf(
    runtime,
    place,
    Array.from({ length: firsts }, (_, at) => at)
      .filter(isRead)
      .map((at) => ({
        source: carried.includes(at) ? port(at)! : place.input(at + 2),
        target: place.output(at),
        bytes: bytes(at),
      })),
  );
  return {
    begin: () => {
      begin.call();
      for (const list of lists) list.begin();
    },
    next: (turn: number) => {
      for (let at = 0; at < fixed.length; at++)
        next.redirect(at, fixed[at]!.target + turn * fixed[at]!.bytes);
      for (const list of lists) list.add();
      next.call();
    },
    end: () => {
      end.call();
      for (const list of lists) list.end();
    },
  };
}
