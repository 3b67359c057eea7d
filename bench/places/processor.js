/** An AudioWorklet's scope. */
import { start } from "./start.js";

class Start extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    start(() => import("peer"), processorOptions).then((result) => this.port.postMessage(result));
  }

  process() {
    return true;
  }
}

registerProcessor("start", Start);
