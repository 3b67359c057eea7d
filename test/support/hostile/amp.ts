/** Malformed and hostile files of amplifier models: NAM, GuitarML, RTNeural. */
import { type HostileFile, text } from "./readers.js";

const nam = (config: string, weights: string) =>
  text(`{"version":"0.5.0","architecture":"LSTM","config":${config},"weights":${weights}}`);
const list = (count: number, item: string) => `[${`${item},`.repeat(count - 1)}${item}]`;

export const AMP: HostileFile[] = [
  {
    reader: "readNam",
    name: "a million open brackets",
    make: () => text("[".repeat(1e6)),
    message: "nam: nests deeper than 64",
  },
  {
    reader: "readNam",
    name: "NaN among the weights",
    make: () => nam("{}", "[NaN]"),
    message: "nam: not valid JSON",
  },
  {
    reader: "readNam",
    name: "config twice",
    make: () => text('{"config":1,"config":2}'),
    message: 'nam: key "config" occurs twice',
  },
  {
    reader: "readNam",
    name: "sizes of 65,536",
    make: () => nam('{"input_size":65536,"hidden_size":65536,"num_layers":1024}', "[1]"),
    message: "nam: weights: expected",
  },
  {
    reader: "readNam",
    name: "nested weights",
    make: () => nam('{"input_size":1,"hidden_size":1,"num_layers":1}', `${"[".repeat(20)}1${"]".repeat(20)}`),
    message: "nam: weights: expected fewer dimensions",
  },
  {
    reader: "readNam",
    name: "bytes that are no text",
    make: () => Uint8Array.of(0x7b, 0xff),
    message: "nam: byte 1 is not valid UTF-8",
  },
  {
    reader: "readNam",
    name: "a matrix that is wide in one row and high elsewhere",
    make: () =>
      nam('{"input_size":1,"hidden_size":1,"num_layers":1}', `[[${"1,".repeat(1e5)}1]${",0".repeat(1e5)}]`),
    message: "nam: weights[1]: expected an array of length 100001, got 0",
  },
  {
    reader: "readGuitarML",
    name: "a state_dict keyed __proto__",
    make: () =>
      text(
        '{"model_data":{"model":"SimpleRNN","unit_type":"LSTM","input_size":1,"hidden_size":1,"output_size":1,"skip":0},"state_dict":{"__proto__":[1]}}',
      ),
    message: 'tensor "__proto__" is unexpected',
  },
  {
    reader: "readGuitarML",
    name: "no file at all",
    make: () => new Uint8Array(0),
    message: "guitarml: got an empty file",
  },
  {
    reader: "readRTNeural",
    name: "a thousand layers that are none",
    make: () => text(`{"in_shape":[1],"layers":[${"0,".repeat(1000)}0]}`),
    message: 'rtneural: layers[0].type: expected "lstm" or "gru", got undefined',
  },
  {
    reader: "readRTNeural",
    name: "layers that are a text",
    make: () => text('{"in_shape":[1],"layers":"x"}'),
    message: 'rtneural: layers: expected an array of up to 1025 items, got "x"',
  },
  {
    reader: "readNam",
    name: "two million arrays of one number",
    make: () => nam("{}", list(2e6, "[0]")),
    message: "nam: its values take more than",
  },
  {
    reader: "readGuitarML",
    name: "three million empty texts",
    make: () => text(`{"x":${list(3e6, '""')}}`),
    message: "guitarml: its values take more than",
  },
  {
    reader: "readRTNeural",
    name: "a million layers",
    make: () => text(`{"in_shape":[1],"layers":${list(1e6, "{}")}}`),
    message: "rtneural: layers: expected an array of up to 1025 items, got an array of length 1000000",
  },
  {
    reader: "readRTNeural",
    name: "three million layers",
    make: () => text(`{"in_shape":[1],"layers":${list(3e6, "{}")}}`),
    message: "rtneural: its values take more than",
  },
];
