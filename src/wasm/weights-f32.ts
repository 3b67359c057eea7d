/** A matrix of float32 weights. */
import type { ParameterData } from "../tensor/like.js";
import type { Block } from "./block.js";
import type { Region } from "./region.js";
import { numbersOf, Weights, type WeightsPlace, type WeightsShape } from "./weights.js";

export class FloatWeights extends Weights {
  readonly roundedRow = 0;

  constructor(region: Region, shape: WeightsShape, place: WeightsPlace) {
    super(region, shape, place, 0);
    this.writeRecord(0, 0);
    Object.freeze(this);
  }

  protected storeMatrix(staging: Block, _: string, matrix: ParameterData): void {
    const { runtime } = this.region;
    const { gates, units, columns } = this;
    const numbers = numbersOf(staging);
    const size = units * columns;
    for (let gate = 0; gate < gates; gate++) {
      runtime.write(numbers, 0, matrix, gate * size, size);
      runtime.kernels.packGate(this.matrix, gates, gate, units, numbers.pointer);
    }
  }
}
