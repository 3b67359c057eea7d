/**
 * The records of this binary's kernels, as ../records.ts has those of the core: fields of 4 bytes, addresses and
 * strides in bytes. `npm run build:wasm` makes the host's offsets from them (build/records/).
 */
