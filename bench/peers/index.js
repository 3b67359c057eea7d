/** Every peer by name, with how it is made for a case; loaded only when it is asked for. */

/** @type {Record<string, { title: string, note: string, create(spec: import("../cases.js").Case): Promise<Peer> }>} */
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
  web: {
    title: "onnxruntime-web",
    note: "wasm",
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
    create: async (spec) => (await import("./tfjs.js")).create(spec),
  },
};

/**
 * @typedef {object} Peer
 * @property {() => void | Promise<void>} call  one call, from JS numbers to readable output and states
 * @property {() => Float32Array[]} results     output, hN and (LSTM) cN of the last call
 */
