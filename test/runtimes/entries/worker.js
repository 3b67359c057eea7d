import * as library from "lstm-wasm";
import { runSuite } from "./suite.js";

postMessage(runSuite(library));
