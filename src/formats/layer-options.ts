/** What readers say of a recurrent layer besides its weights: the options of `new LSTM`, `new GRU` and `new RNN`. */

export type LayerKind = "LSTM" | "GRU" | "RNN";

/** The names of activations that files have, as the modules' options take them. */
export type LayerActivationName =
  | "tanh"
  | "sigmoid"
  | "relu"
  | "hardSigmoid"
  | "softsign"
  | "softplus"
  | "elu"
  | "leakyRelu"
  | "thresholdedRelu"
  | "scaledTanh"
  | "affine"
  | "linear"
  | "selu"
  | "celu"
  | "exponential"
  | "gelu"
  | "silu"
  | "mish"
  | "relu6"
  | "hardSilu"
  | "logSigmoid"
  | "squareplus"
  | "hardTanh"
  | "tanhShrink"
  | "softShrink"
  | "hardShrink";

/** An activation by its name, or with the constants of its formula. */
export type LayerActivation =
  | LayerActivationName
  | { readonly name: LayerActivationName; readonly alpha: number; readonly beta?: number };

/** All options of a layer's module; those of other kinds are left out. */
export interface LayerOptions {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  readonly bidirectional: boolean;
  readonly reverse: boolean;
  readonly goBackwards: boolean;
  /** Left out where there is none. */
  readonly clip?: number;
  /** Whether the state dict has `h0` and, for an LSTM, `c0`. */
  readonly initialState: boolean;
  /** RNN. */
  readonly nonlinearity?: LayerActivation;
  /** LSTM and GRU. */
  readonly activation?: LayerActivation;
  readonly recurrentActivation?: LayerActivation;
  /** GRU. */
  readonly resetAfter?: boolean;
  /** LSTM. */
  readonly projSize?: number;
  readonly cellActivation?: LayerActivation;
  readonly inputForget?: boolean;
  /** The bound of c'. Left out where there is none. */
  readonly cellClip?: number;
  readonly peepholes?: boolean;
}

/** The options of PyTorch's own layers, those left out as `new LSTM` has them. */
export function layerOptions(
  kind: LayerKind,
  given: Pick<LayerOptions, "inputSize" | "hiddenSize"> & Partial<LayerOptions>,
): LayerOptions {
  const plain = {
    LSTM: {
      projSize: 0,
      activation: "tanh",
      recurrentActivation: "sigmoid",
      cellActivation: "tanh",
      inputForget: false,
      peepholes: false,
    },
    GRU: { activation: "tanh", recurrentActivation: "sigmoid", resetAfter: true },
    RNN: { nonlinearity: "tanh" },
  } as const;
  return {
    numLayers: 1,
    bias: true,
    batchFirst: false,
    bidirectional: false,
    reverse: false,
    goBackwards: false,
    initialState: false,
    ...plain[kind],
    ...given,
  };
}
