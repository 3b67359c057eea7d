/** The page: the microphone through the denoiser to the headphones. */
import { loadDenoiser, SAMPLE_RATE, SOURCES } from "./denoiser.js";

const element = (id) => document.getElementById(id);
const show = (error) => {
  element("error").textContent = error === undefined ? "" : String(error);
};

let files;
let audio;
let node;

for (const { project, address, sha256 } of SOURCES) {
  const item = element("sources").appendChild(document.createElement("li"));
  const link = item.appendChild(document.createElement("a"));
  [link.href, link.textContent] = [address, `${project}: ${address.split("/").at(-1)}`];
  item.appendChild(document.createElement("br"));
  item.appendChild(document.createElement("code")).textContent = `sha256 ${sha256}`;
}

element("files").onchange = async () => {
  try {
    show();
    const picked = [...element("files").files];
    files = await Promise.all(picked.map(async (file) => new Uint8Array(await file.arrayBuffer())));
    // Tried here, where a second of sound also tells how long it takes: the second one, after engines have warmed up.
    const denoiser = loadDenoiser(files);
    const second = new Float32Array(SAMPLE_RATE);
    denoiser.process(second);
    const begin = performance.now();
    denoiser.process(second);
    const share = (performance.now() - begin) / 10;
    element("text").textContent =
      `${picked.map(({ name }) => name).join(", ")}: ${share.toFixed(1)} % of a core`;
    element("start").disabled = false;
    node?.port.postMessage({ files });
  } catch (error) {
    show(error);
  }
};

async function start() {
  // What the browser itself takes out of the sound would leave the model nothing to do.
  const constraints = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: constraints });
  audio = new AudioContext({ sampleRate: SAMPLE_RATE });
  audio.onstatechange = () => {
    element("start").textContent = audio.state === "running" ? "Pause" : "Go on";
  };
  await audio.audioWorklet.addModule("build/processor.js");
  node = new AudioWorkletNode(audio, "denoise", { channelCount: 1, channelCountMode: "explicit" });
  node.onprocessorerror = () => show("the processor stopped with an error");
  node.port.onmessage = ({ data }) => show(data.error);
  node.port.postMessage({ files, bypass: element("bypass").checked });
  const [heard, played] = [0, 0].map(() => new AnalyserNode(audio, { fftSize: 8192 }));
  const source = new MediaStreamAudioSourceNode(audio, { mediaStream: microphone });
  source.connect(heard);
  source.connect(node).connect(played).connect(audio.destination);
  draw([heard, "#888"], [played, "#6f6"]);
}

/** Half a second of each. */
function draw(...lines) {
  const canvas = element("scope");
  const context = canvas.getContext("2d");
  const samples = new Float32Array(8192);
  context.clearRect(0, 0, canvas.width, canvas.height);
  for (const [analyser, colour] of lines) {
    analyser.getFloatTimeDomainData(samples);
    context.strokeStyle = colour;
    context.beginPath();
    samples.forEach((sample, at) => {
      context.lineTo((at * canvas.width) / samples.length, (canvas.height / 2) * (1 - sample));
    });
    context.stroke();
  }
  requestAnimationFrame(() => draw(...lines));
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
