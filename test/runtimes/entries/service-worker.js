import * as library from "lstm-wasm";
import { runSuite } from "./suite.js";

addEventListener("message", (event) => {
  let report;
  try {
    report = runSuite(library);
  } catch (error) {
    report = { error: String(error) };
  }
  event.ports[0].postMessage(report);
});
