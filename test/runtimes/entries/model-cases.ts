/** Whole models for every engine: Silero VAD's three files over a made voice, their states fed back. */
import type { Tensor } from "../../../src/index.js";
import type { ModelStream, Model as WholeModel } from "../../../src/models/index.js";

type Models = Pick<typeof import("../../../src/models/index.js"), "loadOnnx">;

export interface ModelCase {
  readonly name: string;
  readonly file: string;
  /** Samples of a step, and how many of the step before it come first. */
  readonly frame: number;
  readonly context: number;
  /** Outputs by the inputs that they are fed back to. */
  readonly states: Readonly<Record<string, string>>;
}

/** Steps of each model. They hold half a second at least, so that the voice is heard. */
export const STEPS = 24;
export const SAMPLE_RATE = 16000;

export const MODEL_CASES: readonly ModelCase[] = [
  {
    name: "Silero VAD v4",
    file: "silero_vad_legacy.onnx",
    frame: 1536,
    context: 0,
    states: { h: "hn", c: "cn" },
  },
  { name: "Silero VAD v5", file: "silero_vad_v5.onnx", frame: 512, context: 64, states: { state: "stateN" } },
  { name: "Silero VAD v6", file: "silero_vad_v6.onnx", frame: 512, context: 64, states: { state: "stateN" } },
];

/** The inputs of each step. */
export function framesOf({ frame, context }: ModelCase): Float32Array[] {
  const sound = voice(context + STEPS * frame);
  return Array.from({ length: STEPS }, (_, step) =>
    sound.slice(step * frame, step * frame + context + frame),
  );
}

/** The probabilities of all steps, and the states after the last one. */
export function runModel({ loadOnnx }: Models, bytes: Uint8Array, model: ModelCase): Tensor[] {
  const { frame, context, states } = model;
  const whole: WholeModel = loadOnnx(bytes, {
    shapes: { input: [1, context + frame] },
    constants: { sr: SAMPLE_RATE },
  });
  try {
    const stream: ModelStream = whole.stream(states);
    const probabilities = framesOf(model).map((input) => stream.step({ input }).output!.data[0]!);
    const all = { data: Float32Array.from(probabilities, Number), shape: [STEPS] };
    return [all, ...Object.values(stream.state)] as Tensor[];
  } finally {
    whole.dispose();
  }
}

/**
 * Pulses at 120 Hz through three resonators: a vowel, loud and soft by turns, in some noise. Nothing but sums and
 * products of doubles, which have the same bits on every engine.
 */
function voice(length: number): Float32Array {
  // 2 r cos(angle) and -r^2 of 700, 1200 and 2600 Hz.
  const resonators = [
    [1.8905, -0.9604],
    [1.7284, -0.9506],
    [1.0111, -0.9216],
  ] as const;
  const last = resonators.map(() => [0, 0] as [number, number]);
  let seed = 1;
  return Float32Array.from({ length }, (_, at) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    const noise = seed / 2 ** 31;
    let sample = at % 133 === 0 ? 1 : 0;
    for (const [index, [first, second]] of resonators.entries()) {
      const memory = last[index]!;
      sample = sample / 4 + first * memory[0] + second * memory[1];
      last[index] = [sample, memory[0]];
    }
    const loud = Math.abs(((at / 4000) % 2) - 1);
    return 2 * loud * sample + 0.003 * noise;
  });
}
