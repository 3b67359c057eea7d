/** The page of each browser test: runs the suite in the scope that ?context= names and posts the result to /result. */
import * as library from "lstm-wasm";
import * as models from "lstm-wasm/models";
import * as threads from "lstm-wasm/threads";
import processorUrl from "./processor-url.js";
import { MODEL_CASES, refusal, reportThreads, runSuite } from "./suite.js";

const SAMPLES = 1024;

const contexts = {
  page: async () => ({
    ...runSuite(library, models, await fetchModels()),
    threads: await reportThreads(library, threads),
  }),

  /** On a page whose policy allows no worker of a blob. */
  threads: async () => ({ threads: await reportThreads(library, threads) }),
  "threads by a URL": async () => ({
    threads: await reportThreads(library, threads, new URL("worker-of-threads.js", location.href).href),
  }),

  /** On a page whose policy forbids WebAssembly. */
  refusal: () => refusal(library),

  async worker() {
    const files = await fetchModels();
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    worker.postMessage(files);
    return answer(worker, (fail) => {
      worker.onerror = (event) => fail(new Error(event.message ?? "the worker did not load"));
    });
  },

  async "service worker"() {
    const { installing, waiting, active } = await navigator.serviceWorker.register("./service-worker.js", {
      type: "module",
    });
    const { port1, port2 } = new MessageChannel();
    (installing ?? waiting ?? active).postMessage(await fetchModels(), [port2]);
    return answer(port1);
  },

  async AudioWorklet() {
    const files = await fetchModels();
    const audio = new OfflineAudioContext(1, SAMPLES, 44100);
    await audio.audioWorklet.addModule(processorUrl);
    const lstm = new library.LSTM({ inputSize: 1, hiddenSize: 8, numLayers: 2 });
    const samples = library.Tensor.randn([SAMPLES, 1], 5);
    const source = audio.createBufferSource();
    // Filled before the source gets it: Firefox reads the buffer when it is assigned.
    const buffer = audio.createBuffer(1, SAMPLES, 44100);
    buffer.copyToChannel(samples.data, 0);
    source.buffer = buffer;
    const node = new AudioWorkletNode(audio, "suite", {
      processorOptions: { weights: lstm.stateDict(), files },
    });
    source.connect(node).connect(audio.destination);
    // Firefox does not hold the rendering back until the processor is made; the message tells that it is.
    const result = await answer(node.port, (fail) => {
      node.onprocessorerror = () => fail(new Error("the processor threw"));
    });
    source.start();
    const rendered = (await audio.startRendering()).getChannelData(0);
    const [output] = lstm.forward(samples);
    const differences = rendered.map((value, step) => Math.abs(value - output.data[step * 8]));
    const worst = Math.max(...differences);
    if (!(worst <= 2e-6)) throw new Error(`the rendered buffer differs from forward by ${worst}`);
    return result;
  },
};

/** Here, since not every scope fetches. */
async function fetchModels() {
  const files = {};
  for (const { file } of MODEL_CASES) {
    const response = await fetch(`/models/${file}`);
    if (!response.ok) throw new Error(`${file}: status ${response.status}`);
    files[file] = new Uint8Array(await response.arrayBuffer());
  }
  return files;
}

/** The first message of a port or worker. A failure is posted as { error }. */
function answer(port, onFailure) {
  return new Promise((resolve, reject) => {
    port.onmessage = ({ data }) => (data.error === undefined ? resolve(data) : reject(new Error(data.error)));
    onFailure?.(reject);
  });
}

const query = new URLSearchParams(location.search);
let report;
try {
  report = await contexts[query.get("context")]();
} catch (error) {
  report = { error: String(error) };
}
await fetch(`/result?id=${query.get("id")}`, { method: "POST", body: JSON.stringify(report) });
