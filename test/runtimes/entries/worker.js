import * as library from "lstm-wasm";
import * as models from "lstm-wasm/models";
import * as threads from "lstm-wasm/threads";
import { reportThreads, runSuite } from "./suite.js";

addEventListener("message", async ({ data: files }) => {
  try {
    const report = runSuite(library, models, files);
    postMessage({ ...report, threads: await reportThreads(library, threads) });
  } catch (error) {
    postMessage({ error: String(error) });
  }
});
