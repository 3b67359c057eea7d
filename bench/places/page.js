/** A page, and the scopes that it starts: ?scope= and ?id=. Posts what start() gives to /result. */
import { start } from "./start.js";

const query = new URLSearchParams(location.search);
const address = new URL("./", location.href).href;

const scopes = {
  page: async (binary) => start(() => import("peer"), { binary, address }),

  worker: (binary) => {
    const worker = new Worker("./worker.js", { type: "module" });
    worker.postMessage({ binary, address });
    return answer(worker, (fail) => {
      worker.onerror = (event) => fail(event.message ?? "the worker did not load");
    });
  },

  "service worker": async (binary) => {
    const { installing, waiting, active } = await navigator.serviceWorker.register("./worker.js", {
      type: "module",
    });
    const { port1, port2 } = new MessageChannel();
    (installing ?? waiting ?? active).postMessage({ binary, address }, [port2]);
    return answer(port1);
  },

  AudioWorklet: async (binary) => {
    const audio = new OfflineAudioContext(1, 128, 44100);
    await audio.audioWorklet.addModule("./processor.js");
    const node = new AudioWorkletNode(audio, "start", { processorOptions: { binary, address } });
    const result = answer(node.port, (fail) => {
      node.onprocessorerror = () => fail("the processor threw");
    });
    node.connect(audio.destination);
    await audio.startRendering();
    return result;
  },
};

function answer(port, onFailure) {
  return new Promise((resolve) => {
    port.onmessage = ({ data }) => resolve(data);
    onFailure?.((error) => resolve({ error }));
  });
}

let result;
try {
  const response = await fetch("./library.wasm");
  const binary = response.ok ? await response.arrayBuffer() : undefined;
  result = await scopes[query.get("scope")](binary);
} catch (error) {
  result = { error: String(error) };
}
await fetch(`/result?id=${query.get("id")}`, { method: "POST", body: JSON.stringify(result) });
