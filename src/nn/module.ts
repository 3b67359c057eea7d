/** What every module has: parameters by PyTorch's names, and linear memory that dispose gives back. */

import { scaleNameOf } from "../int8/round-weights.js";
import { checkOptions } from "../tensor/checks.js";
import { coded } from "../tensor/errors.js";
import type { ParameterData, StateDictLike } from "../tensor/like.js";
import { metadataIn, type StateDictMetadata, withMetadata } from "../tensor/metadata.js";
import { uniform } from "../tensor/random.js";
import { Tensor } from "../tensor/tensor.js";
import { currentRuntime } from "../wasm/current.js";
import { DisposableBase } from "../wasm/disposable.js";
import { Region } from "../wasm/region.js";
import { living, type Runtime } from "../wasm/runtime.js";
import { describe, type Row, rowOf, tabulate, totalOf } from "./describe.js";
import { checkSame, kindOf, metadataOf, type Part } from "./metadata.js";
import { type OptionTable, sourceOf } from "./options.js";
import { type LoadOptions, type ParameterSpec, scaleShapeOf, selectParameters } from "./state-dict.js";

export abstract class Module extends DisposableBase {
  /** @internal */
  declare protected readonly region: Region;
  readonly #table: () => OptionTable;

  /**
   * @internal
   * @param values of the options: the module's fields
   * @param table  of the options, by which toString prints the fields
   * @param isLarge whether several threads have something to do for it
   */
  protected constructor(values: object, table: () => OptionTable, isLarge = false) {
    super();
    Object.assign(this, values);
    this.#table = table;
    this.region = new Region(currentRuntime(isLarge), this);
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

  /** @internal The modules that state dicts have options of. */
  protected parts(): readonly Part[] {
    return [{ prefix: "", kind: kindOf(this), values: this, table: this.#table }];
  }

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
   * @internal The end of a constructor: the module counts as alive, and the fields, by which kernels are called, stay
   * what they are. A user's class that extends a module may still add its own.
   * @param complete whether no other constructor follows
   */
  protected settle(complete: boolean): void {
    living.set(this.region, 1);
    if (complete) Object.freeze(this);
    else {
      for (const name of Object.keys(this)) {
        Object.defineProperty(this, name, { writable: false, configurable: false });
      }
    }
  }

  /**
   * @internal The first weights: those that fromStateDict put beside `options`, or PyTorch's initial ones, uniform in
   * +-bound. Without a bound they stay as they are.
   */
  protected begin(options: object, bound?: number): void {
    const source = sourceOf(options);
    this.construct(() => {
      if (source !== undefined) this.#load(source.dict, { ...source, strict: true });
      else if (bound !== undefined) this.#initialise(bound);
    });
  }

  /**
   * Copies a state dict's values in, as PyTorch's `load_state_dict`. A module of precision int8 takes float weights,
   * which it quantises, and int8 weights with their scales (`weight_ih_l0` and `weight_ih_l0_scale`).
   * @throws RangeError listing every missing, unexpected and mis-shaped key, or where the dict's metadata are of
   *   another kind of module, or of one with other options that change numbers; nothing is changed then.
   */
  loadStateDict(dict: StateDictLike, options: LoadOptions = {}): this {
    this.assertAlive();
    const { prefix = "", strict = true } = checkOptions("options", options, ["prefix", "strict"]);
    const check = checkSame(metadataIn(dict), prefix, this.parts());
    this.#load(dict, { prefix, strict }, check);
    return this;
  }

  #load(dict: StateDictLike, how: Parameters<typeof selectParameters>[3], check?: () => void): void {
    const values = selectParameters(this.#kind, this.parameterSpecs(), dict, how);
    check?.(); // Names and shapes say more, and so are told first.
    this.assertAlive(); // once more: the dict's own getters have run
    this.storeParameters(values);
  }

  /**
   * The parameters in PyTorch's names, layout and order, as copies. An int8 matrix is an Int8Array tensor of
   * PyTorch's shape, followed by its scales, one for each row, under its name and `_scale`: weight = scale *
   * integer. The type cannot tell: such a module is asked for `stateDict<Float32Array | Int8Array>()`.
   *
   * The map's property `metadata` has the module's kind and options, or those of each member of a Sequential.
   */
  stateDict<Data extends ParameterData = Float32Array>(): Map<string, Tensor<Data>> & {
    readonly metadata: StateDictMetadata;
  } {
    this.assertAlive();
    const dict = new Map<string, Tensor<Data>>();
    for (const spec of this.parameterSpecs()) {
      const { name, shape } = spec;
      dict.set(name, new Tensor(this.readParameter(name) as Data, shape));
      if (!spec.int8) continue;
      const scaleName = scaleNameOf(name);
      dict.set(scaleName, new Tensor(this.readParameter(scaleName) as Data, scaleShapeOf(spec)));
    }
    return withMetadata(
      dict,
      Object.fromEntries(this.parts().map((part) => [part.prefix, metadataOf(part)])),
    );
  }

  /** How many numbers the parameters have, int8 ones too. What a Sequential has twice counts once. */
  get numParameters(): number {
    return totalOf(this.rows())[0];
  }

  /**
   * A table: each layer, as PyTorch prints it, with the numbers in its parameters and their bytes; the totals. A
   * Sequential has a row for each member.
   */
  summary(): string {
    return tabulate(this.rows());
  }

  /**
   * The module as PyTorch prints it: `LSTM(40, 64, num_layers=2, batch_first=True)`. `console.log` shows it too.
   * Options that PyTorch lacks come last: `precision=int8`.
   */
  override toString(): string {
    return `${this.#kind}(${describe(this, this.#table())})`;
  }

  /** @internal Of a summary. */
  protected rows(): Row[] {
    return [rowOf(`${this}`, this.parameterSpecs())];
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
