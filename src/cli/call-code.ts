/** How a layer is run, as code: the input that `forward` takes, and what stands beside it. */
import type { ModuleMetadata } from "lstm-wasm";
import type { ModuleInfo, OnnxModule } from "lstm-wasm/formats";
import type { OnnxConv1d } from "./summary.js";

/** How a layer is run. */
export interface Call {
  readonly input: string;
  /** The state that is passed; "" for none. */
  readonly state: string;
  /** Whether forward returns the output alone, or beside the next state. */
  readonly isAlone: boolean;
  /** What stands in the comment: the input's shape. */
  readonly told: string;
}

export function zeros(...shape: readonly number[]): string {
  return `Tensor.zeros([${shape.join(", ")}])`;
}

/** @param said  what the dict's metadata tells of a module that loads */
export function callOf(
  info: ModuleInfo,
  node: OnnxModule | undefined,
  said: ModuleMetadata | undefined,
): Call {
  const { batchFirst } = { ...said?.options };
  const call = (isAlone: boolean, told: string, ...shape: readonly number[]): Call => ({
    ...{ input: zeros(...shape), state: "", isAlone, told },
  });
  switch (info.kind) {
    case "LSTM":
    case "GRU":
    case "RNN":
      return call(
        false,
        `(${batchFirst ? "batch, steps" : "steps, batch"}, ${info.inputSize})`,
        ...[1, 1, info.inputSize],
      );
    case "LSTMCell":
      return call(false, `(batch, ${info.inputSize}), then h and c`, 1, info.inputSize);
    case "GRUCell":
    case "RNNCell":
      return call(true, `(batch, ${info.inputSize}), then h`, 1, info.inputSize);
    case "Linear":
      return call(true, `(..., ${info.inFeatures})`, 1, info.inFeatures);
    case "Conv1d": {
      const {
        inChannels,
        kernelSize,
        dilation = 1,
      } = {
        ...info,
        ...(said?.options as Partial<OnnxConv1d>),
        ...(node as Partial<OnnxConv1d>),
      };
      const length = dilation * (kernelSize - 1) + 1;
      return call(true, `(batch, ${inChannels}, length)`, 1, inChannels, length);
    }
    case "Embedding":
      return { ...call(true, `indices below ${info.numEmbeddings}`), input: "[0]" };
  }
}
