/** What PyTorch's default exporter does to recurrent layers that a user must know. */

import { show } from "../../tensor/checks.js";
import type { Model, Node } from "./model-proto.js";
import type { Site } from "./scope.js";

/** How a GRU is read whose exporter left out linear_before_reset = 1: as the file says, or as PyTorch meant it. */
export type GruReading = "file" | "pytorch";

const GRU_CAUSE = "onnxscript 0.5.7 to 0.7.0 left out linear_before_reset = 1 of PyTorch's GRUs";
const GRU_WAY_ON =
  'export again with onnxscript 0.7.1 or newer, or read it as PyTorch meant it by the option { gru: "pytorch" }';
const unrolledText = (kind: string) =>
  `onnx: PyTorch's exporter unrolled an ${kind} into its steps, so that it is none of the layers; ` +
  "export with dynamo=False, or save the state dict: torch.save(model.state_dict(), PATH)";

/** PyTorch 2.1 to 2.4 made a function of each module, and its steps of functions of operators. */
const FUNCTION_OF_MODULE = /^torch_nn_modules_rnn_(RNN|GRU|LSTM)_/;

/** A layer that the exporter unrolled, as PyTorch calls its class. */
export function unrolledIn({ hasUnrolled, functions }: Model): string | undefined {
  if (hasUnrolled) return "nn.RNN";
  for (const { name } of functions.values()) {
    const kind = FUNCTION_OF_MODULE.exec(name)?.[1];
    if (kind !== undefined) return `nn.${kind}`;
  }
  return undefined;
}

/** Whether the exporter left out a GRU's linear_before_reset = 1. That of TorchScript writes it always. */
export function isLeftOut({ opType, madeOf }: Node, linearBeforeReset: number | undefined): boolean {
  return opType === "GRU" && madeOf === "GRU" && !linearBeforeReset;
}

const isSiteLeftOut = ({ node, scope }: Site): boolean =>
  isLeftOut(node, scope.attribute(node, "linear_before_reset")?.i);

/** Whether a GRU resets after the product with R, though the file says that it does not. */
export function isMeantAfter(site: Site, gru: GruReading): boolean {
  return gru === "pytorch" && isSiteLeftOut(site);
}

/** What users must know of the layers that were read, and of those that cannot be. */
export function warningsOf(sites: readonly Site[], unrolled: string | undefined, gru: GruReading): string[] {
  const names = sites.filter(isSiteLeftOut).map(({ name }) => name);
  return [...(unrolled === undefined ? [] : [unrolledText(unrolled)]), ...warningsOfGrus(names, gru)];
}

/** What users must know of the GRUs of these names, whose exporter left out linear_before_reset = 1. */
export function warningsOfGrus(names: readonly string[], gru: GruReading): string[] {
  if (names.length === 0) return [];
  const shown = names.slice(0, 4).map(show).join(", ");
  const more = names.length > 4 ? ` and ${names.length - 4} more` : "";
  const read =
    gru === "pytorch"
      ? "read as PyTorch meant it, which is not what the file says and other runtimes compute"
      : `read as the file says, which is not what PyTorch computes; ${GRU_WAY_ON}`;
  return [`onnx: GRU ${shown}${more}: ${GRU_CAUSE}; ${read}`];
}
