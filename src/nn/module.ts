/** What every module has: parameters by PyTorch's names, and linear memory that dispose gives back. */
import { checkOptions } from "../checks.js";
import { uniform } from "../random.js";
import { type StateDictLike, Tensor } from "../tensor.js";
import { Region } from "../wasm/region.js";
import { currentRuntime, type Runtime } from "../wasm/runtime.js";
import { type LoadOptions, type ParameterSpec, selectParameters } from "./parameters.js";

export abstract class Module {
  /** @internal */
  protected readonly region: Region;

  /** @internal */
  protected constructor() {
    this.region = new Region(currentRuntime(), this);
  }

  /** @internal The module's name in messages. */
  protected abstract get kind(): string;

  /** @internal Every parameter with its shape, in PyTorch's order. */
  protected abstract parameterSpecs(): readonly ParameterSpec[];

  /** @internal Takes over checked values; those that are not in the map keep their value. */
  protected abstract storeParameters(values: ReadonlyMap<string, Float32Array>): void;

  /** @internal The value of one parameter, as a copy. */
  protected abstract readParameter(name: string): Float32Array;

  /** @internal @throws Error after dispose. */
  protected get runtime(): Runtime {
    if (this.region.released) throw new Error(`${this.kind}: used after dispose()`);
    return this.region.runtime;
  }

  /**
   * Copies a state dict's values in, as PyTorch's `load_state_dict`.
   * @throws RangeError listing every missing, unexpected and mis-shaped key; nothing is changed then.
   */
  loadStateDict(dict: StateDictLike, options: LoadOptions = {}): this {
    void this.runtime;
    const { prefix = "", strict = true } = checkOptions("options", options, ["prefix", "strict"]);
    this.storeParameters(selectParameters(this.kind, this.parameterSpecs(), dict, { prefix, strict }));
    return this;
  }

  /** The parameters in PyTorch's names, layout and order, as copies. */
  stateDict(): Map<string, Tensor> {
    void this.runtime;
    return new Map(
      this.parameterSpecs().map(({ name, shape }) => [name, new Tensor(this.readParameter(name), shape)]),
    );
  }

  /** @internal Fills all parameters from the uniform distribution in +-bound, PyTorch's initial values. */
  protected initialise(bound: number): void {
    const next = uniform();
    const values = new Map<string, Float32Array>();
    for (const { name, shape } of this.parameterSpecs()) {
      const data = Tensor.zeros(shape).data;
      for (let at = 0; at < data.length; at++) data[at] = (2 * next() - 1) * bound;
      values.set(name, data);
    }
    this.storeParameters(values);
  }

  /** Frees the module's memory at once. Every later call but `dispose` throws an Error. */
  dispose(): void {
    this.region.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
