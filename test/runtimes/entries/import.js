/** Node, Deno and Bun: the suite's result on standard output. */
import * as library from "lstm-wasm";
import * as models from "lstm-wasm/models";
import files from "./model-files.js";
import { runSuite } from "./suite.js";

console.log(JSON.stringify(runSuite(library, models, files)));
