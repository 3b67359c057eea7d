/** What test/onnx/run.js bundles. */
export { FormatError } from "../../src/formats/bytes.js";
export { readOnnxGraph } from "../../src/graph/onnx.js";
export { Call } from "../../src/graph/operator.js";
export { ALL_OPERATORS } from "../../src/graph/operators/index.js";
export { runOnHost } from "../../src/graph/run-host.js";
export { loadOnnx } from "../../src/models/index.js";
