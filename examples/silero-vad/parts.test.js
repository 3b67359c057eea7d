/** The parts around the model: resampling, segments, the picture. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resample } from "../resample.js";
import { plot } from "./plot.js";
import { speechSegments } from "./segments.js";

const sine = (frequency, rate, seconds) =>
  Float32Array.from({ length: rate * seconds }, (_, at) => Math.sin((2 * Math.PI * frequency * at) / rate));

describe("resample", () => {
  for (const from of [48000, 44100, 22050, 8000]) {
    it(`keeps a tone of 1 kHz at ${from} Hz`, () => {
      const result = resample(sine(1000, from, 1), from, 16000);
      const expected = sine(1000, 16000, 1);
      assert.equal(result.length, expected.length);
      // The filter reaches past both ends of the sound for some milliseconds.
      for (let at = 200; at < 15800; at++)
        assert.ok(Math.abs(result[at] - expected[at]) < 1e-3, `sample ${at}`);
    });
  }

  it("leaves nothing of a tone that the new rate cannot carry", () => {
    const result = resample(sine(9500, 48000, 1), 48000, 16000).subarray(200, 15800);
    assert.ok(result.every((sample) => Math.abs(sample) < 1e-3));
  });
});

describe("speechSegments", () => {
  const frame = 0.1;
  const of = (...probabilities) =>
    speechSegments(probabilities, { frame, least: 0.15, gap: 0.15 }).map(({ from, to }) => [
      Math.round(from * 10),
      Math.round(to * 10),
    ]);

  it("begins at the threshold and goes on to 0.15 below", () => {
    assert.deepEqual(of(0.4, 0.5, 0.4, 0.36, 0.34, 0.4), [[1, 4]]);
  });

  it("bridges short pauses and drops short sounds", () => {
    assert.deepEqual(of(0.9, 0.9, 0.1, 0.9, 0.1, 0.1, 0.9, 0.1), [[0, 4]]);
    assert.deepEqual(of(), []);
  });
});

describe("plot", () => {
  it("draws every probability and every part, and escapes names", () => {
    const samples = sine(440, 16000, 1);
    const segments = [{ from: 0.1, to: 0.4 }];
    const svg = plot({
      title: "a<b",
      samples,
      sampleRate: 16000,
      probabilities: [0, 0.5, 1],
      frame: 0.032,
      threshold: 0.5,
      segments,
      parts: [
        { name: "first", from: 0 },
        { name: "x & y", from: 0.5 },
      ],
    });
    assert.match(svg, /^<svg [^>]*>\n/);
    assert.match(svg, /<title>a&#60;b<\/title>/);
    // 876 pixels are one second; probability 1 stands at the top, 164.
    assert.match(svg, /d="M72 254L100 254L128.1 209L156.1 164"/);
    assert.match(svg, /<rect x="159.6" y="40" width="262.8"/);
    assert.match(svg, /d="M510 12V254"[^>]*\/><text x="518" y="24">x &#38; y</);
  });
});
