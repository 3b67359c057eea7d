/** Programs of torch.export whose list of weights is wrong. */
import { zip } from "../torch-writer.js";
import type { HostileFile } from "./readers.js";

const utf8 = (text: string) => new TextEncoder().encode(text);
const FOLDER = "m/data/weights/";
const meta = {
  dtype: 7,
  layout: 7,
  sizes: [{ as_int: 4 }],
  strides: [{ as_int: 1 }],
  storage_offset: { as_int: 0 },
};

/** A program whose list of weights is this text, with 16 bytes of numbers. */
function program(config: string, order = "little"): Uint8Array {
  return zip([
    { name: "m/archive_format", content: utf8("pt2") },
    { name: "m/byteorder", content: utf8(order) },
    { name: `${FOLDER}weight_0`, content: new Uint8Array(16) },
    { name: `${FOLDER}model_weights_config.json`, content: utf8(config) },
  ]);
}

const one = (entry: unknown, key = "w") => program(JSON.stringify({ config: { [key]: entry } }));
const described = (change: object) =>
  one({ path_name: "weight_0", use_pickle: false, tensor_meta: { ...meta, ...change } });

export const EXPORTED: Omit<HostileFile, "reader">[] = [
  {
    name: "a program in the other byte order",
    make: () => program("{}", "big"),
    message: 'byteorder "big" is not supported',
  },
  {
    name: "a program without weights",
    make: () => zip([{ name: "m/archive_format", content: utf8("pt2") }]),
    message: "a program of torch.export without weights",
  },
  {
    name: "a program that is compiled",
    make: () =>
      zip([
        { name: "m/archive_format", content: utf8("pt2") },
        { name: "m/data/aotinductor/model/a.so", content: utf8("x") },
      ]),
    message: "a program that AOTInductor compiled; save model.state_dict() with torch.save",
  },
  {
    name: "a program's list that is no JSON",
    make: () => program("{"),
    message: "model_weights_config.json",
  },
  {
    name: "a program's list without a config",
    make: () => program("{}"),
    message: "config: expected an object",
  },
  {
    name: "a program's key that occurs twice",
    make: () => program('{"config": {"w": 1, "w": 2}}'),
    message: 'key "w" occurs twice',
  },
  {
    name: "a program's weight that is a number",
    make: () => one(1),
    message: "expected path_name and tensor_meta",
  },
  {
    name: "a program's weight without a description",
    make: () => one({ path_name: "weight_0", tensor_meta: [] }),
    message: "expected path_name and tensor_meta",
  },
  {
    name: "a program's weight whose path leads out",
    make: () => one({ path_name: "../../archive_format", tensor_meta: meta }),
    message: "is missing",
  },
  {
    name: "a program's weight of more numbers than its entry",
    make: () => described({ sizes: [{ as_int: 5 }] }),
    message: "reach element 4 of a storage of 4",
  },
  {
    name: "a program's weight that repeats a number",
    make: () =>
      described({
        sizes: [{ as_int: 65_536 }, { as_int: 65_536 }],
        strides: [{ as_int: 0 }, { as_int: 0 }],
      }),
    message: "tensors take more than 67108864 bytes",
  },
  {
    name: "a program's weight whose size is an expression",
    make: () => described({ sizes: [{ as_expr: { expr_str: "s0" } }] }),
    message: "size: expected up to 64 integers",
  },
  {
    name: "a program's weight that starts at -1",
    make: () => described({ storage_offset: { as_int: -1 } }),
    message: "storage offset: expected an integer of at least 0",
  },
  {
    name: "a program's sparse weight",
    make: () => described({ layout: 1 }),
    message: "its layout, number 1",
  },
  { name: "a program's float8", make: () => described({ dtype: 29 }), message: "its dtype, number 29" },
  {
    name: "a program's pickled weight",
    make: () => one({ path_name: "weight_0", use_pickle: true, tensor_meta: meta }),
    message: "it is stored as a pickle of its own",
  },
  {
    name: "an older program in an older program",
    make: () => {
      const inner = zip([{ name: "serialized_state_dict.pt", content: utf8("PK") }]);
      return zip([
        { name: "serialized_exported_program.json", content: utf8("{}") },
        { name: "serialized_state_dict.pt", content: inner },
      ]);
    },
    message: "expected one entry NAME/data.pkl, got 0",
  },
];
