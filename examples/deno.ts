// deno run examples/deno.ts: a stream, one time step at a time. Needs no permission.
import { LSTM, Tensor } from "npm:lstm-wasm";

const lstm = new LSTM({ inputSize: 6, hiddenSize: 3 });
const stream = lstm.stream();
for (let step = 0; step < 5; step++) {
  const output = stream.step(Tensor.randn([6], step));
  console.log(step, output.toArray());
}
