/** A next-character model of TensorFlow.js that writes: it gives the probability of each character after a text. */

/** The model's characters, by their places in a row. */
const CHARACTERS = Array.from("\n !\"'(),-.0123456789:;=?[]_abcdefghijklmnopqrstuvwxyzäæéë");

/**
 * Writes on from a text, one character after the other. What the model has no character for is a row of zeros.
 * @param {import("lstm-wasm/models").Model<string>} model by `loadTfjs`
 * @param {string} text
 * @param {{ temperature?: number, random?: () => number }} options 0 always takes the most probable character, 1 draws as
 *   the model has it
 * @returns {Generator<string>} without an end
 */
export function* write(model, text, { temperature = 0.5, random = Math.random } = {}) {
  const [, length, width] = model.inputs[0].shape;
  if (width !== CHARACTERS.length) {
    throw new RangeError(`expected a model of ${CHARACTERS.length} characters, got one of ${width}`);
  }
  let last = Array.from(text.toLowerCase(), (sign) => CHARACTERS.indexOf(sign)).slice(-length);
  for (;;) {
    const rows = new Float32Array(length * width);
    for (const [at, character] of last.entries()) {
      if (character >= 0) rows[(length - last.length + at) * width + character] = 1;
    }
    const [{ data }] = Object.values(model.run(rows));
    const next = draw(data, temperature, random());
    yield CHARACTERS[next];
    last = [...last, next].slice(-length);
  }
}

/** The first place at which the probabilities, sharpened by the temperature, add up to `chance`, 0 to 1. */
function draw(probabilities, temperature, chance) {
  const most = Math.max(...probabilities);
  if (temperature === 0) return probabilities.indexOf(most);
  const weights = probabilities.map((probability) => (probability / most) ** (1 / temperature));
  const end = chance * weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  const place = weights.findIndex((weight) => {
    sum += weight;
    return sum > end;
  });
  return place < 0 ? probabilities.indexOf(most) : place;
}
