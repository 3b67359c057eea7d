/** An LSTM over each sample of the input; the suite runs once, when the node is made. */
import * as library from "lstm-wasm";
import * as models from "lstm-wasm/models";
import * as threads from "lstm-wasm/threads";
import { reportThreads, runSuite } from "./suite.js";

class SuiteProcessor extends AudioWorkletProcessor {
  constructor({ processorOptions: { weights, files } }) {
    super();
    const report = runSuite(library, models, files);
    reportThreads(library, threads).then(
      (found) => this.port.postMessage({ ...report, threads: found }),
      (error) => this.port.postMessage({ error: String(error) }),
    );
    this.stream = library.LSTM.fromStateDict(weights).stream();
    this.sample = new Float32Array(1);
  }

  process([[input]], [[output]]) {
    if (input === undefined) return true;
    for (let at = 0; at < input.length; at++) {
      this.sample[0] = input[at];
      output[at] = this.stream.step(this.sample).data[0];
    }
    return true;
  }
}

registerProcessor("suite", SuiteProcessor);
