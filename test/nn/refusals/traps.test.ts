/** Mistakes that are easy to make with weights and inputs: the message says what was meant. */
import { describe, expect, it } from "vitest";
import { GRU, GRUCell, Linear, LSTM, LSTMCell, RNN, RNNCell, Tensor } from "../../../src/index.js";

const lstm = new LSTM({ inputSize: 2, hiddenSize: 3 });
const dict = new Map([...lstm.stateDict()].map(([name, tensor]) => [`net.lstm.${name}`, tensor] as const));

describe("a prefix without its end", () => {
  it.each(["net.lstm", "net", "net.", ""])('"%s"', (prefix) => {
    const asked = 'did you mean prefix "net.lstm."?';
    expect(() => LSTM.fromStateDict(dict, { prefix })).toThrow(asked);
    expect(() => lstm.loadStateDict(dict, { prefix })).toThrow(new RegExp(`${asked.replace("?", "\\?")}$`));
  });

  it("is not asked about where nothing fits", () => {
    expect(() => LSTM.fromStateDict(dict, { prefix: "rnn." })).toThrow(/no key begins with "rnn\."$/);
    expect(() => lstm.loadStateDict(dict, { prefix: "rnn." })).toThrow(/missing rnn\.bias_hh_l0$/);
    expect(() => Linear.fromStateDict({ "fc.weight": Tensor.zeros([1, 1]) })).toThrow('mean prefix "fc."?');
  });
});

describe("weights of another kind", () => {
  const sizes = { inputSize: 2, hiddenSize: 3 };
  const modules = { LSTM, GRU, RNN };
  const cells = { LSTM: LSTMCell, GRU: GRUCell, RNN: RNNCell };
  const gates = { LSTM: 4, GRU: 3, RNN: 1 };
  const kinds = ["LSTM", "GRU", "RNN"] as const;
  const pairs = kinds.flatMap((of) => kinds.filter((kind) => kind !== of).map((kind) => [kind, of] as const));
  it.each(pairs)("%s of an %s", (kind, of) => {
    const rows = `expected ${gates[kind]} times 3 hidden units, got ${gates[of] * 3}: these are weights of ${of}`;
    expect(() => modules[kind].fromStateDict(new Map(new modules[of](sizes).stateDict()))).toThrow(
      `weight_ih_l0.shape[0]: ${rows}`,
    );
    expect(() => cells[kind].fromStateDict(new Map(new cells[of](sizes).stateDict()))).toThrow(
      `weight_ih.shape[0]: ${rows}`,
    );
  });

  it("is not seen in an LSTM with a projection", () => {
    const projected = new LSTM({ inputSize: 2, hiddenSize: 6, projSize: 2 });
    expect(LSTM.fromStateDict(projected.stateDict()).projSize).toBe(2);
  });
});

it("names the readers where a dict is bytes", () => {
  for (const bytes of [new Uint8Array(9), new ArrayBuffer(9)] as never[]) {
    const message =
      "dict: expected a Map or a record of tensors, as readers of lstm-wasm/formats make of bytes";
    expect(() => LSTM.fromStateDict(bytes)).toThrow(message);
    expect(() => lstm.loadStateDict(bytes, { strict: false })).toThrow(message);
  }
});

it("names Tensor.from where an input has no shape", () => {
  for (const input of [[[1, 2]], new Float32Array(2), [1, 2]] as never[]) {
    const message = "input: expected a Tensor, such as Tensor.from(nested), or { data, shape }, got ";
    expect(() => lstm.forward(input)).toThrow(message);
    expect(() => lstm.forward(Tensor.zeros([1, 2]), [input, input])).toThrow(message.replace("input", "h0"));
  }
});
