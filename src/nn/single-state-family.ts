/** GRU and RNN: both run in assembly/recurrent.ts. */
import type { Precision } from "../wasm/precision.js";
import type { Family } from "./stack.js";

/** @param kind as the kernel counts them: 0 GRU, 1 RNN with tanh, 2 RNN with relu */
export function singleStateFamily(precision: Precision, kind: 0 | 1 | 2): Family {
  return {
    precision,
    gates: kind === 0 ? 3 : 1,
    states: ["h"],
    runSteps(kernels, layer, run) {
      kernels.recurrentForward(
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
        run.input,
        layer.inputBias,
      );
    },
  };
}
