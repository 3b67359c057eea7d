/**
 * Where the time of a call of `forward` goes, in us. Three times are taken: the call; its kernel calls alone,
 * replayed with the same arguments; and new arrays for its results with the numbers copied in, which any host
 * has to make.
 */
import { callArguments, caseNamed, stateDict } from "../cases.js";
import { measure } from "../measure.js";

export default async function split({ caseName, deterministic, warmupMs, measureMs }) {
  const { GRU, init, LSTM } = await import("../../dist/index.js");
  init({ deterministic });
  const spec = caseNamed(caseName);
  const module = (spec.cell === "lstm" ? LSTM : GRU).fromStateDict(stateDict(spec));
  const { input, h0, c0 } = callArguments(spec);
  const state = c0 === undefined ? h0 : [h0, c0];
  const timing = { warmupMs, measureMs, clock: "wall" };

  let results;
  const forward = () => {
    results = module.forward(input, state);
  };
  const whole = await measure(forward, timing);
  const calls = kernelCalls(module.stack.region.runtime, forward);
  const kernels = await measure(() => {
    for (const [kernel, values] of calls) kernel(...values);
  }, timing);
  const arrays = results.flat(2).map(({ data }) => data);
  const copying = await measure(() => {
    results = arrays.map((array) => array.slice());
  }, timing);
  return { wholeUs: whole.us, kernelsUs: kernels.us, resultsUs: copying.us };
}

/** The kernel calls of one call, with their arguments. */
function kernelCalls(runtime, call) {
  const { kernels } = runtime;
  const calls = [];
  const recorded = Object.fromEntries(
    Object.entries(kernels).map(([name, kernel]) => {
      if (typeof kernel !== "function") return [name, kernel];
      const record = (...values) => {
        calls.push([kernel, values]);
        return kernel(...values);
      };
      return [name, record];
    }),
  );
  Object.defineProperty(runtime, "kernels", { value: recorded, configurable: true, writable: true });
  try {
    call();
  } finally {
    Object.defineProperty(runtime, "kernels", { value: kernels, configurable: true, writable: true });
  }
  return calls;
}
