/**
 * Cold start of one peer: from before import() of its library to the first output, and what the process then holds.
 * Weights and model bytes are in memory before, as if they had just been read from a file, and so is the benchmark's code;
 * what making them left behind is collected, which would else happen while the time runs (0.9 ms). Needs --expose-gc.
 */
import { callArguments, caseNamed, stateDict } from "../cases.js";
import { createPeer, PEERS } from "../peers/index.js";

const MIB = 2 ** 20;

export default async function cold({ caseName, peer }) {
  const spec = caseNamed(caseName);
  const dict = stateDict(spec);
  callArguments(spec);
  if (peer === "web" || peer === "node") (await import("../onnx.js")).onnxModel(spec, dict);
  await PEERS[peer].adapter();
  gc();
  const before = process.memoryUsage();
  const begin = performance.now();
  const { call } = await createPeer(peer, spec);
  await call();
  const firstOutputMs = performance.now() - begin;
  const after = process.memoryUsage();
  return { firstOutputMs, rssMiB: after.rss / MIB, addedRssMiB: (after.rss - before.rss) / MIB };
}
