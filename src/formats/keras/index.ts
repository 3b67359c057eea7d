/** Models of Keras: `.h5` of Keras 1 to 3, `.keras`, and files of weights alone. */
import { type Bytes, unsupported } from "../bytes.js";
import { readAs } from "../recognise/index.js";
import type { KerasModel } from "./layers.js";
import { openKeras } from "./open.js";

/**
 * The layers of a Keras model with their weights, and each recurrent layer as `LSTM.fromStateDict`,
 * `GRU.fromStateDict` or `RNN.fromStateDict` takes it. A file of weights alone has no config: its layers are listed,
 * and what their options are the caller tells `fromKeras`.
 *
 * @param bytes a file of `model.save` or `model.save_weights`: `.keras`, `.h5`, `.weights.h5`
 * @throws TypeError unless `bytes` is bytes; FormatError for a file that is broken, of another kind, holds no weights,
 *   or contradicts itself. Layers that have no equal here are listed in `skipped`.
 */
export function readKeras(bytes: Bytes): KerasModel {
  return readAs("readKeras", bytes, (file) => {
    const {
      list: { layers, warnings, skipped },
      kerasVersion,
    } = openKeras(file);
    if (layers.every(({ weights }) => weights.size === 0)) {
      throw unsupported("keras: the file has no weights; build the model (call it once), then save it");
    }
    return { kerasVersion, layers, warnings, skipped };
  });
}
