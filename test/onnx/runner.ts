/** What test/onnx/run.js bundles. */
export { FormatError } from "../../src/formats/bytes.js";
export { readOnnxGraph } from "../../src/graph/onnx.js";
export { Call } from "../../src/graph/operator.js";
export { runOnHost } from "../../src/graph/run-host.js";
export { loadOnnx } from "../../src/models/index.js";
export { GRAPH_OPERATORS } from "../support/graph-operators.js";
