/**
 * The parts of our cold start, in ms: import, compiling the wasm, weights, the first step. Needs --expose-gc.
 */
import { callArguments, caseNamed, stateDict } from "../cases.js";

export default async function start({ caseName }) {
  const spec = caseNamed(caseName);
  const dict = stateDict(spec);
  const { input, h0, c0 } = callArguments(spec);
  gc();
  const times = [performance.now()];
  const { init, LSTM } = await import("../../dist/index.js");
  times.push(performance.now());
  init({ deterministic: false });
  times.push(performance.now());
  const module = LSTM.fromStateDict(dict);
  times.push(performance.now());
  const stream = module.stream();
  stream.state = [h0, c0];
  stream.step(input.data);
  times.push(performance.now());
  const [importMs, initMs, weightsMs, stepMs] = times.slice(1).map((time, at) => time - times[at]);
  return { importMs, initMs, weightsMs, stepMs };
}
