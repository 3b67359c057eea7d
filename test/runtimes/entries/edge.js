/**
 * A Cloudflare Worker: everything, the first call into the library too, happens at request time. The binaries' own paths
 * are imported only to tell which of them ran; a user who wants to pass one to init imports lstm-wasm/lstm.wasm.
 */
import * as library from "lstm-wasm";
import compiled from "lstm-wasm/lstm.wasm";
import * as models from "lstm-wasm/models";
import * as threads from "lstm-wasm/threads";
import files from "./model-files.js";
import modelsSimd from "./node_modules/lstm-wasm/dist/models.wasm?module";
import modelsRelaxed from "./node_modules/lstm-wasm/dist/models-relaxed.wasm?module";
import relaxedSimd from "./node_modules/lstm-wasm/dist/relaxed-simd.wasm?module";
import simd from "./node_modules/lstm-wasm/dist/simd.wasm?module";
import { reportThreads, runSuite } from "./suite.js";

export default {
  async fetch() {
    const modules = {
      simd,
      "relaxed-simd": relaxedSimd,
      models: modelsSimd,
      "models-relaxed": modelsRelaxed,
    };
    const report = runSuite(library, models, files, modules);
    report.threads = await reportThreads(library, threads);
    library.init({ module: compiled });
    new library.LSTM({ inputSize: 2, hiddenSize: 3 }).forward(library.Tensor.zeros([4, 2]));
    return Response.json(report);
  },
};
