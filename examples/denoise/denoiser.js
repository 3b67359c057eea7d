/** Two denoisers of speech at 16 kHz, each whole from its ONNX files: DTLN, which has two, and GTCRN. */
import { loadOnnx } from "lstm-wasm/models";
import { BINS, OverlapAdd, rootHann, Spectrum } from "./overlap.js";

export const SAMPLE_RATE = 16000;

/** Where the files are, which no package carries. */
export const SOURCES = [
  {
    project: "DTLN",
    address: "https://github.com/breizhn/DTLN/blob/1de1f15a8b/pretrained_model/model_1.onnx",
    sha256: "22b91cae3855e5a0620e66a917ca6c82c58db0e842c770f58d86751c5e8d4ae3",
  },
  {
    project: "DTLN",
    address: "https://github.com/breizhn/DTLN/blob/1de1f15a8b/pretrained_model/model_2.onnx",
    sha256: "e20c92f9233fccf29cddf86970d0d0161a03aebccc26d6f4d5639c4d5ec2e639",
  },
  {
    project: "GTCRN",
    address: "https://github.com/Xiaobin-Rong/gtcrn/blob/3862c44808/stream/onnx_models/gtcrn_simple.onnx",
    sha256: "b4718df6228e7bdf1a8a435cf98f838636eb2fd331acabf86ba87c5192ebcb87",
  },
];

/**
 * @param {Uint8Array[]} files the bytes of DTLN's two files in any order, or of GTCRN's one
 * @returns {OverlapAdd} whose `process(samples)` gives as many samples, denoised
 */
export function loadDenoiser(files) {
  const models = files.map((bytes) => loadOnnx(bytes));
  const taking = (input) => models.find(({ inputs }) => inputs.some(({ name }) => name === input));
  const [first, second, gtcrn] = ["input_2", "input_4", "mix"].map(taking);
  if (first && second) return denoiseByDtln(first, second);
  if (gtcrn) return denoiseByGtcrn(gtcrn);
  const inputs = models.flatMap((model) => model.inputs.map(({ name }) => name)).join(", ");
  throw new RangeError(
    `files: expected both of DTLN, or that of GTCRN; got the inputs ${inputs || "of no file"}`,
  );
}

/** The first model masks the spectrum; the second one hears what is left as a waveform. */
function denoiseByDtln(first, second) {
  const masks = first.stream({ input_3: "tf_op_layer_stack_2" });
  const waveforms = second.stream({ input_5: "tf_op_layer_stack_5" });
  const spectrum = new Spectrum();
  const magnitudes = new Float32Array(BINS);
  return new OverlapAdd({
    hop: 128,
    change(frame) {
      spectrum.read(frame);
      const { re, im } = spectrum;
      for (let bin = 0; bin < BINS; bin++) magnitudes[bin] = Math.hypot(re[bin], im[bin]);
      const mask = masks.step({ input_2: magnitudes }).activation_2.data;
      for (let bin = 0; bin < BINS; bin++) {
        re[bin] *= mask[bin];
        im[bin] *= mask[bin];
      }
      spectrum.write(frame);
      frame.set(waveforms.step({ input_4: frame }).conv1d_3.data);
    },
  });
}

/** One model from spectrum to spectrum. The outputs that are states have the names of the inputs. */
function denoiseByGtcrn(model) {
  const stream = model.stream();
  const spectrum = new Spectrum();
  const mix = new Float32Array(2 * BINS);
  return new OverlapAdd({
    hop: 256,
    window: rootHann,
    change(frame) {
      spectrum.read(frame);
      const parts = [spectrum.re, spectrum.im];
      for (let at = 0; at < mix.length; at++) mix[at] = parts[at % 2][at >> 1];
      const { data } = stream.step({ mix }).enh;
      for (let at = 0; at < mix.length; at++) parts[at % 2][at >> 1] = data[at];
      spectrum.write(frame);
    },
  });
}
