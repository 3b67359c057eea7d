/** A weight file that is open, as the commands take it: its tensors, and the layers that it can be loaded as. */
import type { ModuleMetadata, StateDict } from "lstm-wasm";
import type {
  AmpModel,
  fromTensorFlow,
  KerasLayer,
  ModuleInfo,
  OnnxLayer,
  OnnxModule,
  TensorFlowLayer,
} from "lstm-wasm/formats";
import type { WholeModel } from "./whole-model.js";

/** What a layer can be made from. `at` is its place in the `layers` of readOnnx. */
export type Source =
  | {
      readonly kind: "module";
      readonly info: ModuleInfo;
      readonly dict: StateDict;
      /** What code calls the dict. */
      readonly from: "weights" | "tensors" | `modules[${number}].stateDict`;
      /** What an ONNX node tells, which weights do not. */
      readonly node?: OnnxModule;
      /** What the dict's metadata tells of it, which weights do not. */
      readonly told?: ModuleMetadata | undefined;
    }
  | { readonly kind: "onnx"; readonly layer: OnnxLayer; readonly at: number }
  | { readonly kind: "amp"; readonly model: AmpModel }
  | KerasSource
  | CellSource;

/** A recurrent layer of a Keras model. */
export interface KerasSource {
  readonly kind: "keras";
  readonly layer: KerasLayer;
  /** Its place in the `layers` of readKeras. */
  readonly at: number;
  /** Of its `parts`, the one that is meant. */
  readonly part: number | undefined;
  /** As the model states it. */
  readonly version: string | undefined;
}

/** A layer of TensorFlow's variables, and what fromTensorFlow was told. */
export interface CellSource {
  readonly kind: "cell";
  readonly cell: Parameters<typeof fromTensorFlow>[1];
  readonly scope: string;
  readonly layer: TensorFlowLayer;
}

export interface Layer {
  /** The prefix of its tensors' names, or its name in the file. This is what `--prefix` takes. */
  readonly name: string;
  /** For example `LSTM 40 -> 128, 2 layers`. */
  readonly summary: string;
  readonly parameters: number;
  readonly source: Source;
}

export interface Model {
  /** Of a file that `lstm-wasm/models` may run: what it is as a whole model. @throws FormatError where it does not run */
  readonly whole?: () => WholeModel;
  readonly format: string;
  readonly reader: Reader;
  /** The options that the reader was given, as code has them, but for external data. */
  readonly options: readonly string[];
  /** The names that an ONNX model has for the files beside it, which hold its weights. */
  readonly externalData: readonly string[];
  /** Whether a JSON that describes other files has NaN or Infinity as values, which JSON does not know. */
  readonly hasWords: boolean;
  /** The names of the files, where the model is cut into several: the index first. */
  readonly shards: readonly string[] | undefined;
  /** Of the file and those beside it. */
  readonly bytes: number;
  readonly tensors: StateDict;
  readonly layers: readonly Layer[];
  /** Names in `tensors` of what layers are made of that do not come from there: of ONNX nodes. */
  readonly replaced?: ReadonlySet<string>;
  /** Whether the file says that a module of it takes the batch first. Undefined if it says nothing. */
  readonly batchFirst?: boolean | undefined;
  /** Of the table of layers with its head, where the format has a table of its own. */
  readonly rows?: readonly (readonly string[])[];
  /** What code says of layers that it lacks. */
  readonly others?: string;
  /** Why the other layers of the file cannot be loaded, one reason each. */
  readonly refused: readonly string[];
  /** What the exporter did to layers, as readOnnx tells it. */
  readonly warnings: readonly string[];
}

/** What a format is called, and its reader. */
export const FORMATS = {
  torch: ["PyTorch", "readTorch"],
  safetensors: ["safetensors", "readSafetensors"],
  onnx: ["ONNX", "readOnnx"],
  keras: ["Keras", "readKeras"],
  tfjs: ["TensorFlow.js", "readTfjs"],
  manifest: ["TensorFlow", "readManifest"],
  numpy: ["NumPy", "readNumpy"],
  nam: ["Neural Amp Modeler", "readNam"],
  guitarml: ["GuitarML", "readGuitarML"],
  rtneural: ["RTNeural", "readRTNeural"],
} as const;

export type Reader = (typeof FORMATS)[keyof typeof FORMATS][1];

/** The number of elements of all tensors. */
export function elements(dict: StateDict): number {
  return [...dict.values()].reduce((sum, { data }) => sum + data.length, 0);
}
