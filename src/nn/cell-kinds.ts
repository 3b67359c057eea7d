/** The table of cells, a line for each; assembly/cells/ has their arithmetic. */
import { GRU, LSTM, RNN } from "../../build/abi.js";

export interface CellKind {
  /** As a layer's record has it. */
  readonly kind: number;
  /** Matrices of hiddenSize rows in W_ih and W_hh. */
  readonly gates: number;
  /** The states, h and the LSTM's c. */
  readonly states: readonly ("h" | "c")[];
}

export const CELLS = {
  LSTM: { kind: LSTM, gates: 4, states: ["h", "c"] },
  GRU: { kind: GRU, gates: 3, states: ["h"] },
  RNN: { kind: RNN, gates: 1, states: ["h"] },
} as const satisfies Record<string, CellKind>;
