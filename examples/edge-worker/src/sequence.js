/** A request's body to numbers, or a BadRequest that says what is wrong with it. */

/** A day of minutes, times seven: long enough for most, short enough for a worker's share of CPU time. */
const MOST_STEPS = 10_080;

export class BadRequest extends Error {}

/**
 * JSON `{ "sequence": [[...], ...] }`, or as application/octet-stream little-endian float32, one time step after the other.
 * @returns {Promise<Float32Array>} a whole number of time steps of `size` finite numbers
 */
export async function readSequence(request, size) {
  const type = request.headers.get("Content-Type")?.split(";")[0].trim();
  let numbers;
  if (type === "application/json") numbers = fromJson(await request.text(), size);
  else if (type === "application/octet-stream") numbers = fromBytes(await request.arrayBuffer(), size);
  else
    throw new BadRequest(`Content-Type: expected application/json or application/octet-stream, got ${type}`);
  const steps = numbers.length / size;
  if (steps < 1 || steps > MOST_STEPS) {
    throw new BadRequest(`sequence: expected 1 to ${MOST_STEPS} time steps, got ${steps}`);
  }
  const at = numbers.findIndex((number) => !Number.isFinite(number));
  if (at >= 0) {
    throw new BadRequest(
      `sequence[${Math.floor(at / size)}][${at % size}]: expected a finite float32, got ${numbers[at]}`,
    );
  }
  return numbers;
}

function fromJson(text, size) {
  let body;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw new BadRequest(`body: not JSON: ${error.message}`);
  }
  const sequence = body?.sequence;
  if (!Array.isArray(sequence)) throw new BadRequest("sequence: expected an array of time steps");
  sequence.forEach((step, at) => {
    if (!Array.isArray(step) || step.length !== size) {
      throw new BadRequest(
        `sequence[${at}]: expected ${size} numbers, got ${Array.isArray(step) ? step.length : typeof step}`,
      );
    }
    const wrong = step.findIndex((number) => typeof number !== "number");
    if (wrong >= 0)
      throw new BadRequest(`sequence[${at}][${wrong}]: expected a number, got ${typeof step[wrong]}`);
  });
  return Float32Array.from(sequence.flat());
}

function fromBytes(buffer, size) {
  const bytes = size * 4;
  if (buffer.byteLength % bytes !== 0) {
    throw new BadRequest(
      `body: expected a multiple of ${bytes} bytes (${size} float32 a step), got ${buffer.byteLength}`,
    );
  }
  return new Float32Array(buffer);
}
