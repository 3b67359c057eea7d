/** Node, Deno and Bun: the suite's result on standard output. */
import * as library from "lstm-wasm";
import { runSuite } from "./suite.js";

console.log(JSON.stringify(runSuite(library)));
