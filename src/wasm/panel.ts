/** A weight matrix in linear memory, packed as assembly/panel.ts draws it. */
import type { Region } from "./region.js";
import type { Runtime } from "./runtime.js";

/** How the units of a matrix's gates are laid out in vectors of four, and vectors in lines. */
export interface PanelLayout {
  /** Matrices whose units are interleaved. */
  readonly gates: number;
  /** Vectors of four outputs that stand side by side for one input. */
  readonly lineVectors: number;
}

/** A plain matrix: sixteen outputs to a line. */
export const PLAIN: PanelLayout = { gates: 1, lineVectors: 4 };

/** The number of vectors of four that hold `units` units of each gate. */
export function vectorCount(layout: PanelLayout, units: number): number {
  return layout.gates * Math.ceil(units / 4);
}

/** The number of blocks of a panel, each one line wide. */
export function blockCount(layout: PanelLayout, units: number): number {
  return Math.ceil(vectorCount(layout, units) / layout.lineVectors);
}

/** Where number `gate`, `unit` stands among the floats of one line of outputs. */
export function outputIndex(layout: PanelLayout, gate: number, unit: number): number {
  return (layout.gates * (unit >> 2) + gate) * 4 + (unit & 3);
}

export class Panel {
  readonly layout: PanelLayout;
  /** Units of each gate. */
  readonly units: number;
  /** Inputs. */
  readonly columns: number;
  readonly blocks: number;
  /** Bytes from one block to the next; more than the panel's own lines when two panels share blocks. */
  readonly blockBytes: number;
  /** The first line, aligned to 16 bytes. */
  readonly pointer: number;

  constructor(layout: PanelLayout, units: number, columns: number, pointer: number, blockBytes: number) {
    this.layout = layout;
    this.units = units;
    this.columns = columns;
    this.blocks = blockCount(layout, units);
    this.pointer = pointer;
    this.blockBytes = blockBytes;
  }

  /** A panel in memory of its own. */
  static allocate(region: Region, layout: PanelLayout, units: number, columns: number): Panel {
    const blockBytes = columns * layout.lineVectors * 16;
    const pointer = region.allocate(blockCount(layout, units) * blockBytes);
    return new Panel(layout, units, columns, pointer, blockBytes);
  }

  /** Packs PyTorch's (gates * units, columns) matrix, by way of `staging`, which holds one gate. */
  pack(runtime: Runtime, staging: number, matrix: Float32Array): void {
    const { gates, lineVectors } = this.layout;
    const size = this.units * this.columns;
    for (let gate = 0; gate < gates; gate++) {
      runtime.floats.set(matrix.subarray(gate * size, (gate + 1) * size), staging / 4);
      runtime.kernels.packGate(
        this.pointer,
        this.blockBytes,
        lineVectors,
        gates,
        gate,
        staging,
        this.units,
        this.columns,
      );
    }
  }

  /** The matrix that was packed. */
  unpack(runtime: Runtime, staging: number): Float32Array {
    const { gates, lineVectors } = this.layout;
    const size = this.units * this.columns;
    const matrix = new Float32Array(gates * size);
    for (let gate = 0; gate < gates; gate++) {
      runtime.kernels.unpackGate(
        this.pointer,
        this.blockBytes,
        lineVectors,
        gates,
        gate,
        staging,
        this.units,
        this.columns,
      );
      matrix.set(runtime.floats.subarray(staging / 4, staging / 4 + size), gate * size);
    }
    return matrix;
  }
}
