/** What every module has: parameters by PyTorch's names, and linear memory that dispose gives back. */

import { scaleNameOf } from "../int8/round-weights.js";
import { checkOptions } from "../tensor/checks.js";
import { coded } from "../tensor/errors.js";
import type { ParameterData, StateDictLike } from "../tensor/like.js";
import { uniform } from "../tensor/random.js";
import { Tensor } from "../tensor/tensor.js";
import { DisposableBase } from "../wasm/disposable.js";
import { Region } from "../wasm/region.js";
import { currentRuntime, living, type Runtime } from "../wasm/runtime.js";
import type { StateSource } from "./options.js";
import { type LoadOptions, type ParameterSpec, scaleShapeOf, selectParameters } from "./state-dict.js";

export abstract class Module extends DisposableBase {
  /** @internal */
  declare protected readonly region: Region;

  /** @internal */
  protected constructor() {
    super();
    this.region = new Region(currentRuntime(), this);
  }

  /** @internal Every parameter with its shape, in PyTorch's order. */
  protected abstract parameterSpecs(): readonly ParameterSpec[];

  /**
   * @internal Takes over checked values; those that are not in the map keep their value. An int8 parameter comes as
   * two: its integers, and its scales under scaleNameOf its name.
   */
  protected abstract storeParameters(values: ReadonlyMap<string, ParameterData>): void;

  /** @internal The value of one parameter, or its scales, as a copy. */
  protected abstract readParameter(name: string): ParameterData;

  /** The module's name in messages. */
  get #kind(): string {
    return this.constructor.name;
  }

  /** @internal @throws Error after dispose. */
  protected assertAlive(): void {
    if (this.region.released) throw coded("DISPOSED", new Error(`${this.#kind}: used after dispose()`));
  }

  /** @internal @throws Error after dispose. */
  protected get runtime(): Runtime {
    this.assertAlive();
    return this.region.runtime;
  }

  /** @internal A step of a constructor: what the module has allocated is freed where it throws. */
  protected construct<Result>(step: () => Result): Result {
    try {
      return step();
    } catch (error) {
      this.region.release();
      throw error;
    }
  }

  /**
   * @internal The end of a constructor: the fields, by which kernels are called, stay what they are. A user's class
   * that extends a module may still add its own.
   * @param complete whether no other constructor follows
   */
  protected settle(complete: boolean): void {
    if (complete) Object.freeze(this);
    else {
      for (const name of Object.keys(this)) {
        Object.defineProperty(this, name, { writable: false, configurable: false });
      }
    }
  }

  /** @internal The first weights: those of `source`, or PyTorch's initial ones, uniform in +-bound. */
  protected begin(source: StateSource | undefined, bound: number): void {
    this.construct(() => {
      if (source === undefined) this.#initialise(bound);
      else this.loadStateDict(source.dict, { prefix: source.prefix });
    });
    living.set(this.region, 1);
  }

  /**
   * Copies a state dict's values in, as PyTorch's `load_state_dict`. A module of precision int8 takes float weights,
   * which it quantises, and int8 weights with their scales (`weight_ih_l0` and `weight_ih_l0_scale`).
   * @throws RangeError listing every missing, unexpected and mis-shaped key; nothing is changed then.
   */
  loadStateDict(dict: StateDictLike, options: LoadOptions = {}): this {
    this.assertAlive();
    const { prefix = "", strict = true } = checkOptions("options", options, ["prefix", "strict"]);
    const values = selectParameters(this.#kind, this.parameterSpecs(), dict, { prefix, strict });
    this.assertAlive(); // once more: the dict's own getters have run
    this.storeParameters(values);
    return this;
  }

  /**
   * The parameters in PyTorch's names, layout and order, as copies. An int8 matrix is an Int8Array tensor of
   * PyTorch's shape, followed by its scales, one for each row, under its name and `_scale`: weight = scale *
   * integer. The type cannot tell: such a module is asked for `stateDict<Float32Array | Int8Array>()`.
   */
  stateDict<Data extends ParameterData = Float32Array>(): Map<string, Tensor<Data>> {
    this.assertAlive();
    const dict = new Map<string, Tensor<Data>>();
    for (const spec of this.parameterSpecs()) {
      const { name, shape } = spec;
      dict.set(name, new Tensor(this.readParameter(name) as Data, shape));
      if (!spec.int8) continue;
      const scaleName = scaleNameOf(name);
      dict.set(scaleName, new Tensor(this.readParameter(scaleName) as Data, scaleShapeOf(spec)));
    }
    return dict;
  }

  #initialise(bound: number): void {
    const next = uniform();
    const values = new Map<string, Tensor>();
    for (const { name, shape } of this.parameterSpecs()) {
      const tensor = Tensor.zeros(shape);
      for (let at = 0; at < tensor.data.length; at++) tensor.data[at] = (2 * next() - 1) * bound;
      values.set(name, tensor);
    }
    this.storeParameters(selectParameters(this.#kind, this.parameterSpecs(), values, {}));
  }

  /** Frees the module's memory at once. Every later call but `dispose` throws an Error. */
  override dispose(): void {
    this.region.release();
  }
}
