/** examples/denoise without its models: the parts around them, and the command with graphs that stand in for them. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { GTCRN } from "../support/gtcrn-stand-in.js";
import { floats, modelOf, node } from "../support/onnx-writer.js";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "lstm-wasm-denoise-"));
afterAll(() => rmSync(folder, { recursive: true }));

const load = (path: string) => import(join(EXAMPLES, path));

interface Process {
  process(samples: Float32Array): Float32Array;
}

const { OverlapAdd, Spectrum, rootHann, FRAME, BINS } = (await load("denoise/overlap.js")) as unknown as {
  OverlapAdd: new (options: {
    hop: number;
    window?: Float32Array | undefined;
    change(frame: Float32Array): void;
  }) => Process;
  Spectrum: new () => {
    re: Float64Array;
    im: Float64Array;
    read(frame: Float32Array): void;
    write(frame: Float32Array): void;
  };
  rootHann: Float32Array;
  FRAME: number;
  BINS: number;
};
const { loadDenoiser, SOURCES } = (await load("denoise/denoiser.js")) as unknown as {
  loadDenoiser(files: Uint8Array[]): Process;
  SOURCES: { project: string; address: string; sha256: string }[];
};
const { readWav, writeWav } = (await load("wav.js")) as unknown as {
  readWav(bytes: Uint8Array): { sampleRate: number; channels: Float32Array[] };
  writeWav(samples: Float32Array, sampleRate: number): Uint8Array;
};

const tone = (frequency: number, length: number, loud = 0.5) =>
  Float32Array.from({ length }, (_, at) => loud * Math.sin((2 * Math.PI * frequency * at) / 16000));

/** Something without a period that frames could hide. */
const sound = (length: number) =>
  tone(440, length).map((sample, at) => sample * Math.cos(at * at * 1e-4) + 0.1 * Math.sin(at * 2.3));

function largestDifference(ours: Float32Array, theirs: Float32Array): number {
  expect(ours.length).toBe(theirs.length);
  return ours.reduce((most, value, at) => Math.max(most, Math.abs(value - theirs[at]!)), 0);
}

describe("overlap-add", () => {
  it.each([
    ["weighted frames, half a frame apart", 256, rootHann, 1],
    ["plain frames, a quarter apart", 128, undefined, 4],
  ])("gives the sound back a frame later: %s", (_, hop, window, times) => {
    const samples = sound(5000);
    const spectrum = new Spectrum();
    const change = (frame: Float32Array) => {
      spectrum.read(frame);
      spectrum.write(frame);
    };
    const result = new OverlapAdd({ hop, window, change }).process(samples);
    expect(result.subarray(0, FRAME).every((sample) => Math.abs(sample) < 1e-9)).toBe(true);
    const later = result.subarray(FRAME).map((sample) => sample / times);
    expect(largestDifference(later, samples.subarray(0, -FRAME))).toBeLessThan(1e-6);
  });

  it("does not depend on how the sound is cut", () => {
    const samples = sound(4000);
    const change = (frame: Float32Array) => frame.set(frame.map((sample) => sample * sample));
    const whole = new OverlapAdd({ hop: 256, window: rootHann, change }).process(samples);
    const cut = new OverlapAdd({ hop: 256, window: rootHann, change });
    const parts: number[] = [];
    for (let at = 0, size = 1; at < samples.length; at += size, size = (size * 7 + 3) % 601) {
      parts.push(...cut.process(samples.subarray(at, at + size)));
    }
    expect(Float32Array.from(parts)).toEqual(whole);
  });
});

describe("a spectrum", () => {
  it("is the discrete Fourier transform", () => {
    const frame = sound(FRAME);
    const spectrum = new Spectrum();
    spectrum.read(frame);
    for (let bin = 0; bin < BINS; bin++) {
      let [re, im] = [0, 0];
      for (const [at, sample] of frame.entries()) {
        re += sample * Math.cos((2 * Math.PI * bin * at) / FRAME);
        im -= sample * Math.sin((2 * Math.PI * bin * at) / FRAME);
      }
      expect(Math.hypot(spectrum.re[bin]! - re, spectrum.im[bin]! - im)).toBeLessThan(1e-9);
    }
  });

  it("may be changed: a frame without one frequency, and with nothing imaginary at the ends", () => {
    const spectrum = new Spectrum();
    const frame = tone(1000, FRAME).map((sample, at) => sample + tone(2000, FRAME)[at]!);
    spectrum.read(frame);
    // 2000 Hz are 64 periods of a frame.
    spectrum.re[64] = spectrum.im[64] = 0;
    spectrum.im[0] = spectrum.im[256] = 7;
    spectrum.write(frame);
    expect(largestDifference(frame, tone(1000, FRAME))).toBeLessThan(1e-6);
  });
});

/** What DTLN's inputs and outputs are called. Masks are the magnitudes, and blocks are a 1024th of what they were. */
const DTLN = [
  modelOf({
    inputs: [
      { name: "input_2", shape: [1, 1, 257] },
      { name: "input_3", shape: [1, 2, 128, 2] },
    ],
    outputs: ["activation_2", "tf_op_layer_stack_2"],
    nodes: [
      node("Identity", ["input_2"], ["activation_2"]),
      node("Identity", ["input_3"], ["tf_op_layer_stack_2"]),
    ],
  }),
  modelOf({
    inputs: [
      { name: "input_4", shape: [1, 1, 512] },
      { name: "input_5", shape: [1, 2, 128, 2] },
    ],
    outputs: ["conv1d_3", "tf_op_layer_stack_5"],
    initializers: [floats("less", [1], [1 / 1024])],
    nodes: [
      node("Mul", ["input_4", "less"], ["conv1d_3"]),
      node("Identity", ["input_5"], ["tf_op_layer_stack_5"]),
    ],
  }),
];

describe("a denoiser", () => {
  it("of two files multiplies the spectrum by a mask of its magnitudes, in any order of the files", () => {
    // 31 periods of a frame: this frequency's magnitude is 0.5 * 256, the others' are 0.
    const samples = tone((31 * 16000) / FRAME, 4 * FRAME);
    for (const files of [DTLN, [...DTLN].reverse()]) {
      const result = loadDenoiser(files).process(samples);
      // 128 times as loud, four frames added up, a 1024th of it.
      const steady = result.subarray(2 * FRAME).map((sample) => 2 * sample);
      expect(largestDifference(steady, samples.subarray(2 * FRAME))).toBeLessThan(1e-5);
    }
  });

  it("of one file feeds its caches back", () => {
    const samples = sound(20 * 256);
    const result = loadDenoiser([GTCRN]).process(samples);
    // Frame n ends at 256 (n + 1); its first half is the last that the frame before it has a part in.
    const nine = 9 * 256;
    const later = result.subarray(FRAME, nine + 256);
    expect(largestDifference(later, samples.subarray(0, later.length))).toBeLessThan(1e-6);
    expect(result.subarray(nine + FRAME).every((sample) => Math.abs(sample) < 1e-9)).toBe(true);
  });

  it.each([
    ["no file", [], "got the inputs of no file"],
    ["half of DTLN", DTLN.slice(1), "got the inputs input_4, input_5"],
  ])("is not made of %s", (_, files, message) => {
    expect(() => loadDenoiser(files)).toThrow(message);
  });
});

describe("denoise.js", () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(EXAMPLES, "denoise/denoise.js"), ...args], { encoding: "utf8" });
  const save = (name: string, bytes: Uint8Array) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };

  it("says where the models are when there is none", () => {
    for (const args of [[], ["in.wav", "out.wav"], [join(folder, "gtcrn.onnx"), "in.wav", "out.wav"]]) {
      const { status, stderr } = run(...args);
      expect(status).toBe(2);
      expect(stderr).toContain("usage: node denoise.js");
      expect(stderr.includes("no such file")).toBe(args.length === 3);
      for (const { project, address, sha256 } of SOURCES) {
        expect(stderr).toContain(`${project}: ${address}\n  sha256 ${sha256}`);
        expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      }
    }
  });

  it("reads a WAV file and writes one, as long and in step with it", () => {
    const samples = tone(440, 8 * 256);
    const out = join(folder, "out.wav");
    const { status, stdout } = run(save("gtcrn.onnx", GTCRN), save("in.wav", writeWav(samples, 16000)), out);
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/^0\.13 s of sound in [\d.]+ s: \d+ times real time\n$/),
    ]);
    const { sampleRate, channels } = readWav(readFileSync(out));
    expect(sampleRate).toBe(16000);
    const [result] = channels as [Float32Array];
    expect(result.length).toBe(samples.length);
    const heard = 7 * 256;
    expect(largestDifference(result.subarray(0, heard), samples.subarray(0, heard))).toBeLessThan(1e-6);
  });

  it("takes files of two models, and sound of another rate", () => {
    const files = DTLN.map((bytes, at) => save(`model_${at}.onnx`, bytes));
    const out = join(folder, "16k.wav");
    const { status, stderr } = run(...files, save("48k.wav", writeWav(tone(440, 4800), 48000)), out);
    expect([status, stderr]).toEqual([0, ""]);
    const { sampleRate, channels } = readWav(readFileSync(out));
    expect([sampleRate, channels.map(({ length }) => length)]).toEqual([16000, [1600]]);
  });
});
