/**
 * The readers, and what a hostile file is. Files are made when they are asked for, so that no large one outlives its
 * test.
 */
import * as formats from "../../../src/formats/index.js";

/** Readers by name; each throws a FormatError or gives what it read. */
export const READERS = {
  readSafetensors: formats.readSafetensors,
  readTorch: (bytes: Uint8Array) => formats.readTorch(bytes),
  readOnnx: (bytes: Uint8Array) => formats.readOnnx(bytes),
  readNumpy: formats.readNumpy,
  listOnnxNodes: formats.listOnnxNodes,
  readKeras: formats.readKeras,
  readNam: (bytes: Uint8Array) => formats.readNam(bytes),
  readGuitarML: (bytes: Uint8Array) => formats.readGuitarML(bytes),
  readRTNeural: (bytes: Uint8Array) => formats.readRTNeural(bytes),
  readWeights: (bytes: Uint8Array) => formats.readWeights(bytes),
} satisfies Record<string, (bytes: Uint8Array) => unknown>;

export interface HostileFile {
  readonly reader: keyof typeof READERS;
  readonly name: string;
  readonly make: () => Uint8Array;
  /** Part of the message that the reader has to give. */
  readonly message: string;
}

export const text = (content: string) => new TextEncoder().encode(content);
export const times = (count: number, bytes: readonly number[]): number[] =>
  Array.from({ length: count }, () => bytes).flat();
