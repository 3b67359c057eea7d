/** Sequential: modules and functions one after the other, each given what the one before it gives. */
import { isArray, reading, show, wrongType, wrongValue } from "../tensor/checks.js";
import { coded, type Kind } from "../tensor/errors.js";
import type { ParameterData, TensorLike } from "../tensor/like.js";
import { Tensor } from "../tensor/tensor.js";
import { kindOf } from "../tensor/typed-array.js";
import { type Row, rowOf } from "./describe.js";
import type { Indices } from "./embedding.js";
import { elu, leakyRelu, relu, sigmoid, tanh } from "./functional.js";
import type { Part } from "./metadata.js";
import { Module } from "./module.js";
import type { ParameterSpec } from "./state-dict.js";

/** What a Sequential is made of: modules, and functions of a tensor such as `relu`. */
export type SequentialMember = Module | ((input: Tensor) => Tensor);

/** What every module has, and lets only itself use. */
interface Inside {
  assertAlive(): void;
  forward(input: unknown): unknown;
  parameterSpecs(): readonly ParameterSpec[];
  storeParameters(values: ReadonlyMap<string, ParameterData>): void;
  readParameter(name: string): ParameterData;
  parts(): readonly Part[];
  rows(seen: Set<unknown>): Row[];
}

const PREFIX = "LSTM_WASM_";
/** Far beyond any network, so that an iterator without an end is told at once. */
const MOST_MEMBERS = 10_000;
const EXPECTED = "modules and functions, or one array, Map or record of them";

/**
 * A chain, as PyTorch's Sequential: the names in its state dict begin with the number of the member, `"0.weight"`, or
 * with its name where names are given. A recurrent module and an LSTMCell pass on their output alone, without the
 * states, and begin each call from zeros. PyTorch has no answer to that: there a tuple comes to the next module.
 */
export class Sequential extends Module {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "Sequential";
  /** The members in their order. */
  declare readonly children: readonly SequentialMember[];
  /** Their names: `"0"`, `"1"` and so on unless they were given. */
  declare readonly names: readonly string[];
  /** By name. */
  readonly #members: ReadonlyMap<string, unknown>;

  /**
   * @param modules  members, one by one or in an array; or a Map or a record of them by name, as PyTorch's
   *   OrderedDict. A record has names that are whole numbers first, in rising order, as JavaScript does
   * @throws TypeError for what is neither a module nor a function; RangeError for a name that is empty or has a dot
   */
  constructor(...modules: readonly SequentialMember[]);
  constructor(
    modules:
      | readonly SequentialMember[]
      | ReadonlyMap<string, SequentialMember>
      | Readonly<Record<string, SequentialMember>>,
  );
  constructor(...modules: readonly unknown[]) {
    const entries = reading("modules", EXPECTED, () => entriesOf(modules));
    for (const [name, member] of entries) {
      if (typeof name !== "string" || name === "" || name.includes(".")) {
        throw wrongValue("modules", "names that are not empty and have no dot", show(name));
      }
      if (!reading(`modules.${name}`, EXPECTED, () => isMember(member))) {
        throw wrongType(`modules.${name}`, "a module, made with new, or a function of a tensor", member);
      }
    }
    super({}, () => ({}));
    this.#members = new Map(entries);
    this.names = Object.freeze(entries.map(([name]) => name));
    this.children = Object.freeze(entries.map(([, member]) => member as SequentialMember));
    this.settle(new.target === Sequential);
  }

  /**
   * The last member's output for what the first one takes. Without members a copy of the input.
   * @throws what a member throws, which its place begins: `sequential.1: input.shape[2]: expected ...`. TypeError
   *   for a function that gives no Tensor. A function's own errors come as they are.
   */
  forward(input: TensorLike | Indices): Tensor {
    this.assertAlive();
    if (this.children.length === 0) return Tensor.from(input as TensorLike);
    return this.children.reduce((given: unknown, member, at) => {
      const name = this.names[at]!;
      const result = within(name, () => call(member, given));
      if (!(result instanceof Tensor)) {
        throw wrongType(`sequential.${name}`, "a function that returns a Tensor", result);
      }
      return result;
    }, input) as Tensor;
  }

  /** As PyTorch prints it, with a line for each member: `(1): ReLU()` for `relu`, others by the function's name. */
  override toString(): string {
    const lines = this.children.map(
      (member, at) => `\n  (${this.names[at]}): ${textOf(member).replaceAll("\n", "\n  ")}`,
    );
    return `${this.constructor.name}(${lines.join("")}${lines.length > 0 ? "\n" : ""})`;
  }

  /** Disposes of every member, and so of what they are used in elsewhere. */
  override dispose(): void {
    for (const member of this.children) if (member instanceof Module) member.dispose();
    super.dispose();
  }

  /** @internal */
  protected override assertAlive(): void {
    super.assertAlive();
    this.#each((module, name) => within(name, () => module.assertAlive()));
  }

  /** @internal */
  protected parameterSpecs(): ParameterSpec[] {
    const specs: ParameterSpec[] = [];
    this.#each((module, name) => {
      for (const spec of module.parameterSpecs()) specs.push({ ...spec, name: `${name}.${spec.name}` });
    });
    return specs;
  }

  /** @internal */
  protected override parts(): Part[] {
    const parts: Part[] = [];
    this.#each((module, name) => {
      for (const part of module.parts()) parts.push({ ...part, prefix: `${name}.${part.prefix}` });
    });
    return parts;
  }

  /** @internal Members that were written already get back what they had where a later one finds no memory. */
  protected storeParameters(values: ReadonlyMap<string, ParameterData>): void {
    const before = new Map(Array.from(values.keys(), (name) => [name, this.readParameter(name)] as const));
    try {
      this.#store(values);
    } catch (error) {
      this.#store(before);
      throw error;
    }
  }

  #store(values: ReadonlyMap<string, ParameterData>): void {
    const parts = new Map<Inside, Map<string, ParameterData>>();
    for (const [name, data] of values) {
      const [module, own] = this.#owner(name);
      parts.set(module, (parts.get(module) ?? new Map()).set(own, data));
    }
    for (const [module, own] of parts) module.storeParameters(own);
  }

  /** @internal */
  protected readParameter(name: string): ParameterData {
    const [module, own] = this.#owner(name);
    return module.readParameter(own);
  }

  /** The member that has this parameter, and the member's name of it. */
  #owner(name: string): readonly [Inside, string] {
    const dot = name.indexOf(".");
    return [this.#members.get(name.slice(0, dot)) as unknown as Inside, name.slice(dot + 1)];
  }

  /** @internal What was seen before has no numbers of its own. */
  protected override rows(seen = new Set<unknown>()): Row[] {
    return this.children.flatMap((member, at) => {
      const rows =
        member instanceof Sequential || (member instanceof Module && !seen.has(member))
          ? (member as unknown as Inside).rows(seen)
          : [rowOf(textOf(member), [])];
      seen.add(member);
      const name = this.names[at]!;
      return rows.map(
        ([parameters, bytes, layer]): Row => [
          parameters,
          bytes,
          layer.startsWith("(") ? `(${name}.${layer.slice(1)}` : `(${name}): ${layer}`,
        ],
      );
    });
  }

  /** Visits the modules, each with its name. */
  #each(visit: (module: Inside, name: string) => void): void {
    this.children.forEach((member, at) => {
      if (member instanceof Module) visit(member as unknown as Inside, this.names[at]!);
    });
  }
}

/** The members by name, read once. */
function entriesOf(modules: readonly unknown[]): (readonly [string, unknown])[] {
  const [only] = modules;
  if (modules.length === 1 && typeof only === "object" && only !== null && !(only instanceof Module)) {
    if (isArray(only)) return atMost(only).map(numbered);
    if (kindOf(only) === undefined) {
      const isMap = typeof (only as { get?: unknown }).get === "function" && Symbol.iterator in only;
      return isMap ? atMost(only as ReadonlyMap<string, unknown>) : Object.entries(only);
    }
  }
  return modules.map(numbered);
}

/** What a list or a map gives. @throws RangeError for one that never ends, or might as well not */
function atMost<Entry>(source: Iterable<Entry>): Entry[] {
  const entries: Entry[] = [];
  for (const entry of source) {
    if (entries.length === MOST_MEMBERS) throw wrongValue("modules", `at most ${MOST_MEMBERS}`, "more");
    entries.push(entry);
  }
  return entries;
}

function numbered(member: unknown, at: number): readonly [string, unknown] {
  return [String(at), member];
}

/** A class is a function too, and easily written where an instance is meant. */
function isMember(member: unknown): member is SequentialMember {
  return member instanceof Module || (typeof member === "function" && !(member.prototype instanceof Module));
}

/** This library's functions as the modules that PyTorch has for them; a bundler may have shortened their names. */
function textOf(member: SequentialMember): string {
  if (member instanceof Module) return `${member}`;
  const known = {
    "ReLU()": relu,
    "Tanh()": tanh,
    "Sigmoid()": sigmoid,
    "ELU(alpha=1.0)": elu,
    "LeakyReLU(negative_slope=0.01)": leakyRelu,
  };
  const found = Object.entries(known).find(([, own]) => own === member);
  return found?.[0] ?? `${String(member.name || "function")}()`;
}

/** What one member gives: of a module's output and states the output. */
function call(member: SequentialMember, input: unknown): unknown {
  if (!(member instanceof Module)) {
    return member(input instanceof Tensor ? input : Tensor.from(input as TensorLike));
  }
  const result = (member as unknown as Inside).forward(input);
  return isArray(result) ? result[0] : result;
}

/** What `use` returns; an error of this library gets the place of the member before its message. */
function within<Result>(name: string, use: () => Result): Result {
  try {
    return use();
  } catch (cause) {
    const code = cause instanceof Error ? (cause as { code?: unknown }).code : undefined;
    if (typeof code !== "string" || !code.startsWith(PREFIX)) throw cause;
    const { constructor: Same, message } = cause as Error & { constructor: ErrorConstructor };
    throw coded(code.slice(PREFIX.length) as Kind, new Same(`sequential.${name}: ${message}`, { cause }));
  }
}
