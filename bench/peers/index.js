/**
 * Every peer by name, loaded when it is asked for. `leastWarmupMs` is how long V8 takes until most of the
 * peer's wasm is optimised. onnxruntime-web has 14 MB of it: its tiny-6x3 took 225 us after 150 ms of warm-up
 * and 49 us after a second.
 */

/** onnxruntime has int8 weights for LSTM alone. */
const isLstm = ({ cell }) => cell === "lstm";

/** @type {Record<string, PeerEntry>} */
export const PEERS = {
  relaxed: {
    title: "lstm-wasm",
    note: "relaxed SIMD",
    adapter: () => import("./ours.js"),
    arguments: [false],
  },
  deterministic: {
    title: "lstm-wasm, deterministic",
    note: "baseline SIMD",
    adapter: () => import("./ours.js"),
    arguments: [true],
  },
  int8: {
    title: "lstm-wasm, int8",
    note: "relaxed SIMD",
    int8: true,
    adapter: () => import("./ours.js"),
    arguments: [false, "int8"],
  },
  int8Deterministic: {
    title: "lstm-wasm, int8, deterministic",
    note: "baseline SIMD",
    int8: true,
    adapter: () => import("./ours.js"),
    arguments: [true, "int8"],
  },
  web: {
    title: "onnxruntime-web",
    note: "wasm",
    leastWarmupMs: 600,
    adapter: () => import("./onnxruntime.js"),
    arguments: ["web"],
  },
  webInt8: {
    title: "onnxruntime-web, int8",
    note: "wasm",
    int8: true,
    leastWarmupMs: 600,
    takes: isLstm,
    adapter: () => import("./onnxruntime.js"),
    arguments: ["web", "int8"],
  },
  node: {
    title: "onnxruntime-node",
    note: "native",
    adapter: () => import("./onnxruntime.js"),
    arguments: ["node"],
  },
  nodeInt8: {
    title: "onnxruntime-node, int8",
    note: "native",
    int8: true,
    takes: isLstm,
    adapter: () => import("./onnxruntime.js"),
    arguments: ["node", "int8"],
  },
  tfjs: {
    title: "tfjs-backend-wasm",
    note: "wasm",
    leastWarmupMs: 300,
    adapter: () => import("./tfjs.js"),
    arguments: [],
  },
};

/**
 * Makes a peer for a case. An adapter imports its library when it creates a peer, not before.
 * @param {import("../cases.js").Case} spec
 * @returns {Promise<Peer>}
 */
export async function createPeer(name, spec) {
  const { adapter, arguments: more } = PEERS[name];
  return (await adapter()).create(spec, ...more);
}

/** Whether the peer can run the case. */
export function takes(peer, spec) {
  return PEERS[peer].takes?.(spec) ?? true;
}

/**
 * @typedef {object} PeerEntry
 * @property {string} title
 * @property {string} note
 * @property {number} [leastWarmupMs]
 * @property {boolean} [int8]  its weights have eight bits
 * @property {(spec: import("../cases.js").Case) => boolean} [takes]  the cases that it can run; all when left
 *   out
 * @property {() => Promise<{ create: Function }>} adapter  what makes the library a peer
 * @property {unknown[]} arguments  of the adapter's `create`, after the case
 */

/**
 * @typedef {object} Peer
 * @property {() => void | Promise<void>} call  one call, from JS numbers to readable output and states
 * @property {() => Float32Array[]} results     output, hN and (LSTM) cN of the last call
 */
