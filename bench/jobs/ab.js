/** Times one case on the build of the library whose index.js is at `library`. A start needs --expose-gc. */
import { AB_CASES, CONV1D, LINEAR } from "../ab-cases.js";
import { callArguments, randomTensor, stateDict, uniform } from "../cases.js";
import { measure } from "../measure.js";
import { create } from "../peers/ours.js";

export default async function ab({ library, caseName, deterministic, ...timing }) {
  const { measures, spec, precision } = AB_CASES.find(({ name }) => name === caseName);
  if (measures === "start") return start(library, spec, deterministic, timing.clock);
  const { call } =
    measures === "calls"
      ? await create(spec, deterministic, precision, library)
      : await layer(library, measures, deterministic);
  return measure(call, timing);
}

/** From before import() to the first output; the weights are made before, and their garbage is collected. */
async function start(library, spec, deterministic, clock) {
  stateDict(spec);
  callArguments(spec);
  gc();
  const cpuBegin = process.cpuUsage();
  const begin = performance.now();
  const { call } = await create(spec, deterministic, "float32", library);
  call();
  const wallUs = (performance.now() - begin) * 1000;
  const { user, system } = process.cpuUsage(cpuBegin);
  const cpuUs = user + system;
  return { us: clock === "cpu" ? cpuUs : wallUs, coreShare: cpuUs / wallUs };
}

/** A layer without a state. */
async function layer(library, name, deterministic) {
  const { Conv1d, init, Linear } = await import(library);
  init({ deterministic });
  const next = uniform(3);
  let module;
  let input;
  if (name === "linear") {
    const { rows, inFeatures, outFeatures } = LINEAR;
    module = Linear.fromStateDict({
      weight: randomTensor([outFeatures, inFeatures], next, 1 / Math.sqrt(inFeatures)),
      bias: randomTensor([outFeatures], next, 1),
    });
    input = randomTensor([rows, inFeatures], next, 1);
  } else {
    const { channels, kernelSize, length } = CONV1D;
    const dict = {
      weight: randomTensor([channels, channels, kernelSize], next, 1 / Math.sqrt(channels * kernelSize)),
      bias: randomTensor([channels], next, 1),
    };
    module = Conv1d.fromStateDict(dict, { padding: "same" });
    input = randomTensor([1, channels, length], next, 1);
  }
  return {
    call() {
      module.forward(input);
    },
  };
}
