/** `lstm-wasm/formats`, bundled from its source: it runs where there is JavaScript and nothing else, and each reader stands alone. */

import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import { buildSync } from "esbuild";
import { expect, it } from "vitest";

const FORMATS = new URL("../../src/formats/index.ts", import.meta.url).pathname;

function bundle(contents: string) {
  const { outputFiles, metafile } = buildSync({
    stdin: { contents, resolveDir: new URL(".", import.meta.url).pathname },
    bundle: true,
    format: "iife",
    globalName: "formats",
    platform: "neutral",
    target: "es2022",
    write: false,
    metafile: true,
  });
  return { code: outputFiles[0]!.text, inputs: Object.values(metafile.outputs)[0]!.inputs };
}

it("reads files in a scope without TextDecoder, atob, URL or process, and bytes of another realm", () => {
  const { code } = bundle(`export * from ${JSON.stringify(FORMATS)};`);
  const scope = createContext({
    torch: readFileSync(new URL("../formats/files/torch/deflated.pt", import.meta.url)),
    onnx: readFileSync(new URL("../formats/files/onnx/lstm.onnx", import.meta.url)),
    nam: JSON.stringify({
      version: "0.5.0",
      architecture: "LSTM",
      config: { input_size: 1, hidden_size: 1, num_layers: 1 },
      weights: Array(16).fill(0.5),
    }),
  });
  const script = `${code}
    const dict = formats.readTorch(torch);
    const written = formats.writeSafetensors(dict);
    [
      [typeof TextDecoder, typeof atob, typeof URL, typeof process, typeof setTimeout].join(),
      dict.size,
      formats.readSafetensors(written).size,
      formats.readSafetensors(written.buffer).size,
      formats.listModules(dict).length,
      formats.readOnnx(onnx).layers[0].kind,
      formats.readNam(nam).kind,
    ].join(" ")`;
  const missing = Array(5).fill("undefined").join();
  expect(runInContext(script, scope)).toBe(`${missing} 12 12 12 3 LSTM LSTM`);
});

it("brings neither the kernels nor the modules that call them", () => {
  const { code, inputs } = bundle(`export * from ${JSON.stringify(FORMATS)};`);
  expect(Object.keys(inputs).filter((path) => /src\/(wasm|nn)\/|\.wasm|build\//.test(path))).toEqual([]);
  expect(code).not.toContain("WebAssembly");
});

it.each([
  ["readSafetensors", ["safetensors"]],
  ["readTorch", ["torch/", "inflate"]],
  ["readOnnx", ["onnx/"]],
  ["readNumpy", ["numpy/", "torch/pickle", "inflate"]],
  ["readManifest", ["tensorflow/manifest", "tensorflow/groups", "tensorflow/joined"]],
  ["fromTensorFlow", ["tensorflow/variables", "tensorflow/cells", "tensorflow/convert-cell"]],
  ["readNam", ["amp/nam", "amp/amp-model"]],
  ["readGuitarML", ["amp/guitarml", "amp/amp-model"]],
  ["readRTNeural", ["amp/rtneural", "amp/amp-model", "amp/torch-json", "modules", "keras"]],
  ["fromKeras", ["keras"]],
  ["listModules", ["modules"]],
])("%s brings no other reader along", (name, parts) => {
  const { inputs } = bundle(`export { ${name} } from ${JSON.stringify(FORMATS)};`);
  const readers = [
    "safetensors",
    "torch/",
    "inflate",
    "onnx/",
    "numpy/",
    "tensorflow/",
    "amp/",
    "keras",
    "modules",
  ];
  const used = Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => {
    const known = readers.some((reader) => path.replace("node_modules", "").includes(reader));
    return known && bytesInOutput > 0 ? [path] : [];
  });
  expect(used.length).toBeGreaterThan(0);
  expect(used.filter((path) => !parts.some((part) => path.includes(part)))).toEqual([]);
});
