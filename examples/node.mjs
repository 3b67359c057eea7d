// node examples/node.mjs: an LSTM over four sequences of five steps, PyTorch's shapes.
import { LSTM, Tensor } from "lstm-wasm";

const lstm = new LSTM({ inputSize: 6, hiddenSize: 3, numLayers: 2 });
const sequence = Tensor.randn([5, 4, 6]); // (sequence, batch, input)
const [output, [hN, cN]] = lstm.forward(sequence);

console.log(output.shape, hN.shape, cN.shape); // [5, 4, 3] [2, 4, 3] [2, 4, 3]
console.log(output.toArray()[4][0]); // the last step of the first sequence
