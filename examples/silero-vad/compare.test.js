/**
 * The same model files in lstm-wasm and in onnxruntime: every frame's probability, the time per frame, the download.
 * Hears Debian's spoken samples (package alsa-utils) and, where it is installed, a sentence by espeak-ng.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import * as native from "onnxruntime-node";
import * as web from "onnxruntime-web";
import { concat, hear, model, SAMPLE_RATE, SOUNDS, speech, wholeFrames } from "./hear.js";
import { speechSegments } from "./segments.js";
import { SileroVad } from "./vad.js";

/** Of v5 and v6. */
const FRAME = 512;
const CONTEXT = 64;

/** The model as onnxruntime runs it; keeps context and state, as SileroVad does. */
class Peer {
  #ort;
  #session;
  #state;
  #window = new Float32Array(CONTEXT + FRAME);

  static async load(ort, file = model) {
    const peer = new Peer();
    peer.#ort = ort;
    peer.#session = await ort.InferenceSession.create(readFileSync(file), { intraOpNumThreads: 1 });
    peer.#state = new ort.Tensor("float32", new Float32Array(256), [2, 1, 128]);
    return peer;
  }

  async frame(samples) {
    this.#window.set(samples, CONTEXT);
    const { output, stateN } = await this.#session.run({
      input: new this.#ort.Tensor("float32", this.#window.slice(), [1, CONTEXT + FRAME]),
      state: this.#state,
      sr: new this.#ort.Tensor("int64", BigInt64Array.of(BigInt(SAMPLE_RATE))),
    });
    this.#state = stateN;
    this.#window.copyWithin(0, FRAME);
    return output.data[0];
  }
}

/** Frames of all sounds together, the last one filled up with silence. */
function frames(samples, size = FRAME) {
  return Array.from({ length: Math.ceil(samples.length / size) }, (_, at) => {
    const frame = new Float32Array(size);
    frame.set(samples.subarray(at * size, (at + 1) * size));
    return frame;
  });
}

/** Tells, and checks, how far probabilities are from onnxruntime's. Silence alone would prove nothing. */
function compare(test, ours, theirs, bound = 1e-5) {
  assert.equal(ours.length, theirs.length);
  assert.ok(ours.length >= 200);
  const apart = ours.map((probability, at) => Math.abs(probability - theirs[at]));
  const most = Math.max(...apart);
  const speech = theirs.filter((probability) => probability >= 0.5).length;
  const further = apart.filter((distance) => distance > 1e-5).length;
  test.diagnostic(
    `${ours.length} frames, ${speech} of them speech: at most ${most.toExponential(1)} apart, ${further} above 1e-5`,
  );
  assert.ok(most <= bound, `${most} apart in frame ${apart.indexOf(most)}`);
  assert.ok(speech > 50 && speech < ours.length - 50);
}

/** The probabilities of a model that hears the samples. */
function probabilitiesOf(file, samples) {
  const vad = new SileroVad(readFileSync(file));
  const probabilities = [...vad.process(wholeFrames(samples, vad.frame))];
  vad.model.dispose();
  return probabilities;
}

/** Another model of the package. */
const sibling = (name) => join(model, "..", name);

describe("Silero VAD v5", () => {
  let samples;
  let ours;

  before(() => {
    samples = speech();
    ours = probabilitiesOf(model, samples);
  });

  it("gives every frame the probability that onnxruntime gives it", async (test) => {
    const peer = await Peer.load(native);
    const theirs = [];
    for (const frame of frames(samples)) theirs.push(await peer.frame(frame));
    compare(test, ours, theirs);
  });

  it("does not depend on how the samples are cut", () => {
    const vad = new SileroVad(readFileSync(model));
    const pieces = [];
    const whole = wholeFrames(samples, vad.frame);
    for (let at = 0, size = 1; at < whole.length; at += size, size = (size * 7 + 3) % 1531) {
      pieces.push(...vad.process(whole.subarray(at, at + size)));
    }
    assert.deepEqual(pieces, ours);
    assert.deepEqual([...vad.process(whole.subarray(0, 1000))].length, 1);
    vad.reset();
    assert.deepEqual([...vad.process(whole)], ours);
    vad.model.dispose();
  });

  it("finds speech where the samples speak, and none in noise", () => {
    const frame = FRAME / SAMPLE_RATE;
    const of = (name) => speechSegments(probabilitiesOf(model, hear([join(SOUNDS, name)])), { frame });
    assert.ok(of("Front_Center.wav").length >= 1);
    assert.deepEqual(of("Noise.wav"), []);
  });

  it("shows the time per frame and the download beside onnxruntime's", async (test) => {
    const some = frames(samples).slice(0, 200);
    const vad = new SileroVad(readFileSync(model));
    web.env.wasm.numThreads = 1; // as ours
    const peers = {
      "lstm-wasm": { frame: (samples) => [...vad.process(samples)] },
      "onnxruntime-web": await Peer.load(web),
      "onnxruntime-node": await Peer.load(native),
    };
    const fastest = Object.fromEntries(Object.keys(peers).map((name) => [name, Number.POSITIVE_INFINITY]));
    // In turns, so that whatever else the machine does meets all of them.
    for (let round = 0; round < 8; round++) {
      for (const [name, peer] of Object.entries(peers)) {
        const begin = performance.now();
        for (const frame of some) await peer.frame(frame);
        fastest[name] = Math.min(fastest[name], (performance.now() - begin) / some.length);
      }
    }
    vad.model.dispose();
    for (const [name, milliseconds] of Object.entries(fastest)) {
      const times = (milliseconds / fastest["lstm-wasm"]).toFixed(1);
      test.diagnostic(`${name}: ${(milliseconds * 1000).toFixed(0)} us per 32 ms frame, ${times}x`);
    }

    const ort = join(createRequire(import.meta.url).resolve("onnxruntime-web"), "..");
    const entryPoints = [fileURLToPath(new URL("vad.js", import.meta.url))];
    const { outputFiles } = await build({
      entryPoints,
      bundle: true,
      minify: true,
      format: "esm",
      write: false,
    });
    const ours = download([outputFiles[0].contents]);
    const theirs = download(
      ["ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"].map((name) => readFileSync(join(ort, name))),
    );
    test.diagnostic(`download without the model: ${ours.text}, onnxruntime-web ${theirs.text}`);
    test.diagnostic(`${(theirs.packed / ours.packed).toFixed(0)} times smaller packed`);
    assert.ok(theirs.packed >= 35 * ours.packed, `${theirs.packed} bytes are not 35 times ${ours.packed}`);
  });
});

it("Silero VAD v6 gives every frame the probability that onnxruntime gives it", async (test) => {
  const file = sibling("silero_vad_v6.onnx");
  const samples = speech();
  const ours = probabilitiesOf(file, samples);
  const peer = await Peer.load(native, file);
  const theirs = [];
  for (const frame of frames(samples)) theirs.push(await peer.frame(frame));
  compare(test, ours, theirs);
});

it("Silero VAD v4 gives every frame the probability that onnxruntime gives it", async (test) => {
  const file = sibling("silero_vad_legacy.onnx");
  const session = await native.InferenceSession.create(readFileSync(file), { intraOpNumThreads: 1 });
  const sr = new native.Tensor("int64", BigInt64Array.of(BigInt(SAMPLE_RATE)));
  const zeros = () => new native.Tensor("float32", new Float32Array(128), [2, 1, 64]);
  let [h, c] = [zeros(), zeros()];
  // Frames of this model are longer: the sounds twice make 200 of them.
  const once = wholeFrames(speech(), 1536);
  const samples = concat([once, once]);
  const ours = probabilitiesOf(file, samples);
  const theirs = [];
  for (const frame of frames(samples, 1536)) {
    const input = new native.Tensor("float32", frame, [1, frame.length]);
    const results = await session.run({ input, sr, h, c });
    [h, c] = [results.hn, results.cn];
    theirs.push(results.output.data[0]);
  }
  // This model multiplies rounding errors where sound begins after silence. Node.js 20 has the baseline build, which
  // rounds after each product: 2.0e-4 apart were measured, and 8.9e-7 with the relaxed build. Samples scaled by
  // 1 + 2^-22 move its own probability of that frame by as much.
  const isBaseline = Number.parseInt(process.versions.node, 10) <= 20;
  compare(test, ours, theirs, isBaseline ? 5e-4 : 1e-5);
});

/** Size of the files as they are, and as a server sends them. */
function download(files) {
  const sum = (sizes) => sizes.reduce((total, size) => total + size, 0);
  const bytes = sum(files.map((file) => file.length));
  const packed = sum(files.map((file) => gzipSync(file).length));
  return { bytes, packed, text: `${(bytes / 1000).toFixed(0)} kB (gzip ${(packed / 1000).toFixed(0)} kB)` };
}
