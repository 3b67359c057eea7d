/**
 * Every peer by name, with how it is made for a case; loaded only when it is asked for. `leastWarmupMs` is how long V8
 * takes until most of the peer's wasm is optimised: 14 MB for onnxruntime-web, whose tiny-6x3 took 225 us after 150 ms
 * and 49 us after a second, in the same state of the machine.
 */

/** onnxruntime has int8 weights for LSTM alone. */
const isLstm = ({ cell }) => cell === "lstm";

/** @type {Record<string, PeerEntry>} */
export const PEERS = {
  relaxed: {
    title: "lstm-wasm",
    note: "relaxed SIMD",
    create: async (spec) => (await import("./ours.js")).create(spec, false),
  },
  deterministic: {
    title: "lstm-wasm, deterministic",
    note: "baseline SIMD",
    create: async (spec) => (await import("./ours.js")).create(spec, true),
  },
  int8: {
    title: "lstm-wasm, int8",
    note: "relaxed SIMD",
    int8: true,
    create: async (spec) => (await import("./ours.js")).create(spec, false, "int8"),
  },
  int8Deterministic: {
    title: "lstm-wasm, int8, deterministic",
    note: "baseline SIMD",
    int8: true,
    create: async (spec) => (await import("./ours.js")).create(spec, true, "int8"),
  },
  web: {
    title: "onnxruntime-web",
    note: "wasm",
    leastWarmupMs: 600,
    create: async (spec) => (await import("./onnxruntime.js")).create(spec, "web"),
  },
  webInt8: {
    title: "onnxruntime-web, int8",
    note: "wasm",
    int8: true,
    leastWarmupMs: 600,
    takes: isLstm,
    create: async (spec) => (await import("./onnxruntime.js")).create(spec, "web", "int8"),
  },
  node: {
    title: "onnxruntime-node",
    note: "native",
    create: async (spec) => (await import("./onnxruntime.js")).create(spec, "node"),
  },
  nodeInt8: {
    title: "onnxruntime-node, int8",
    note: "native",
    int8: true,
    takes: isLstm,
    create: async (spec) => (await import("./onnxruntime.js")).create(spec, "node", "int8"),
  },
  tfjs: {
    title: "tfjs-backend-wasm",
    note: "wasm",
    leastWarmupMs: 300,
    create: async (spec) => (await import("./tfjs.js")).create(spec),
  },
};

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
 * @property {(spec: import("../cases.js").Case) => boolean} [takes]  the cases that it can run; all when left out
 * @property {(spec: import("../cases.js").Case) => Promise<Peer>} create
 */

/**
 * @typedef {object} Peer
 * @property {() => void | Promise<void>} call  one call, from JS numbers to readable output and states
 * @property {() => Float32Array[]} results     output, hN and (LSTM) cN of the last call
 */
