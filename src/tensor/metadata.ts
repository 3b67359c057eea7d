/** What a state dict says of its modules, as PyTorch's `_metadata`. */
import { isArray, reading, show, wrongType } from "./checks.js";

/** A module of a state dict: its class, and its constructor's options as plain JSON. */
export interface ModuleMetadata {
  readonly kind: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** The modules of a state dict, each by what the names of its tensors begin with: `""`, `"0."`, `"encoder.lstm."`. */
export type StateDictMetadata = Readonly<Record<string, ModuleMetadata>>;

export interface Described {
  /** The modules that the tensors are of, with their options; `fromStateDict` takes them from here. */
  readonly metadata: StateDictMetadata | undefined;
}

const EXPECTED = "an object of { kind, options }";

/** The same dict with metadata, which is no entry and is not listed among its keys. Without any where it is undefined. */
export function withMetadata<Dict extends object, Metadata extends StateDictMetadata | undefined>(
  dict: Dict,
  metadata: Metadata,
): Dict & { readonly metadata: Metadata } {
  const told = { value: metadata, configurable: true, writable: true };
  if (metadata !== undefined) Object.defineProperty(dict, "metadata", told);
  return dict as Dict & { readonly metadata: Metadata };
}

/** The metadata of a dict, read once. Records have none: there the name would be a tensor's. */
export function metadataIn(dict: unknown): unknown {
  return reading("dict.metadata", EXPECTED, () => {
    const map = Object(dict) as { get?: unknown; metadata?: unknown };
    return typeof map.get === "function" ? map.metadata : undefined;
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !isArray(value);
}

/**
 * What metadata says of the module below a prefix, read once; its options are not checked.
 * @throws TypeError naming what is not as it should be
 */
export function moduleIn(metadata: unknown, prefix: string): ModuleMetadata | undefined {
  if (metadata === undefined) return undefined;
  const name = "dict.metadata";
  if (!isRecord(metadata)) throw wrongType(name, EXPECTED, metadata);
  return reading(name, EXPECTED, () => {
    if (!Object.hasOwn(metadata, prefix)) return undefined;
    const entry = metadata[prefix];
    const { kind, options } = isRecord(entry) ? entry : {};
    if (typeof kind !== "string" || !isRecord(options)) {
      throw wrongType(`${name}[${show(prefix)}]`, "{ kind, options }", entry);
    }
    return { kind, options };
  });
}
