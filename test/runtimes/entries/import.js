/** Node, Deno and Bun: the suite's result on standard output. */
import * as library from "lstm-wasm";
import * as models from "lstm-wasm/models";
import * as threads from "lstm-wasm/threads";
import files from "./model-files.js";
import { reportThreads, runSuite } from "./suite.js";

const report = runSuite(library, models, files);
console.log(JSON.stringify({ ...report, threads: await reportThreads(library, threads) }));
