/** What PyTorch's default exporter does to recurrent layers that a user must know. */

import { show } from "../../tensor/checks.js";
import type { Site } from "./scope.js";

/** How a GRU is read whose exporter left out linear_before_reset = 1: as the file says, or as PyTorch meant it. */
export type GruReading = "file" | "pytorch";

const GRU_CAUSE = "onnxscript 0.5.7 to 0.7.0 left out linear_before_reset = 1 of PyTorch's GRUs";
const GRU_WAY_ON =
  'export again with onnxscript 0.7.1 or newer, or read it as PyTorch meant it by the option { gru: "pytorch" }';
const UNROLLED =
  "onnx: PyTorch's exporter unrolled an nn.RNN into its steps, so that it is none of the layers; " +
  "export with dynamo=False, or save the state dict: torch.save(model.state_dict(), PATH)";

/** Whether the exporter left out a GRU's linear_before_reset = 1. That of TorchScript writes it always. */
function isLeftOut({ node, scope }: Site): boolean {
  return node.opType === "GRU" && node.madeOf === "GRU" && !scope.attribute(node, "linear_before_reset")?.i;
}

/** Whether a GRU resets after the product with R, though the file says that it does not. */
export function isMeantAfter(site: Site, gru: GruReading): boolean {
  return gru === "pytorch" && isLeftOut(site);
}

/** What users must know of the layers that were read, and of those that cannot be. */
export function warningsOf(sites: readonly Site[], hasUnrolled: boolean, gru: GruReading): string[] {
  const warnings = hasUnrolled ? [UNROLLED] : [];
  const names = sites.filter(isLeftOut).map(({ name }) => name);
  if (names.length === 0) return warnings;
  const shown = names.slice(0, 4).map(show).join(", ");
  const more = names.length > 4 ? ` and ${names.length - 4} more` : "";
  const read =
    gru === "pytorch"
      ? "read as PyTorch meant it, which is not what the file says and other runtimes compute"
      : `read as the file says, which is not what PyTorch computes; ${GRU_WAY_ON}`;
  return [...warnings, `onnx: GRU ${shown}${more}: ${GRU_CAUSE}; ${read}`];
}
