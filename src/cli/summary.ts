/** Layers in a line, `LSTM 40 -> 128, 2 layers`, and the options that the node of a Conv1d tells. */
import type { ModuleInfo, OnnxModule } from "lstm-wasm/formats";

export type OnnxConv1d = Extract<OnnxModule, { readonly kind: "Conv1d" }>;

/** @param node what an ONNX node tells, which weights do not */
export function summarise(info: ModuleInfo, node?: OnnxModule): string {
  const plain = "bias" in info && !info.bias ? ", no bias" : "";
  switch (info.kind) {
    case "Embedding":
      return `Embedding ${info.numEmbeddings} x ${info.embeddingDim}`;
    case "Linear":
      return `Linear ${info.inFeatures} -> ${info.outFeatures}${plain}`;
    case "Conv1d": {
      const { inChannels, outChannels, kernelSize, mostGroups = 1 } = info;
      const groups =
        node?.kind === "Conv1d"
          ? node.groups > 1 && `, ${node.groups} groups`
          : mostGroups > 1 && `, or depthwise with ${mostGroups} groups`;
      const channels = node?.kind === "Conv1d" ? node.inChannels : inChannels;
      return `Conv1d ${channels} -> ${outChannels}, kernel ${kernelSize}${groups || ""}${plain}`;
    }
    case "LSTMCell":
    case "GRUCell":
    case "RNNCell":
      return `${info.kind} ${info.inputSize} -> ${info.hiddenSize}${plain}`;
    default: {
      const projected = info.kind === "LSTM" && info.projSize > 0 ? `, projected to ${info.projSize}` : "";
      return `${recurrentSummary(info)}${info.bidirectional ? ", bidirectional" : ""}${projected}${plain}`;
    }
  }
}

export function recurrentSummary(sizes: {
  kind: string;
  inputSize: number;
  hiddenSize: number;
  numLayers: number;
}): string {
  const { kind, inputSize, hiddenSize, numLayers } = sizes;
  return `${kind} ${inputSize} -> ${hiddenSize}${numLayers > 1 ? `, ${numLayers} layers` : ""}`;
}

/** What a Conv node tells besides its weights, where it is not what PyTorch's module has anyway. */
export function convolutionOptions({ stride, padding, dilation, groups }: OnnxConv1d): string[] {
  const usual = { stride: 1, padding: 0, dilation: 1, groups: 1 };
  return Object.entries({ stride, padding, dilation, groups })
    .filter(([option, value]) => value !== undefined && value !== usual[option as keyof typeof usual])
    .map(([option, value]) => `${option}: ${value}`);
}
