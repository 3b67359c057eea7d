/**
 * Protobuf files have no signature. Each kind is told by its first fields: their numbers, wire types and lengths.
 *
 *     ONNX        ir_version (1, a number), then strings, the graph (7) or opsets (8)
 *     SavedModel  schema version (1, the number 1), then meta graphs (2, messages)
 *     GraphDef    nodes (1, messages), each with its name (1, a string) first
 */

/** Numbers and lengths of the first fields; those of length -1 are numbers. */
interface Fields {
  readonly numbers: readonly number[];
  readonly begins: readonly number[];
  /** Whether every field looked at ends within the file. */
  readonly whole: boolean;
}

const MOST_FIELDS = 64;

export function isOnnx(file: Uint8Array): boolean {
  const { numbers, whole } = fieldsOf(file);
  // The fields of ModelProto; only a graph or opsets make a model.
  return (
    whole &&
    numbers.every((field) => FIELDS_OF_MODEL.has(field)) &&
    (numbers.includes(7) || numbers.includes(8))
  );
}

const FIELDS_OF_MODEL = new Set([1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26]);

export function isSavedModel(file: Uint8Array): boolean {
  const { numbers, begins, whole } = fieldsOf(file);
  if (file[0] !== 0x08 || file[1] !== 1 || !whole || numbers.length < 2) return false;
  return numbers.slice(1).every((field, at) => field === 2 && file[begins[at + 1]!] === 0x0a);
}

export function isGraphDef(file: Uint8Array): boolean {
  const { numbers, begins, whole } = fieldsOf(file);
  return whole && file[0] === 0x0a && numbers[0] === 1 && file[begins[0]!] === 0x0a;
}

function fieldsOf(file: Uint8Array): Fields {
  const numbers: number[] = [];
  const begins: number[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = file[at++];
      if (byte === undefined) return Number.NaN;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    return Number.NaN;
  };
  while (at < file.length && numbers.length < MOST_FIELDS) {
    const tag = varint();
    const wire = tag % 8;
    const length = wire === 2 ? varint() : 0;
    numbers.push(Math.floor(tag / 8));
    begins.push(at);
    if (wire === 0) varint();
    else at += wire === 1 ? 8 : wire === 5 ? 4 : wire === 2 ? length : Number.NaN;
    if (!(at <= file.length)) return { numbers, begins, whole: false };
  }
  return { numbers, begins, whole: numbers.length > 0 };
}
