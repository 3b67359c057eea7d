/** What a program of torch.export (`.pt2`) says of its recurrent layers, which weights do not tell. */

export interface Told {
  readonly batchFirst: boolean;
  /** Of an RNN. */
  readonly nonlinearity?: "tanh" | "relu";
}

const NODE = '"target": "torch.ops.aten.';
const NONE: ReadonlyMap<string, Told> = new Map();
/** Of a layer's node: its parameters by name take most of it. */
const MOST_NODE = 100_000;

/**
 * By the prefixes of the layers' tensors. PyTorch stores the graph, which is JSON, as it is. So its text is searched
 * for the layers' nodes and for the names that the parameters have in the state dict. A layer that is called twice
 * with different arguments is left out.
 */
export function layersOfProgram(bytes: Uint8Array): ReadonlyMap<string, Told> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!file.includes(NODE)) return NONE;
  const names = parameterNames(file);
  const found = new Map<string, Told | undefined>();
  for (let at = file.indexOf(NODE); at >= 0; ) {
    const next = file.indexOf(NODE, at + 1);
    const node = file.toString("latin1", at, Math.min(at + MOST_NODE, next < 0 ? file.length : next));
    at = next;
    const kind = /^"target": "torch\.ops\.aten\.(lstm|gru|rnn_tanh|rnn_relu)\.input"/.exec(node)?.[1];
    const first = /"name": "params", "arg": \{"as_tensors": \[\{"name": "([^"]*)"/.exec(node)?.[1];
    const value = /"name": "batch_first", "arg": \{"as_bool": (true|false)\}/.exec(node)?.[1];
    const name = names.get(first ?? "");
    if (kind === undefined || value === undefined || !name?.endsWith("weight_ih_l0")) continue;
    const prefix = name.slice(0, -"weight_ih_l0".length);
    const rnn = kind === "rnn_relu" ? ("relu" as const) : ("tanh" as const);
    const told = { batchFirst: value === "true", ...(kind.startsWith("rnn") ? { nonlinearity: rnn } : {}) };
    const isKnown = found.has(prefix) && JSON.stringify(found.get(prefix)) !== JSON.stringify(told);
    found.set(prefix, isKnown ? undefined : told);
  }
  return new Map(
    [...found].flatMap(([prefix, told]) => (told === undefined ? [] : [[prefix, told] as const])),
  );
}

/** The parameters' names in the state dict, by those in the graph. */
function parameterNames(file: Buffer): Map<string, string> {
  const names = new Map<string, string>();
  const key = '"parameter_name": "';
  for (let at = file.indexOf(key); at >= 0; at = file.indexOf(key, at + 1)) {
    const [, graph] =
      /"name": "([^"]*)"\}, $/.exec(file.toString("latin1", Math.max(0, at - 2048), at)) ?? [];
    const [, name] = /^([^"\\]*)"/.exec(file.toString("utf8", at + key.length, at + key.length + 2048)) ?? [];
    if (graph !== undefined && name !== undefined) names.set(graph, name);
  }
  return names;
}
