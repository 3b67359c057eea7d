/** The version of ONNX's operators. */

/** The newest that is known: newer ones are run as it. */
export const NEWEST_OPSET = 28;
