/** Models of TensorFlow.js as one file each, so that bytes of it can be changed: the JSON, a line feed, the numbers. */
import { FormatError } from "../../src/formats/bytes.js";
import { isObject } from "../../src/formats/json.js";

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** A line of JSON, then the numbers. Whatever JSON holds but an object is an argument of the wrong type. */
export function ofModelJson(
  bytes: Uint8Array,
  read: (json: object, weights: Uint8Array) => unknown,
): unknown {
  const end = bytes.indexOf(10);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
  } catch (cause) {
    throw new FormatError(`tfjs: ${cause}`);
  }
  return read(isObject(json) ? json : {}, bytes.subarray(end + 1));
}

/** Of one LSTM, with the names that each writer of model.json has. */
export const TFJS_FILES = ["lstm_LSTM1/", "lstm/lstm_cell/", "layers/lstm/cell/vars/"].map((path) => {
  const layer = { class_name: "LSTM", config: { name: "lstm_LSTM1", units: 1, activation: "relu" } };
  const config = { class_name: "Sequential", config: { name: "sequential", layers: [layer] } };
  const names = path.startsWith("layers") ? ["0", "1", "2"] : ["kernel", "recurrent_kernel", "bias"];
  const quantization = { dtype: "uint8", scale: 0.5, min: -1 };
  const weights = [[2, 4], [1, 4], [4]].map((shape, at) => ({
    ...{ name: `${path}${names[at]}`, shape, dtype: "float32" },
    ...(at === 0 ? { quantization } : {}),
  }));
  const manifest = [{ paths: ["group1-shard1of1.bin"], weights }];
  const modelTopology = { keras_version: "2.15.0", model_config: config };
  const text = json({ format: "layers-model", modelTopology, weightsManifest: manifest });
  return Uint8Array.from([...text, 10, ...new Uint8Array(8 + 16 + 16)]);
});
