/** What the graph runner may refuse of ONNX's cases: variants that its documentation lists. */

const REFUSALS = [
  /training mode and its outputs are not supported/,
  /training mode is not supported/,
  /output mask is not supported/,
  /output Indices is not supported/,
  /windows over \d+ axes are not supported/,
  /attribute equation: .* is not supported/,
  /\(Resize, opset \d+\): (attribute|input) /,
];

/** Whether a case may be refused with this message. */
export function isRefused(message) {
  return REFUSALS.some((refusal) => refusal.test(message));
}
