/** The page: builds the audio graph, and talks to the processor through its port. */
import { Linear, LSTM } from "lstm-wasm";
import { readSafetensors } from "lstm-wasm/formats";

const element = (id) => document.getElementById(id);
const show = (error) => {
  element("error").textContent = error === undefined ? "" : String(error);
};

let audio;
let node;
let weights = randomWeights();

function randomWeights() {
  const lstm = new LSTM({ inputSize: 1, hiddenSize: 24 }).stateDict();
  const head = new Linear({ inFeatures: 24, outFeatures: 1 }).stateDict();
  const named = (prefix, dict) => Array.from(dict, ([name, tensor]) => [prefix + name, tensor]);
  return new Map([...named("rec.", lstm), ...named("lin.", head)]);
}

async function start() {
  audio = new AudioContext();
  // It begins to run some time after it was told to.
  audio.onstatechange = () => {
    element("start").textContent = audio.state === "running" ? "Pause" : "Go on";
  };
  await audio.audioWorklet.addModule("build/processor.js");
  node = new AudioWorkletNode(audio, "lstm", { processorOptions: { weights }, outputChannelCount: [1] });
  node.onprocessorerror = () => show("the processor stopped with an error");
  node.port.onmessage = ({ data }) => {
    if (data.error !== undefined) show(data.error);
    if (data.load !== undefined)
      element("load").textContent = `${(100 * data.load).toFixed(1)} % of the block time`;
  };
  node.port.postMessage({ bypass: element("bypass").checked });
  const source = new OscillatorNode(audio, { type: "sawtooth", frequency: 110 });
  const volume = new GainNode(audio, { gain: 0.3 });
  const analyser = new AnalyserNode(audio, { fftSize: 2048 });
  source.connect(node).connect(analyser).connect(volume).connect(audio.destination);
  source.start();
  element("load").textContent = "measuring";
  drawScope(analyser);
}

function drawScope(analyser) {
  const canvas = element("scope");
  const context = canvas.getContext("2d");
  const samples = new Float32Array(1024);
  const draw = () => {
    analyser.getFloatTimeDomainData(samples);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.strokeStyle = "#6f6";
    context.beginPath();
    samples.forEach((sample, x) => {
      context.lineTo(x, (canvas.height / 2) * (1 - sample));
    });
    context.stroke();
    requestAnimationFrame(draw);
  };
  draw();
}

element("start").onclick = async () => {
  try {
    show();
    if (audio === undefined) await start();
    else if (audio.state === "running") await audio.suspend();
    else await audio.resume();
  } catch (error) {
    show(error);
  }
};
element("bypass").onchange = () => node?.port.postMessage({ bypass: element("bypass").checked });
element("reset").onclick = () => node?.port.postMessage({ reset: true });
element("weights").onchange = async () => {
  const [file] = element("weights").files;
  if (file === undefined) return;
  try {
    show();
    // Read here: audio scopes have no TextDecoder. Tensors cross the port as plain objects, which fromStateDict takes.
    weights = readSafetensors(new Uint8Array(await file.arrayBuffer()));
    node?.port.postMessage({ weights });
  } catch (error) {
    show(error);
  }
};
