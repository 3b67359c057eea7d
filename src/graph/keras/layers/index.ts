/** The layers that run, by the names of their classes. */

import type { LayerTable } from "../layer-call.js";
import { activation, dense, flatten, identity } from "./core.js";

export const LAYERS: LayerTable = {
  Activation: activation,
  ActivityRegularization: identity,
  AlphaDropout: identity,
  Dense: dense,
  Dropout: identity,
  Flatten: flatten,
  GaussianDropout: identity,
  GaussianNoise: identity,
  SpatialDropout1D: identity,
  SpatialDropout2D: identity,
  SpatialDropout3D: identity,
};
