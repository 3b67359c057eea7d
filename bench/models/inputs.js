/** The numbers that a case is measured with. */

/** An input of the case as both take it. States begin with zeros. */
export function made(wanted, isState) {
  if (typeof wanted === "bigint") return { dtype: "int64", data: BigInt64Array.of(wanted), shape: [] };
  if (wanted.text !== undefined) {
    const data = new TextEncoder().encode(wanted.text);
    return { dtype: "uint8", data, shape: [1, data.length] };
  }
  if (wanted.ids !== undefined) {
    return { dtype: "int64", data: BigInt64Array.from(wanted.ids), shape: wanted.shape };
  }
  const data = new Float32Array(wanted.reduce((product, size) => product * size, 1));
  if (!isState) wave(data, 0);
  return { dtype: "float32", data, shape: wanted };
}

/**
 * Tones that change with the step, and noise. Without noise a spectrum has empty bins, whose logarithm is that of the
 * rounding: no measure of anything.
 */
export function wave(data, step) {
  let seed = step + 1;
  for (let at = 0; at < data.length; at++) {
    seed = (seed * 16807) % 2147483647;
    data[at] = 0.3 * Math.sin(at * 0.37 * (1 + (step % 5)) + step) + 0.2 * (seed / 2147483647 - 0.5);
  }
}

/** Inputs by name, of a case that states the shapes of all. */
export function madeInputs(inputs, states) {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, wanted]) => [name, made(wanted, name in states)]),
  );
}
