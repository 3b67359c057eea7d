/**
 * Silero VAD v5 at 16 kHz in parts, so that its LSTM can be measured alone: what stands before it, and behind it.
 *
 *   64 samples before the frame + 512 of it, the end reflected -> [1, 640]
 *   stft     Conv1d, 1 -> 258: cosine rows 0..128, sine rows 129..257 -> magnitudes [129, 4]
 *   encoder  four Conv1d with ReLU -> [128, 1]
 *   decoder  LSTM step, ReLU, Conv1d 128 -> 1, sigmoid
 *
 * The weights come out of silero_vad_v5.onnx, whose 16 kHz half is the `then` branch of an `If`.
 */

import { readOnnx } from "../../dist/formats/index.js";
import { Conv1d, relu, sigmoid, Tensor } from "../../dist/index.js";

/** Samples of one frame. */
const FRAME = 512;

const CONTEXT = 64;
/** Samples repeated backwards after the frame. */
const REFLECTED = 64;
const BINS = 129;
const PREFIX = "If_0_then_branch__Inline_0__";

/** What stands before the LSTM: 128 features of each frame. */
export class SileroFeatures {
  #stft;
  #encoder;
  /** The context, then the frame as far as it has come. */
  #window = new Float32Array(CONTEXT + FRAME);
  #filled = CONTEXT;
  #input = Tensor.zeros([1, CONTEXT + FRAME + REFLECTED]);

  /** @param {import("lstm-wasm").StateDict} tensors of the file */
  constructor(tensors) {
    const basis = tensors.get(`${PREFIX}stft.forward_basis_buffer`);
    this.#stft = Conv1d.fromStateDict({ weight: basis }, { stride: 128 });
    this.#encoder = [1, 2, 2, 1].map((stride, at) =>
      Conv1d.fromStateDict(tensors, { prefix: `${PREFIX}encoder.${at}.reparam_conv.`, stride, padding: 1 }),
    );
  }

  /** Samples that the frame begun still lacks; 0 where none has begun. */
  get missing() {
    return this.#filled === CONTEXT ? 0 : this.#window.length - this.#filled;
  }

  /**
   * The features of each frame that the chunk completes; what is left over waits for the next chunk.
   * @param {Float32Array} chunk
   * @returns {Generator<Float32Array>}
   */
  *of(chunk) {
    for (let at = 0; at < chunk.length; ) {
      const count = Math.min(chunk.length - at, this.#window.length - this.#filled);
      this.#window.set(chunk.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled === this.#window.length) yield this.#frame();
    }
  }

  reset() {
    this.#window.fill(0);
    this.#filled = CONTEXT;
  }

  dispose() {
    for (const module of [this.#stft, ...this.#encoder]) module.dispose();
  }

  #frame() {
    const { data } = this.#input;
    const length = this.#window.length;
    data.set(this.#window);
    for (let at = 0; at < REFLECTED; at++) data[length + at] = data[length - 2 - at];
    this.#window.copyWithin(0, FRAME);
    this.#filled = CONTEXT;
    let features = magnitudes(this.#stft.forward(this.#input));
    for (const conv of this.#encoder) features = relu(conv.forward(features));
    return features.data;
  }
}

/** What stands behind the LSTM: h to a probability. */
export class SileroHead {
  #conv;

  /** @param {import("lstm-wasm").StateDict} tensors of the file */
  constructor(tensors) {
    this.#conv = Conv1d.fromStateDict(tensors, { prefix: `${PREFIX}decoder.decoder.2.` });
  }

  /** @param {Float32Array} h 128 numbers */
  forward(h) {
    return sigmoid(this.#conv.forward(relu(new Tensor(h, [h.length, 1])))).data[0];
  }

  dispose() {
    this.#conv.dispose();
  }
}

/**
 * The tensors of silero_vad_v5.onnx. No recurrent node is read: their weights stand in the file in PyTorch's own order.
 * @param {Uint8Array} onnx
 */
export function sileroTensors(onnx) {
  return readOnnx(onnx, { nodes: [] }).tensors;
}

/** The LSTM's weights: a cell in the file; as the only layer of an LSTM it has a stream, which keeps the state. */
export function sileroLstm(tensors) {
  const cell = `${PREFIX}decoder.rnn.`;
  const names = [...tensors.keys()].filter((name) => name.startsWith(cell));
  return new Map(names.map((name) => [`${name.slice(cell.length)}_l0`, tensors.get(name)]));
}

/** sqrt(cosine^2 + sine^2) of each bin and position. */
function magnitudes({ data, shape }) {
  const result = Tensor.zeros([BINS, shape[1]]);
  const size = result.data.length;
  for (let at = 0; at < size; at++) result.data[at] = Math.sqrt(data[at] ** 2 + data[size + at] ** 2);
  return result;
}
