/**
 * Every peer by name, with how it is made for a case; loaded only when it is asked for. `leastWarmupMs` is how long V8
 * takes until most of the peer's wasm is optimised: 14 MB for onnxruntime-web, whose tiny-6x3 took 225 us after 150 ms
 * and 49 us after a second, in the same state of the machine.
 */

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
    // Eight bits of a weight, over up to a hundred steps; a wrong scale shows by far more.
    differenceBound: 0.05,
    create: async (spec) => (await import("./ours.js")).create(spec, false, "int8"),
  },
  int8Deterministic: {
    title: "lstm-wasm, int8, deterministic",
    note: "baseline SIMD",
    differenceBound: 0.05,
    create: async (spec) => (await import("./ours.js")).create(spec, true, "int8"),
  },
  web: {
    title: "onnxruntime-web",
    note: "wasm",
    leastWarmupMs: 600,
    create: async (spec) => (await import("./onnxruntime.js")).create(spec, "web"),
  },
  node: {
    title: "onnxruntime-node",
    note: "native",
    create: async (spec) => (await import("./onnxruntime.js")).create(spec, "node"),
  },
  tfjs: {
    title: "tfjs-backend-wasm",
    note: "wasm",
    leastWarmupMs: 300,
    create: async (spec) => (await import("./tfjs.js")).create(spec),
  },
};

/**
 * @typedef {object} PeerEntry
 * @property {string} title
 * @property {string} note
 * @property {number} [leastWarmupMs]
 * @property {number} [differenceBound]  how far from our float32 its numbers may be, where that is more than rounding
 * @property {(spec: import("../cases.js").Case) => Promise<Peer>} create
 */

/**
 * @typedef {object} Peer
 * @property {() => void | Promise<void>} call  one call, from JS numbers to readable output and states
 * @property {() => Float32Array[]} results     output, hN and (LSTM) cN of the last call
 */
