/** Sound cut into frames that overlap, each frame changed, and the frames added up again; and frames' spectra. */

/** Samples of a frame, 32 ms at 16 kHz. */
export const FRAME = 512;
/** Frequencies of a frame's spectrum: 0 Hz to half the sample rate. */
export const BINS = FRAME / 2 + 1;

/**
 * As many samples come out as go in, however the sound is cut, FRAME samples later: then all frames that hold a sample
 * have been heard.
 */
export class OverlapAdd {
  #heard = new Float32Array(FRAME);
  #frame = new Float32Array(FRAME);
  #sum = new Float32Array(FRAME);
  #ready;
  #at = 0;
  #window;
  #change;

  /**
   * @param {object} options
   * @param {number} options.hop from one frame's begin to the next
   * @param {Float32Array} [options.window] FRAME weights, for the frame before it is changed and after it
   * @param {(frame: Float32Array) => void} options.change changes a frame where it stands
   */
  constructor({ hop, window = new Float32Array(FRAME).fill(1), change }) {
    this.#ready = new Float32Array(hop);
    this.#window = window;
    this.#change = change;
  }

  /**
   * @param {Float32Array} samples any number of them
   * @param {Float32Array} [output] where the result goes: as many samples
   */
  process(samples, output = new Float32Array(samples.length)) {
    const hop = this.#ready.length;
    for (let at = 0; at < samples.length; at++) {
      this.#heard[FRAME - hop + this.#at] = samples[at];
      output[at] = this.#ready[this.#at];
      if (++this.#at === hop) this.#next();
    }
    return output;
  }

  #next() {
    const [hop, frame, window] = [this.#ready.length, this.#frame, this.#window];
    for (let at = 0; at < FRAME; at++) frame[at] = this.#heard[at] * window[at];
    this.#change(frame);
    for (let at = 0; at < FRAME; at++) this.#sum[at] += frame[at] * window[at];
    this.#ready.set(this.#sum.subarray(0, hop));
    for (const samples of [this.#sum, this.#heard]) samples.copyWithin(0, hop);
    this.#sum.fill(0, FRAME - hop);
    this.#at = 0;
  }
}

/** The square root of a Hann window. Frames half a frame apart, weighted by it twice, add up to what they were. */
export const rootHann = Float32Array.from({ length: FRAME }, (_, at) => Math.sin((Math.PI * at) / FRAME));

/** What a frame holds of each of BINS frequencies, to be changed. */
export class Spectrum {
  /** Real and imaginary parts. Those from BINS on are the negative frequencies. */
  re = new Float64Array(FRAME);
  im = new Float64Array(FRAME);

  read(frame) {
    this.re.set(frame);
    this.im.fill(0);
    transform(this.re, this.im);
  }

  /** Writes the frame that has this spectrum, which is lost. */
  write(frame) {
    const { re, im } = this;
    im[0] = im[BINS - 1] = 0;
    // A negative frequency has the conjugate of the positive one.
    for (let bin = BINS; bin < FRAME; bin++) {
      re[bin] = re[FRAME - bin];
      im[bin] = -im[FRAME - bin];
    }
    // Where real and imaginary parts change places, the transform goes back.
    transform(im, re);
    for (let at = 0; at < FRAME; at++) frame[at] = re[at] / FRAME;
  }
}

const angles = Array.from({ length: FRAME / 2 }, (_, at) => (-2 * Math.PI * at) / FRAME);
const cosines = Float64Array.from(angles, Math.cos);
const sines = Float64Array.from(angles, Math.sin);

/** The discrete Fourier transform in place, by halves (Cooley and Tukey). */
function transform(re, im) {
  for (let at = 0, mirrored = 0; at < FRAME; at++) {
    if (mirrored > at) {
      [re[at], re[mirrored]] = [re[mirrored], re[at]];
      [im[at], im[mirrored]] = [im[mirrored], im[at]];
    }
    // Counts on with the bits in the other order.
    let bit = FRAME / 2;
    for (; mirrored & bit; bit /= 2) mirrored -= bit;
    mirrored += bit;
  }
  for (let half = 1; half < FRAME; half *= 2) {
    for (let first = 0; first < half; first++) {
      const cos = cosines[(first * FRAME) / (2 * half)];
      const sin = sines[(first * FRAME) / (2 * half)];
      for (let at = first; at < FRAME; at += 2 * half) {
        const other = at + half;
        const x = re[other] * cos - im[other] * sin;
        const y = re[other] * sin + im[other] * cos;
        re[other] = re[at] - x;
        im[other] = im[at] - y;
        re[at] += x;
        im[at] += y;
      }
    }
  }
}
