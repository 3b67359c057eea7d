/** lstm-wasm itself: `stream().step` for single steps, else `forward`. */
import { callArguments, stateDict } from "../cases.js";

const BUILT = new URL("../../dist/index.js", import.meta.url).href;

/**
 * @param {import("../cases.js").Case} spec
 * @param {boolean} [deterministic]  undefined for the build that is chosen already
 * @param {string} library  the address of the index.js to import: this checkout's, or another revision's
 */
export async function create(spec, deterministic, precision = "float32", library = BUILT) {
  const { GRU, init, LSTM } = await import(library);
  if (deterministic !== undefined) init({ deterministic });
  const Module = spec.cell === "lstm" ? LSTM : GRU;
  const module = Module.fromStateDict(stateDict(spec), { precision });
  const { input, h0, c0 } = callArguments(spec);
  const initial = c0 === undefined ? h0 : [h0, c0];

  if (spec.kind === "step") {
    const stream = module.stream();
    stream.state = initial;
    const numbers = input.data;
    let output;
    return {
      call() {
        output = stream.step(numbers);
      },
      results: () => [output, stream.state].flat(2).map((tensor) => tensor.data),
      readState: () => stream.state,
    };
  }

  let state = initial;
  let result;
  return {
    call() {
      result = module.forward(input, state);
      if (spec.carried) state = result[1];
    },
    results: () => result.flat(2).map((tensor) => tensor.data),
  };
}
