/** Malformed and hostile safetensors files. */
import { type HostileFile, text } from "./readers.js";

/** A file of `length` header bytes stated, and this text after them. */
export const safetensors = (length: number | bigint, header: string, data = 0) => {
  const bytes = new Uint8Array(8 + header.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text(header), 8);
  return bytes;
};

export const SAFETENSORS: Omit<HostileFile, "reader">[] = [
  {
    name: "a header of 2^53 bytes",
    make: () => safetensors(1n << 53n, "{}"),
    message: "at most 100000000 bytes",
  },
  {
    name: "a header of 2^64 - 1 bytes",
    make: () => safetensors((1n << 64n) - 1n, "{}"),
    message: "at most 100000000",
  },
  {
    name: "a header of 99 MB in a file of 10 bytes",
    make: () => safetensors(99_000_000, "{}"),
    message: "the file is truncated",
  },
  {
    name: "a million open brackets",
    make: () => safetensors(1e6 + 5, `{"a":${"[".repeat(1e6)}`),
    message: "nests deeper than 64",
  },
  {
    name: "a million open objects",
    make: () => safetensors(5e6, '{"a":'.repeat(1e6)),
    message: "nests deeper than 64",
  },
  {
    name: "a million sizes",
    make: () => {
      const header = `{"a":{"dtype":"U8","shape":[${"1,".repeat(1e6)}1],"data_offsets":[0,1]}}`;
      return safetensors(header.length, header, 1);
    },
    message: "shape: expected up to 64 sizes",
  },
  {
    name: "a tensor of 2^50 bytes",
    make: () => {
      const header = `{"a":{"dtype":"F32","shape":[${2 ** 48}],"data_offsets":[0,${2 ** 50}]}}`;
      return safetensors(header.length, header);
    },
    message: "reach past the data of 0 bytes; the file is truncated",
  },
  {
    name: "fifty thousand tensors on the same bytes",
    make: () => {
      const one = '{"dtype":"F32","shape":[1000],"data_offsets":[0,4000]}';
      const header = `{${Array.from({ length: 5e4 }, (_, at) => `"t${at}":${one}`).join(",")}}`;
      return safetensors(header.length, header, 4000);
    },
    message: "overlap the tensor that ends at 4000",
  },
  {
    name: "metadata of half a million texts",
    make: () => {
      const texts = Array.from({ length: 5e5 }, (_, at) => `"k${at}":"v"`);
      const header = `{"__metadata__":{${texts.join(",")}}}`;
      return safetensors(header.length, header);
    },
    message: "safetensors: header: more than 250000 keys",
  },
];
