/** Another sample rate by a windowed sinc: a low pass below both rates' limits, evaluated at the new instants. */

/** Zero crossings of the sinc on each side: a transition band of about 0.1 of the lower rate's limit. */
const CROSSINGS = 32;
/** Kaiser window: stop band about 90 dB down. */
const BETA = 9;
/** Of the lower rate's limit: the transition band ends there. */
const CUTOFF = 0.95;

/**
 * @param {Float32Array} samples
 * @param {number} from sample rate of `samples`
 * @param {number} to sample rate of the result
 */
export function resample(samples, from, to) {
  if (from === to) return samples.slice();
  const divisor = gcd(from, to);
  // Sample n of the result stands at n * step / phases of the input: only so many fractions occur.
  const phases = to / divisor;
  const step = from / divisor;
  const cutoff = CUTOFF * Math.min(1, to / from);
  const half = Math.ceil(CROSSINGS / cutoff);
  const filters = Array.from({ length: phases }, (_, phase) => filter(phase / phases, cutoff, half));
  const result = new Float32Array(Math.floor((samples.length * phases) / step));
  for (let n = 0; n < result.length; n++) {
    const position = n * step;
    const taps = filters[position % phases];
    const first = Math.floor(position / phases) - half + 1;
    let sum = 0;
    for (let tap = 0; tap < taps.length; tap++) sum += taps[tap] * (samples[first + tap] ?? 0);
    result[n] = sum;
  }
  return result;
}

/** Weights of the 2 * half samples around an instant `fraction` after sample half - 1; they add up to 1. */
function filter(fraction, cutoff, half) {
  const taps = Float64Array.from({ length: 2 * half }, (_, tap) => {
    const x = tap - (half - 1) - fraction;
    const inside = 1 - (x / half) ** 2;
    return inside < 0 ? 0 : sinc(cutoff * x) * bessel(BETA * Math.sqrt(inside));
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** The modified Bessel function I0, by its series. */
function bessel(x) {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function gcd(a, b) {
  return b === 0 ? a : gcd(b, a % b);
}
