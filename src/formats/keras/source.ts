/** Where the arrays of a model's layers lie in a file. */
import type { Entry } from "./cell.js";
import type { LayerConfig } from "./config.js";

/** The arrays below a layer or a model. */
export interface Source {
  /** Of a model: the sources of its layers, one for each. */
  layers(model: LayerConfig, layers: readonly LayerConfig[]): readonly Source[];
  /** Of a TimeDistributed: that of its layer. */
  wrapped(): Source;
  /** Of a layer: its arrays in the order in which Keras lists them. */
  entries(layer: LayerConfig): readonly Entry[];
  /** The layer's name as the file has it beside the arrays, if it has. */
  readonly label: string | undefined;
}
