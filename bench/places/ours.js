/** lstm-wasm in the place that imports this. */
import { init, LSTM } from "../../dist/index.js";
import { callArguments, stateDict } from "../cases.js";

export async function create(spec) {
  init({ deterministic: true });
  const stream = LSTM.fromStateDict(stateDict(spec)).stream();
  const { input, h0, c0 } = callArguments(spec);
  stream.state = [h0, c0];
  let output;
  return {
    call() {
      output = stream.step(input.data).data;
    },
    results: () => [output],
  };
}
