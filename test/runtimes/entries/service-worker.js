import * as library from "lstm-wasm";
import * as models from "lstm-wasm/models";
import { runSuite } from "./suite.js";

addEventListener("message", (event) => {
  let report;
  try {
    report = runSuite(library, models, event.data);
  } catch (error) {
    report = { error: String(error) };
  }
  event.ports[0].postMessage(report);
});
