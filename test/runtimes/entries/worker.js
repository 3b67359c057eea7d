import * as library from "lstm-wasm";
import * as models from "lstm-wasm/models";
import { runSuite } from "./suite.js";

addEventListener("message", ({ data: files }) => postMessage(runSuite(library, models, files)));
