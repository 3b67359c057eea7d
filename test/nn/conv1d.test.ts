import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Conv1d, type Conv1dOptions, LSTM, Tensor } from "../../src/index.js";
import { currentRuntime } from "../../src/wasm/current.js";
import { expectClose, goldenCases } from "../support/golden.js";

/** The definition in float64: no panels, chunks or frames. */
function naive(
  {
    inChannels,
    outChannels,
    kernelSize,
    stride = 1,
    padding = 0,
    dilation = 1,
    groups = 1,
    paddingMode,
  }: Conv1dOptions,
  dict: Map<string, Tensor>,
  { data, shape }: Tensor,
): number[] {
  const length = shape[1]!;
  const channels = inChannels / groups;
  const weight = dict.get("weight")!.data;
  const at = (channel: number, time: number) => {
    if (time >= 0 && time < length) return data[channel * length + time]!;
    return paddingMode === "reflect"
      ? data[channel * length + (time < 0 ? -time : 2 * length - 2 - time)]!
      : 0;
  };
  const reach = dilation * (kernelSize - 1) + 1;
  const positions = Math.floor((length + 2 * Number(padding) - reach) / stride) + 1;
  return Array.from({ length: outChannels * positions }, (_, place) => {
    const unit = Math.floor(place / positions);
    const first = Math.floor(unit / (outChannels / groups)) * channels;
    const start = (place % positions) * stride - Number(padding);
    let sum = dict.get("bias")!.data[unit]!;
    for (let channel = 0; channel < channels; channel++) {
      for (let tap = 0; tap < kernelSize; tap++) {
        sum +=
          weight[(unit * channels + channel) * kernelSize + tap]! *
          at(first + channel, start + tap * dilation);
      }
    }
    return sum;
  });
}

describe("Conv1d", () => {
  it("agrees with the definition whatever the options", () => {
    const options = fc.record({
      groups: fc.integer({ min: 1, max: 3 }),
      channels: fc.integer({ min: 1, max: 6 }),
      units: fc.integer({ min: 1, max: 20 }),
      kernelSize: fc.integer({ min: 1, max: 6 }),
      stride: fc.integer({ min: 1, max: 4 }),
      padding: fc.integer({ min: 0, max: 9 }),
      dilation: fc.integer({ min: 1, max: 4 }),
      paddingMode: fc.constantFrom("zeros" as const, "reflect" as const),
      // Beyond 256 positions, calls are cut.
      extra: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 250, max: 1100 })),
    });
    fc.assert(
      fc.property(options, ({ groups, channels, units, extra, ...rest }) => {
        const all = { ...rest, groups, inChannels: channels * groups, outChannels: units * groups };
        const reach = all.dilation * (all.kernelSize - 1) + 1;
        const needed = Math.max(
          1,
          reach - 2 * all.padding,
          all.paddingMode === "reflect" ? all.padding + 1 : 1,
        );
        const input = Tensor.randn([all.inChannels, needed + extra], 1);
        using conv = new Conv1d(all);
        const output = conv.forward(input);
        const expected = naive(all, conv.stateDict(), input);
        expect(output.data.length).toBe(expected.length);
        const apart = expected.reduce(
          (most, value, at) => Math.max(most, Math.abs(value - output.data[at]!)),
          0,
        );
        expect(apart).toBeLessThan(1e-5);
      }),
      { numRuns: 150 },
    );
  });

  it.each(goldenCases("Conv1d").map((golden) => [golden.name, golden] as const))("%s", (name, golden) => {
    using conv = new Conv1d(golden.options);
    conv.loadStateDict(golden.stateDict);
    expectClose(name, conv.forward(golden.input), golden.expected.output);
  });

  it("gives an output the same bits whatever stands beside it", () => {
    using conv = new Conv1d({ inChannels: 5, outChannels: 19, kernelSize: 3, dilation: 2 });
    const whole = Tensor.randn([5, 900], 1);
    const output = conv.forward(whole);
    const at = 301;
    const part = Tensor.zeros([5, 5]);
    for (let channel = 0; channel < 5; channel++) {
      part.data.set(whole.data.subarray(channel * 900 + at, channel * 900 + at + 5), channel * 5);
    }
    const expected = Array.from({ length: 19 }, (_, unit) => output.data[unit * output.shape[1]! + at]);
    expect(Array.from(conv.forward(part).data)).toEqual(expected);
  });

  it("returns the parameters that were loaded", () => {
    for (const golden of goldenCases("Conv1d")) {
      using conv = new Conv1d(golden.options).loadStateDict(golden.stateDict);
      expect(conv.stateDict()).toEqual(golden.stateDict);
    }
  });

  it("reads sizes off a state dict, below a prefix, beside other layers", () => {
    const golden = goldenCases("Conv1d").find(({ options }) => options.groups === 2)!;
    const { outChannels, inChannels, kernelSize, bias, groups, ...options } = golden.options;
    const dict = new Map([...golden.stateDict].map(([name, tensor]) => [`net.0.${name}`, tensor]));
    using lstm = new LSTM({ inputSize: 2, hiddenSize: 3 });
    for (const [name, tensor] of lstm.stateDict()) dict.set(`lstm.${name}`, tensor);
    using conv = Conv1d.fromStateDict(dict, { prefix: "net.0.", groups: 2, ...options });
    expect(conv).toMatchObject({ outChannels, inChannels, kernelSize, groups: 2, bias: true });
    expectClose("output", conv.forward(golden.input), golden.expected.output);
  });

  it("begins with PyTorch's bound and differs each time", () => {
    const options = { inChannels: 8, outChannels: 64, kernelSize: 3, groups: 2 };
    using conv = new Conv1d(options);
    using other = new Conv1d(options);
    const { data } = conv.stateDict().get("weight")!;
    const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largest).toBeLessThanOrEqual(1 / Math.sqrt(12));
    expect(largest).toBeGreaterThan(0.95 / Math.sqrt(12));
    expect(other.stateDict().get("weight")!.data).not.toEqual(data);
  });

  it("frees its memory, and refuses use after dispose", () => {
    const runtime = currentRuntime();
    const before = runtime.liveBytes;
    const conv = new Conv1d({ inChannels: 6, outChannels: 40, kernelSize: 3, groups: 2, dilation: 2 });
    conv.forward(Tensor.zeros([6, 400]));
    expect(runtime.liveBytes).toBeGreaterThan(before);
    conv.dispose();
    expect(runtime.liveBytes).toBe(before);
    expect(() => conv.forward(Tensor.zeros([6, 400]))).toThrow("Conv1d: used after dispose()");
  });

  const sizes = { inChannels: 4, outChannels: 6, kernelSize: 3 };
  it.each<[unknown, RangeErrorConstructor | TypeErrorConstructor, string]>([
    [{ ...sizes, inChannels: 0 }, RangeError, "inChannels: expected an integer of at least 1, got 0"],
    [{ ...sizes, outChannels: "6" }, TypeError, 'outChannels: expected a number, got "6"'],
    [{ ...sizes, kernelSize: 0 }, RangeError, "kernelSize: expected an integer of at least 1, got 0"],
    [{ ...sizes, kernelSize: [3] }, TypeError, "kernelSize: expected a number, got an array of length 1"],
    [{ ...sizes, stride: 0 }, RangeError, "stride: expected an integer of at least 1, got 0"],
    [{ ...sizes, dilation: 1.5 }, RangeError, "dilation: expected an integer of at least 1, got 1.5"],
    [{ ...sizes, padding: -1 }, RangeError, "padding: expected an integer of at least 0, got -1"],
    [
      { ...sizes, padding: "full" },
      RangeError,
      'padding: expected an integer of at least 0, "valid" or "same", got "full"',
    ],
    [{ ...sizes, padding: "same", stride: 2 }, RangeError, 'stride: expected 1 for padding "same", got 2'],
    [{ ...sizes, groups: 3 }, RangeError, "inChannels: expected a multiple of groups 3, got 4"],
    [{ ...sizes, groups: 4 }, RangeError, "outChannels: expected a multiple of groups 4, got 6"],
    [{ ...sizes, bias: 1 }, TypeError, "bias: expected true or false, got 1"],
    [
      { ...sizes, paddingMode: "circular" },
      RangeError,
      'paddingMode: expected "zeros" or "reflect", got "circular"',
    ],
    [{ ...sizes, paddingMode: 1 }, TypeError, 'paddingMode: expected "zeros" or "reflect", got 1'],
    [
      { ...sizes, transposed: true },
      TypeError,
      "options.transposed: unknown option; known are inChannels, outChannels, kernelSize, stride",
    ],
  ])("refuses options %j", (options, type, message) => {
    const make = () => new Conv1d(options as Conv1dOptions);
    expect(make).toThrow(type);
    expect(make).toThrow(message);
  });

  it.each<[Partial<Conv1dOptions>, number[], string]>([
    [{}, [4], "input.shape: expected (N, C, L) or (C, L), got [4]"],
    [{}, [1, 1, 4, 9], "input.shape: expected (N, C, L) or (C, L), got [1, 1, 4, 9]"],
    [{}, [2, 5, 9], "input.shape[1]: expected inChannels 4, got 5"],
    [{}, [5, 9], "input.shape[0]: expected inChannels 4, got 5"],
    [{}, [4, 2], "input.shape[1]: expected at least 3, the kernel's reach of 3 less the padding, got 2"],
    [
      { dilation: 3, padding: 1 },
      [1, 4, 4],
      "input.shape[2]: expected at least 5, the kernel's reach of 7 less the padding, got 4",
    ],
    [
      { padding: 3, paddingMode: "reflect" },
      [1, 4, 3],
      "input.shape[2]: expected more than the padding 3 that it is reflected into, got 3",
    ],
  ])("refuses with %j an input of shape %j", (options, shape, message) => {
    using conv = new Conv1d({ ...sizes, ...options });
    expect(() => conv.forward(Tensor.zeros(shape))).toThrow(RangeError);
    expect(() => conv.forward(Tensor.zeros(shape))).toThrow(message);
  });

  it("refuses what is no tensor, and weights of another shape", () => {
    using conv = new Conv1d(sizes);
    expect(() => conv.forward("wave" as never)).toThrow(TypeError);
    const weight = Tensor.zeros([6, 4, 5]);
    expect(() => conv.loadStateDict({ weight })).toThrow(
      "Conv1d.loadStateDict: weight: expected shape [6, 4, 3], got [6, 4, 5]; missing bias",
    );
    expect(() => Conv1d.fromStateDict({ weight: Tensor.zeros([6, 4]) })).toThrow(
      "weight.shape: expected 3 dimensions, got [6, 4]",
    );
    expect(() => Conv1d.fromStateDict({ weight }, { bias: false } as never)).toThrow(
      "options.bias: unknown option",
    );
  });
});
