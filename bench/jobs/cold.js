/**
 * Cold start of one peer: from before import() of its library to the first output, and the memory that the
 * process then has.
 *
 * Weights, model bytes and the benchmark's code are in memory before, as if just read from a file. Their
 * garbage is collected first. Otherwise the collection (0.9 ms) would fall into the time. Needs --expose-gc.
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
