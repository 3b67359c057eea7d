/**
 * The models: where each file comes from, what one call takes, which outputs go back in, and the floor of the ratio to
 * onnxruntime-web. Files are of npm (`silero`), of the folder MODELS, of the folder PROXIES (make_proxies.py), or
 * written here (`small`).
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const { MODELS, PROXIES = MODELS } = process.env;
const NPM = fileURLToPath(new URL("../node_modules/@ricky0123/vad-web/dist", import.meta.url));
const FOLDERS = { npm: NPM, MODELS, PROXIES };

const SILERO = { input: [1, 576], state: [2, 1, 128], sr: 16000n };
const SILERO_4 = { input: [1, 1536], h: [2, 1, 64], c: [2, 1, 64], sr: 16000n };
const SILERO_ALL = { input: [312, 576], h: [1, 1, 128], c: [1, 1, 128] };
const TEXT = "This is a test This is another test sentence. And so on it goes with the words ";

/** Where files come from that no package of npm carries; all under the MIT licence. */
const SOURCES = {
  "silero_vad_16k_sequence.onnx": [
    "PyPI's silero-vad 6.2.3, silero_vad/data",
    "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85",
  ],
  "dtln_1.onnx": [
    "github.com/breizhn/DTLN, commit 1de1f15a8b, pretrained_model/model_1.onnx",
    "22b91cae3855e5a0620e66a917ca6c82c58db0e842c770f58d86751c5e8d4ae3",
  ],
  "dtln_2.onnx": [
    "github.com/breizhn/DTLN, commit 1de1f15a8b, pretrained_model/model_2.onnx",
    "e20c92f9233fccf29cddf86970d0d0161a03aebccc26d6f4d5639c4d5ec2e639",
  ],
  "gtcrn.onnx": [
    "github.com/Xiaobin-Rong/gtcrn, commit 3862c44808, stream/onnx_models/gtcrn.onnx",
    "f648b02f2d7ff96ebcb0eec2219688a08ed12fe7e3d50f248605a90eba8cad17",
  ],
  "gtcrn_simple.onnx": [
    "github.com/Xiaobin-Rong/gtcrn, commit 3862c44808, stream/onnx_models/gtcrn_simple.onnx",
    "b4718df6228e7bdf1a8a435cf98f838636eb2fd331acabf86ba87c5192ebcb87",
  ],
  "nnsplit_en.onnx": [
    "github.com/bminixhofer/nnsplit, commit cac5552cfa, models/en/model.onnx",
    "af3b2f98a5964501e270d6ef34caec17da6b112fe24a20d0d09b155de822d73e",
  ],
};

/**
 * A shape stands for float32 numbers, a bigint for an int64 scalar; `states` true: those that the model pairs. With
 * states, `step` is called. `start`: what is measured is a start, in three times as many processes.
 */
export const CASES = [
  silero("Silero v5, a frame", "silero_vad_v5.onnx", 6.5, SILERO, { state: "stateN" }),
  silero("Silero v6, a frame", "silero_vad_v6.onnx", 6.5, SILERO, { state: "stateN" }),
  {
    ...silero("Silero v5, import to first output", "silero_vad_v5.onnx", 10, SILERO, { state: "stateN" }),
    start: true,
  },
  silero("Silero v4, a frame", "silero_vad_legacy.onnx", 4.5, SILERO_4, { h: "hn", c: "cn" }),
  file("Silero, all frames of 10 s", "silero_vad_16k_sequence.onnx", 4, SILERO_ALL),
  file(
    "DTLN 1, a block",
    "dtln_1.onnx",
    3,
    { input_2: [1, 1, 257], input_3: [1, 2, 128, 2] },
    { input_3: "tf_op_layer_stack_2" },
  ),
  file(
    "DTLN 2, a block",
    "dtln_2.onnx",
    7,
    { input_4: [1, 1, 512], input_5: [1, 2, 128, 2] },
    { input_5: "tf_op_layer_stack_5" },
  ),
  file("GTCRN, a frame", "gtcrn.onnx", 7, {}, true),
  file("GTCRN simple, a frame", "gtcrn_simple.onnx", 7, {}, true),
  file("nnsplit, 500 bytes", "nnsplit_en.onnx", 1.65, { input: { text: TEXT.repeat(7).slice(0, 500) } }),
  proxy("CRNN, 32 x 100", "proxy_crnn.onnx", 1.7, { input: [1, 1, 32, 100] }),
  proxy("PyanNet, 1 s", "proxy_pyannote_segmentation.onnx", 1.9, { input_values: [1, 1, 16000] }),
  proxy(
    "RNN-T decoder, a step",
    "proxy_rnnt_decoder_joint.onnx",
    5,
    { encoder_outputs: [1, 40, 1], targets: { ids: [3n], shape: [1, 1] }, h: [2, 1, 32], c: [2, 1, 32] },
    { h: "h1", c: "c1" },
  ),
  proxy("NSNet2, 1 frame", "proxy_nsnet2.onnx", 3.5, { input: [1, 1, 161] }),
  proxy("NSNet2, 100 frames", "proxy_nsnet2.onnx", 1.9, { input: [1, 100, 161] }),
  proxy("GE2E, 160 frames", "proxy_ge2e.onnx", 2.2, { mels: [1, 160, 40] }),
  loop("a GRU as a Loop, recognised", "GRU loop", 8),
  loop("a GRU as a Loop, plain", "other loop", 3),
  ...small("identity", "identity", 12),
  ...small("one Gemm", "gemm", 10),
  ...small("64 nodes of 16 numbers", "64 nodes", 12),
];

/** Where a case's file is; undefined where it is not. */
export function pathOf({ from, file }) {
  const path = `${FOLDERS[from]}/${file}`;
  return FOLDERS[from] !== undefined && existsSync(path) ? path : undefined;
}

function silero(name, path, floor, inputs, states) {
  return { name, from: "npm", file: path, floor, inputs, states };
}

function file(name, path, floor, inputs, states) {
  const [source, sha256] = SOURCES[path];
  return { name, from: "MODELS", file: path, source, sha256, floor, inputs, states };
}

function proxy(name, path, floor, inputs, states) {
  return { name, from: "PROXIES", file: path, source: "bench/models/make_proxies.py", floor, inputs, states };
}

function loop(name, key, floor) {
  return { name, from: "small", file: key, floor, inputs: { x: [90, 1, 64] } };
}

/** By `run`, whose tensors the caller owns, and by `step`, which gives the same tensors every time. */
function small(name, key, floor) {
  const spec = { from: "small", file: key, floor, inputs: { x: [1, 16] } };
  return [
    { name: `${name}, run`, ...spec },
    { name: `${name}, step`, ...spec, states: {} },
  ];
}
