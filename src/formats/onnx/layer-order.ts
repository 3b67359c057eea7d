/** Which layers take the output of another one through nodes that this library does not read. */

import { FormatError } from "../bytes.js";
import { getOrMake } from "../get-or-make.js";
import type { Node } from "./model-proto.js";
import type { Recurrent } from "./recurrent-node.js";
import type { Origin, Scope } from "./scope.js";

type Stack = readonly Recurrent[];

/** Nodes that are looked at before a layer. Exporters put up to 13 between two layers of one module. */
const MOST_NODES = 32;

/** For each stack the one of its kind that comes before it, if its input is computed from that one's output. */
export function stacksBefore(stacks: readonly Stack[]): ReadonlyMap<Stack, Stack> {
  const owners = new Map<Scope, Map<Node, Stack>>();
  for (const stack of stacks) {
    for (const { site } of stack) {
      getOrMake(owners, site.scope, () => new Map<Node, Stack>()).set(site.node, stack);
    }
  }
  const before = new Map<Stack, Stack>();
  for (const stack of stacks) {
    const found = stackBefore(stack, owners.get(stack[0]!.site.scope)!);
    if (found !== undefined) before.set(stack, found);
  }
  return before;
}

function stackBefore(stack: Stack, owners: ReadonlyMap<Node, Stack>): Stack | undefined {
  const [{ kind, site }] = stack as [Recurrent];
  const { node, scope } = site;
  const seen = new Set<Node>();
  const names = [node.inputs[0] ?? ""];
  for (let at = 0; at < names.length && seen.size < MOST_NODES; at++) {
    const origin = originOf(names[at]!, scope);
    if (origin?.kind !== "node" || origin.scope !== scope || seen.has(origin.node)) continue;
    seen.add(origin.node);
    const owner = owners.get(origin.node);
    if (owner !== undefined) {
      if (owner !== stack && owner[0]!.kind === kind) return owner;
      continue;
    }
    for (const input of origin.node.inputs.slice(0, MOST_NODES)) names.push(input);
  }
  return undefined;
}

/** Of a name that nothing defines: undefined. Nodes that no layer needs may be broken. */
function originOf(name: string, scope: Scope): Origin | undefined {
  try {
    return name === "" ? undefined : scope.find(name);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
