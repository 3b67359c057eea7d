/** The examples as a user runs them, from their folders and on the built package, against what PyTorch left there. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const COMMAND = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "lstm-wasm-examples-"));
afterAll(() => rmSync(folder, { recursive: true }));

function run(script: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  return stdout;
}

/** An example's own module; its JavaScript has no types. */
function load<Names extends string>(path: string): Promise<Record<Names, never>> {
  return import(join(EXAMPLES, path));
}

const read = (path: string) => readFileSync(join(EXAMPLES, path));

interface Wav {
  sampleRate: number;
  channels: Float32Array[];
}

interface Amp {
  process(block: Float32Array): Float32Array;
  reset(): void;
  dispose(): void;
}

describe("amp", async () => {
  const { readAmp, Amp } = (await load("amp/amp.js")) as unknown as {
    readAmp(text: string): unknown;
    Amp: new (model: unknown) => Amp;
  };
  const { readWav } = (await load("wav.js")) as unknown as { readWav(bytes: Uint8Array): Wav };
  const { channels, sampleRate } = readWav(read("amp/riff.wav"));
  const sound = channels[0]!;
  const { step, ...expected } = JSON.parse(read("amp/expected.json").toString());

  describe.each(["amp.nam", "amp.json"])("%s", (name) => {
    const open = () => new Amp(readAmp(read(`amp/${name}`).toString()));

    it("gives PyTorch's output", () => {
      const amp = open();
      const output = amp.process(sound);
      amp.dispose();
      const numbers: number[] = expected[name];
      expect(numbers.length).toBe(Math.ceil(sound.length / step));
      const apart = numbers.map((value, at) => Math.abs(value - output[at * step]!));
      expect(Math.max(...apart)).toBeLessThan(1e-5);
      expect(Math.max(...numbers)).toBeGreaterThan(0.1);
    });

    it.each([1, 128, 1000])("gives the same bits in blocks of %i", (size) => {
      const amp = open();
      const part = sound.subarray(0, 6000);
      const whole = amp.process(part);
      amp.reset();
      const blocks = new Float32Array(part.length);
      for (let at = 0; at < part.length; at += size) {
        blocks.set(amp.process(part.subarray(at, at + size)), at);
      }
      amp.dispose();
      expect(Buffer.from(blocks.buffer).equals(Buffer.from(whole.buffer))).toBe(true);
    });

    it("plays a WAV file and prints how fast", () => {
      const path = join(folder, `${name}.wav`);
      const out = run(
        join(EXAMPLES, "amp/main.js"),
        join(EXAMPLES, "amp", name),
        join(EXAMPLES, "amp/riff.wav"),
        path,
      );
      expect(out).toMatch(
        /^LSTM, 1 layer of 16, at 48000 Hz\n1\.40 s of sound in [\d.]+ s: \d+ times real time\n$/,
      );
      const amp = open();
      const played = readWav(readFileSync(path));
      expect(played.sampleRate).toBe(sampleRate);
      // The process takes the build that its engine offers. That one may round otherwise than this project's.
      const output = amp.process(sound);
      expect(played.channels.map(({ length }) => length)).toEqual([output.length]);
      const apart = output.reduce(
        (most, value, at) => Math.max(most, Math.abs(value - played.channels[0]![at]!)),
        0,
      );
      expect(apart).toBeLessThan(1e-5);
      amp.dispose();
    });
  });

  it("is known to the command", () => {
    const nam = run(COMMAND, "inspect", join(EXAMPLES, "amp/amp.nam"));
    expect(nam).toContain("LSTM 1 -> 16, Linear -> 1, 48000 Hz");
    expect(nam).toContain("readNam(bytes)");
    const guitarML = run(COMMAND, "inspect", join(EXAMPLES, "amp/amp.json"));
    expect(guitarML).toContain("LSTM 1 -> 16, Linear -> 1, plus the input");
    expect(guitarML).toContain("readGuitarML(bytes)");
  });
});

describe("audio-worklet", async () => {
  const { LoadMeter } = (await load("audio-worklet/load-meter.js")) as unknown as {
    LoadMeter: new (blockMilliseconds: number) => { begin(): void; end(): number | undefined };
  };
  afterEach(() => vi.unstubAllGlobals());

  it.each([0.02, 0.3, 1, 2.2])("measures blocks of %f ms with a clock of whole milliseconds", (busy) => {
    const start = 1e6;
    let time = start;
    const now = () => {
      time += 4e-5; // what reading the clock takes
      return Math.floor(time);
    };
    vi.stubGlobal("Date", { now });
    const period = 8 / 3;
    const meter = new LoadMeter(period);
    const loads: number[] = [];
    for (let block = 0; loads.length < 3; block++) {
      // The clock counts whole milliseconds. Blocks that begin just after a tick never see the next one within 0.3 ms.
      time = Math.max(time, start + 100.1 + block * period);
      meter.begin();
      time += busy;
      const load = meter.end();
      if (load !== undefined) loads.push(load);
    }
    for (const load of loads) expect(Math.abs(load * period - busy)).toBeLessThan(0.07);
  });
});

describe("node.mjs", () => {
  it("prints the shapes that it promises", () => {
    expect(run(join(EXAMPLES, "node.mjs"))).toContain("[ 5, 4, 3 ] [ 2, 4, 3 ] [ 2, 4, 3 ]");
  });
});

describe("wav", async () => {
  const { readWav, writeWav } = (await load("wav.js")) as unknown as {
    readWav(bytes: Uint8Array): Wav;
    writeWav(samples: Float32Array, sampleRate: number): Uint8Array;
  };

  /** A file of two channels; `code` 0xfffe has the real code in its extension. */
  function wav(code: number, bits: number, data: number[], extended = 0): Uint8Array {
    const bytes = Buffer.alloc(44 + (extended ? 24 : 0) + 10 + data.length);
    const size = extended ? 40 : 16;
    let at = bytes.write("RIFF____WAVE", "latin1");
    // A chunk that nobody asked for, of odd length and so with a byte of padding.
    at += bytes.write("note", at, "latin1");
    bytes.writeUInt32LE(1, at);
    at += 6;
    at += bytes.write("fmt ", at, "latin1");
    bytes.writeUInt32LE(size, at);
    bytes.writeUInt16LE(code, at + 4);
    bytes.writeUInt16LE(2, at + 6);
    bytes.writeUInt32LE(8000, at + 8);
    bytes.writeUInt16LE(bits, at + 18);
    if (extended) bytes.writeUInt16LE(extended, at + 28);
    at += 4 + size;
    at += bytes.write("data", at, "latin1");
    bytes.writeUInt32LE(data.length, at);
    bytes.set(data, at + 4);
    return bytes;
  }

  it("reads PCM of 16 and 24 bits and float32, of several channels", () => {
    const pcm16 = [0x00, 0x40, 0x00, 0x80, 0xff, 0x7f, 0x00, 0x00];
    const expected = [Float32Array.of(0.5, 32767 / 32768), Float32Array.of(-1, 0)];
    expect(readWav(wav(1, 16, pcm16))).toEqual({ sampleRate: 8000, channels: expected });
    expect(readWav(wav(0xfffe, 16, pcm16, 1)).channels).toEqual(expected);
    const pcm24 = [0x00, 0x00, 0x40, 0x01, 0x00, 0x80];
    expect(readWav(wav(1, 24, pcm24)).channels).toEqual([
      Float32Array.of(0.5),
      Float32Array.of(-1 + 2 ** -23),
    ]);
    const float = [...new Uint8Array(Float32Array.of(0.1, -3).buffer)];
    expect(readWav(wav(3, 32, float)).channels).toEqual([Float32Array.of(0.1), Float32Array.of(-3)]);
  });

  it("reads what it writes", () => {
    const samples = Float32Array.of(0, 0.25, -1, 1e-9);
    expect(readWav(writeWav(samples, 44100))).toEqual({ sampleRate: 44100, channels: [samples] });
  });

  it.each([
    ["no file", new Uint8Array(0), "wav: not a RIFF WAVE file"],
    ["8 bits", wav(1, 8, []), "wav: expected PCM of 16 or 24 bits or float of 32, got format 1 of 8 bits"],
    ["mu-law", wav(7, 16, []), "got format 7 of 16 bits"],
    ["no data", wav(1, 16, []).subarray(0, 46), "wav: no chunk data"],
    ["a cut fmt", wav(1, 16, []).subarray(0, 40), "wav: chunk fmt  is cut off"],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => readWav(bytes)).toThrow(message);
  });
});

describe("char-rnn", async () => {
  const { CharRnn } = (await load("char-rnn/char-rnn.js")) as unknown as {
    CharRnn: new (
      bytes: Uint8Array,
    ) => {
      write(
        prompt: string,
        length: number,
        options?: { temperature?: number; random?: () => number },
      ): Generator<string>;
      dispose(): void;
    };
  };
  const expected: { greedy: Record<string, string>; temperature: number; drawn: string } = JSON.parse(
    read("char-rnn/expected.json").toString(),
  );
  const [prompt, text] = Object.entries(expected.greedy)[0]!;

  it("writes PyTorch's text when it always takes the most probable character", () => {
    const model = new CharRnn(read("char-rnn/licence.pt"));
    for (const [start, rest] of Object.entries(expected.greedy)) {
      expect([...model.write(start, rest.length)].join("")).toBe(rest);
    }
    expect(text.length).toBeGreaterThan(100);
    model.dispose();
  });

  it("draws PyTorch's text with the same random numbers", () => {
    const model = new CharRnn(read("char-rnn/licence.pt"));
    const { temperature, drawn } = expected;
    let count = 0;
    const random = () => (++count * 0.6180339887498949) % 1;
    expect([...model.write(prompt, drawn.length, { temperature, random })].join("")).toBe(drawn);
    expect(drawn.length).toBeGreaterThan(300);
    // At so low a temperature the likeliest character always wins.
    expect([...model.write(prompt, text.length, { temperature: 1e-3, random })].join("")).toBe(text);
    expect(() => [...model.write("→", 1)]).toThrow('prompt: "→" is not in the vocabulary');
    model.dispose();
  });

  it("writes from the command line", () => {
    const main = join(EXAMPLES, "char-rnn/main.js");
    const out = run(main, "--prompt", prompt, "--temperature", "0", "--length", "100");
    expect(out).toBe(`${prompt}${text.slice(0, 100)}\n`);
    expect(run(main, "--prompt", prompt, "--length", "50")).toHaveLength(prompt.length + 51);
  });

  it("is known to the command", () => {
    const out = run(COMMAND, "inspect", join(EXAMPLES, "char-rnn/licence.pt"));
    expect(out).toContain("LSTM 16 -> 80, 2 layers");
    expect(out).toContain('LSTM.fromStateDict(weights, { prefix: "lstm." })');
  });
});
