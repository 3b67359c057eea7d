/** The table of cells: a line for each, and its file. */

import { Layer } from "../records";
import { updateGeneral } from "./general";
import { GRU, updateGru } from "./gru";
import { LSTM, updateLstm } from "./lstm";
import { RNN, updateRnn } from "./rnn";

/**
 * One step of the rows that run: their gates and sums to h', and c' where the cell has one.
 *
 * @param gates  the step's, in the caller's rows
 * @param trace  0, or the step's rows of a trace
 */
export function updateCell(layer: usize, run: usize, running: i32, gates: usize, trace: usize): void {
  if (changetype<Layer>(layer).options) {
    updateGeneral(layer, run, running, gates, trace);
    return;
  }
  const kind = changetype<Layer>(layer).kind;
  if (kind === LSTM) updateLstm(layer, run, running, gates, trace);
  if (kind === GRU) updateGru(layer, run, running, gates);
  if (kind === RNN) updateRnn(layer, run, running, gates);
}
