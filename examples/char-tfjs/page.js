/** The page: the text grows, a character a frame, until the button is pressed again. */
import { loadTfjs } from "lstm-wasm/models";
import { SOURCE } from "./source.js";
import { write } from "./writer.js";

const ids = ["files", "temperature", "write", "text", "told", "error", "source"];
const [files, temperature, button, text, told, error, source] = ids.map((id) => document.getElementById(id));

const link = source.appendChild(document.createElement("a"));
[link.href, link.textContent] = [SOURCE.address, SOURCE.project];
for (const [name, sha256] of SOURCE.files) {
  source.appendChild(document.createElement("br"));
  source.appendChild(document.createElement("code")).textContent = `${name}: sha256 ${sha256}`;
}

let model;
let isWriting = false;

files.onchange = async () => {
  try {
    error.textContent = "";
    const picked = Array.from(files.files);
    const json = picked.find(({ name }) => name.endsWith(".json"));
    if (json === undefined) throw new RangeError("expected model.json and the files of numbers beside it");
    const bytes = picked.map(async (file) => [file.name, await file.arrayBuffer()]);
    const loaded = loadTfjs(JSON.parse(await json.text()), Object.fromEntries(await Promise.all(bytes)));
    model?.dispose();
    model = loaded;
    told.textContent = `${json.name}: ${model.summary().match(/Total params: .*/)[0]}`;
    button.disabled = false;
  } catch (problem) {
    error.textContent = String(problem);
  }
};

button.onclick = async () => {
  isWriting = !isWriting;
  button.textContent = isWriting ? "Stop" : "Write";
  if (!isWriting) return;
  try {
    error.textContent = "";
    const letters = write(model, text.value, { temperature: Number(temperature.value) });
    while (isWriting) {
      const begin = performance.now();
      text.value += letters.next().value;
      told.textContent = `${(performance.now() - begin).toFixed(1)} ms a character`;
      text.scrollTop = text.scrollHeight;
      await new Promise(requestAnimationFrame);
    }
  } catch (problem) {
    error.textContent = String(problem);
    isWriting = false;
    button.textContent = "Write";
  }
};
