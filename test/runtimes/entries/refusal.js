/** import.js for an engine that cannot run the library. */
import * as library from "lstm-wasm";
import { refusal } from "./suite.js";

console.log(JSON.stringify(refusal(library)));
