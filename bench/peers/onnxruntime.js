/**
 * onnxruntime-web (its wasm provider) and onnxruntime-node, one thread each unless said, all graph optimisations.
 * Argument tensors are made once, and final states go in again as they came out. onnxruntime-node writes into
 * outputs that are made once. onnxruntime-web cannot do so on wasm: it does not write to an output that is
 * handed in.
 */
import { callArguments, stateDict } from "../cases.js";
import { onnxInt8Model, onnxModel } from "../onnx.js";

/** @param {import("../cases.js").Case} spec */
export async function create(spec, flavour, precision = "float32", threads = 1) {
  const ort = await load(flavour, threads);
  const model = precision === "int8" ? onnxInt8Model : onnxModel;
  const session = await ort.InferenceSession.create(model(spec, stateDict(spec)), {
    executionProviders: [flavour === "web" ? "wasm" : "cpu"],
    graphOptimizationLevel: "all",
    executionMode: "sequential",
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  const tensorOf = ({ data, shape }) => new ort.Tensor("float32", data, shape);
  const { input, h0, c0 } = callArguments(spec);
  const feeds = { X: tensorOf(input), H: tensorOf(h0) };
  if (c0 !== undefined) feeds.C = tensorOf(c0);

  let result;
  let call;
  if (flavour === "web") {
    call = async () => {
      result = await session.run(feeds);
      if (spec.carried) carry(result);
    };
  } else {
    // Two sets of outputs in turn, since a carried state must not be read and written at once.
    const sets = [fetchesOf(), fetchesOf()];
    let turn = 0;
    call = async () => {
      result = await session.run(feeds, sets[turn]);
      turn ^= 1;
      if (spec.carried) carry(result);
    };
  }

  function carry({ HN, CN }) {
    feeds.H = HN;
    if (CN !== undefined) feeds.C = CN;
  }

  function fetchesOf() {
    const { steps, batch, hidden, layers, directions } = spec;
    const zeros = (...shape) => tensorOf({ data: new Float32Array(shape.reduce((a, b) => a * b, 1)), shape });
    const fetches = { HN: zeros(layers * directions, batch, hidden) };
    if (spec.kind !== "step") fetches.Y = zeros(steps, directions, batch, hidden);
    if (spec.cell === "lstm") fetches.CN = zeros(layers * directions, batch, hidden);
    return fetches;
  }

  return {
    call,
    results() {
      const { Y, HN, CN } = result;
      const output = Y === undefined ? HN.data : joinDirections(Y.data, spec);
      return CN === undefined ? [output, HN.data] : [output, HN.data, CN.data];
    },
  };
}

async function load(flavour, threads) {
  if (flavour === "node") return (await import("onnxruntime-node")).default;
  const ort = await import("onnxruntime-web");
  // In Node it takes one thread where it is not told.
  ort.env.wasm.numThreads = threads;
  return ort;
}

/** (L, directions, N, H) as (L, N, directions * H). */
function joinDirections(data, { steps, batch, hidden, directions }) {
  if (directions === 1) return data;
  const result = new Float32Array(data.length);
  for (let step = 0; step < steps; step++) {
    for (let direction = 0; direction < directions; direction++) {
      for (let row = 0; row < batch; row++) {
        const from = ((step * directions + direction) * batch + row) * hidden;
        const to = ((step * batch + row) * directions + direction) * hidden;
        result.set(data.subarray(from, from + hidden), to);
      }
    }
  }
  return result;
}
