import * as library from "lstm-wasm";
import * as models from "lstm-wasm/models";
import * as threads from "lstm-wasm/threads";
import { reportThreads, runSuite } from "./suite.js";

async function report(files) {
  try {
    return { ...runSuite(library, models, files), threads: await reportThreads(library, threads) };
  } catch (error) {
    return { error: String(error) };
  }
}

addEventListener("message", (event) => {
  event.waitUntil(report(event.data).then((result) => event.ports[0].postMessage(result)));
});
