/** GRU and RNN with int8 weights: both run in assembly/recurrent-int8.ts. */
import type { PanelLayout } from "../wasm/panel.js";
import type { Family } from "./stack.js";

/** @param kind as the kernel counts them: 0 GRU, 1 RNN with tanh, 2 RNN with relu */
export function int8Family(kind: 0 | 1 | 2, layout: PanelLayout): Family {
  return {
    format: { precision: "int8", input: layout, hidden: layout, joined: true },
    states: ["h"],
    runSteps(kernels, layer, run) {
      kernels.forwardInt8(
        kind,
        run.steps,
        layer.sizes.hiddenSize,
        layer.hidden.record,
        layer.hiddenBias,
        run.gates,
        run.gatesTime,
        run.gatesRow,
        run.state,
        run.stateRow,
        run.sums,
        run.quantized,
        run.quantizedRow,
        run.output,
        run.outputTime,
        run.outputRow,
        run.order,
        run.active,
        run.batch,
        run.backwards,
        run.input === 0 ? 0 : layer.input.record,
        run.quantizedInput,
        layer.inputBias,
      );
    },
  };
}
