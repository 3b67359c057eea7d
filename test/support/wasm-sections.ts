/** What a wasm binary says of itself, as far as tests ask: where its data lie, and which instructions of the memory it has. */

/** Where each active segment of data begins, and the byte after its end. */
export function dataSegments(binary: Uint8Array): { from: number; to: number }[] {
  const reader = new Reader(section(binary, 11));
  return Array.from({ length: reader.unsigned() }, () => {
    if (reader.byte() !== 0) throw new Error("data: expected an active segment of memory 0");
    if (reader.byte() !== 0x41) throw new Error("data: expected i32.const");
    const from = reader.signed();
    if (reader.byte() !== 0x0b) throw new Error("data: expected the end of an expression");
    const bytes = reader.unsigned();
    reader.at += bytes;
    return { from, to: from + bytes };
  });
}

/** All sections in their order. */
export function sectionsOf(binary: Uint8Array): { id: number; content: Uint8Array }[] {
  const reader = new Reader(binary);
  reader.at = 8;
  const sections = [];
  while (reader.at < binary.length) {
    const id = reader.byte();
    const bytes = reader.unsigned();
    sections.push({ id, content: binary.subarray(reader.at, reader.at + bytes) });
    reader.at += bytes;
  }
  return sections;
}

/** The content of the section of a number; empty where the binary has none. */
function section(binary: Uint8Array, number: number): Uint8Array {
  return sectionsOf(binary).find(({ id }) => id === number)?.content ?? Uint8Array.of(0);
}

/** What a binary imports: functions (kind 0) and memories (2). The bytes of `type` are a memory's limits or a function's type. */
export function importsOf(
  binary: Uint8Array,
): { module: string; name: string; kind: number; type: Uint8Array }[] {
  const reader = new Reader(section(binary, 2));
  const text = () => {
    const length = reader.unsigned();
    reader.at += length;
    return String.fromCharCode(...reader.bytes.subarray(reader.at - length, reader.at));
  };
  return Array.from({ length: reader.unsigned() }, () => {
    const [module, name, kind] = [text(), text(), reader.byte()];
    if (kind !== 0 && kind !== 2) throw new Error(`imports: expected functions and memories, got ${kind}`);
    const from = reader.at;
    const numbers = kind === 0 || (reader.byte() & 1) === 0 ? 1 : 2;
    for (let number = 0; number < numbers; number++) reader.unsigned();
    return { module, name, kind, type: reader.bytes.slice(from, reader.at) };
  });
}

export class Reader {
  at = 0;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  byte(): number {
    return this.bytes[this.at++]!;
  }

  /** LEB128 of at most 32 bits. */
  unsigned(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  }

  signed(): number {
    const begin = this.at;
    const value = this.unsigned();
    const bits = 7 * (this.at - begin);
    return bits >= 32 ? value | 0 : (value << (32 - bits)) >> (32 - bits);
  }
}
