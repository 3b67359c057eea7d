/** Configs of Keras that contradict themselves, or ask for more than a model may take. */

export interface HostileConfig {
  readonly name: string;
  readonly make: () => unknown;
  /** Of the error, which names the layer. */
  readonly message: RegExp;
}

type Config = Readonly<Record<string, unknown>>;
type Call = readonly unknown[];

const input = (name = "x", shape: readonly unknown[] = [null, 2]) => ({
  class_name: "InputLayer",
  name,
  config: { name, batch_input_shape: shape, dtype: "float32" },
  inbound_nodes: [],
});

const layer = (className: string, name: string, config: Config, ...calls: readonly Call[]) => ({
  class_name: className,
  name,
  config: { name, ...config },
  inbound_nodes: calls,
});

const linear = (name: string, ...calls: readonly Call[]) =>
  layer("Activation", name, { activation: "linear" }, ...calls);

const from = (name: string, node = 0, tensor = 0) => [name, node, tensor, {}];

const graph = (layers: readonly unknown[], output: string, name = "model", config: Config = {}) => ({
  class_name: "Functional",
  config: {
    name,
    layers,
    input_layers: [["x", 0, 0]],
    output_layers: [[output, 0, 0]],
    ...config,
  },
});

const sequential = (layers: readonly unknown[], name = "model") => ({
  class_name: "Sequential",
  config: { name, layers },
});

/** One layer after the input. */
const only = (className: string, config: Config, shape: readonly unknown[] = [null, 2]) =>
  sequential([input("x", shape), layer(className, "one", config)]);

const many = <Item>(count: number, item: (at: number) => Item): Item[] =>
  Array.from({ length: count }, (_, at) => item(at));

/** Models within one another, each called twice by the one around it. */
function doubled(depth: number, activation = "linear"): unknown {
  let inner: unknown = layer("Activation", "a", { activation }, [from("x")]);
  let name = "a";
  for (let at = 0; at < depth; at++) {
    const calls = [[from("x")], [from(name, 0)]];
    const used = { ...(inner as object), name, inbound_nodes: calls };
    const outer = `m${at}`;
    inner = {
      ...graph([input(), used, layer("Add", "sum", {}, [from(name, 0), from(name, 1)])], "sum", outer),
    };
    name = outer;
  }
  return inner;
}

/** A layer within so many models. */
function nested(depth: number): unknown {
  let inner: unknown = linear("a");
  for (let at = 0; at < depth; at++) {
    inner = sequential([...(at === depth - 1 ? [input()] : []), inner], `m${at}`);
  }
  return inner;
}

export const HOSTILE_KERAS: readonly HostileConfig[] = [
  {
    name: "a layer of its own output",
    make: () => graph([input(), linear("loop", [from("loop")])], "loop"),
    message: /^keras: layer "loop": its inputs are made of its own output/,
  },
  {
    name: "two layers of one another's output",
    make: () => graph([input(), linear("a", [from("b")]), linear("b", [from("a")])], "b"),
    message: /^keras: layer "[ab]": its inputs are made of its own output/,
  },
  {
    name: "a cycle of 10,000 layers",
    make: () =>
      graph([input(), ...many(10_000, (at) => linear(`l${at}`, [from(`l${(at + 1) % 10_000}`)]))], "l0"),
    message: /^keras: layer "l0": its inputs are made of its own output/,
  },
  {
    name: "a keyword that is the layer's own output",
    make: () => graph([input(), linear("a", [["x", 0, 0, { mask: ["a", 0, 0] }]])], "a"),
    message: /^keras: layer "a": its inputs are made of its own output/,
  },
  {
    name: "a call that is not there",
    make: () => graph([input(), linear("a", [from("x", 7)])], "a"),
    message: /call 7 of layer "x" is not in the config/,
  },
  {
    name: "an output that is not there",
    make: () => graph([input(), linear("a", [from("x", 0, 9)])], "a"),
    message: /layer "x" has no output 9/,
  },
  {
    name: "a layer that is not there",
    make: () => graph([input(), linear("a", [from("other")])], "a"),
    message: /call 0 of layer "other" is not in the config/,
  },
  {
    name: "an input that is no layer of inputs",
    make: () => graph([linear("x", [from("x")])], "x"),
    message: /^keras: input "x": is no layer with a shape/,
  },
  {
    name: "two layers of one name",
    make: () => graph([input(), linear("a", [from("x")]), linear("a", [from("x")])], "a"),
    message: /has two layers called "a"/,
  },
  {
    name: "one input twice",
    make: () =>
      graph([input(), linear("a", [from("x")])], "a", "model", {
        input_layers: [
          ["x", 0, 0],
          ["x", 0, 0],
        ],
      }),
    message: /^keras: model "model": input "x" occurs twice/,
  },
  {
    name: "no outputs",
    make: () => graph([input()], "x", "model", { output_layers: [] }),
    message: /^keras: model "model": has no outputs/,
  },
  {
    name: "models called twice, 15 deep, and 40 calls more",
    make: () => {
      const inner = doubled(14) as { config: object };
      const calls = many(40, () => [from("x")]);
      const used = {
        ...inner,
        name: "deep",
        config: { ...inner.config, name: "deep" },
        inbound_nodes: calls,
      };
      const sum = layer(
        "Add",
        "sum",
        {},
        calls.map((_, at) => from("deep", at)),
      );
      return graph([input(), used, sum], "sum");
    },
    message: /more than (50000 calls of layers|8000 nodes)/,
  },
  {
    name: "models called twice, 11 deep, of seven nodes each",
    make: () => doubled(11, "elu"),
    message: /^keras: layer "m9\/.*\/sum" \(Add\): more than 8000 nodes/,
  },
  {
    name: "5,000 layers of more nodes than one",
    make: () => sequential([input(), ...many(5000, (at) => layer("ELU", `e${at}`, {}))]),
    message: /^keras: layer "e1333" \(ELU\): more than 8000 nodes/,
  },
  {
    name: "models within models, 40 deep",
    make: () => nested(40),
    message: /nests deeper than/,
  },
  {
    name: "a nested model of 2,000 layers that do nothing, used 1,000 times",
    make: () => {
      const inner = {
        ...sequential(
          many(2000, (at) => input(`i${at}`)),
          "inner",
        ),
        name: "inner",
        inbound_nodes: many(1000, () => [from("x")]),
      };
      return graph(
        [
          input(),
          inner,
          layer(
            "Add",
            "sum",
            {},
            many(1000, (at) => from("inner", at)),
          ),
        ],
        "sum",
      );
    },
    message: /^keras: layer "inner": more than 50000 calls of layers/,
  },
  {
    name: "10,000 layers without weights",
    make: () => sequential([input(), ...many(10_000, (at) => layer("Dense", `d${at}`, { units: 2 }))]),
    message: /^keras: layer "d0" \(Dense\): the file has no weights for it/,
  },
  {
    name: "names of 2 MB",
    make: () => {
      const name = "n".repeat(2e6);
      return sequential([input(), sequential([layer("ReLU", "r", {})], name)]);
    },
    message: /a name of more than 4096 letters/,
  },
  {
    name: "a layer that takes itself 200,000 times",
    make: () =>
      graph(
        [
          input(),
          linear(
            "a",
            many(200_000, () => from("x")),
          ),
        ],
        "a",
      ),
    message: /^keras: layer "a".*more than 50000 calls/,
  },
  ...(
    [
      ["RepeatVector", { n: 2 ** 40 }],
      ["RepeatVector", { n: -1 }],
      ["RepeatVector", { n: 2 ** 24 }],
      ["Reshape", { target_shape: [2 ** 31, 2 ** 31] }],
      ["Reshape", { target_shape: [-1, -1] }],
      ["Dense", { units: 2 ** 40 }],
      ["Lambda", { function: ["4wEAAAA=", null, null] }],
    ] as const
  ).map(([className, config]) => ({
    name: `${className} ${JSON.stringify(config)}`,
    make: () => only(className, config),
    message: new RegExp(`^keras: layer "one" \\(${className}\\): `),
  })),
  ...(
    [
      ["ZeroPadding1D", { padding: 2 ** 40 }],
      ["ZeroPadding1D", { padding: -1 }],
      ["Cropping1D", { cropping: [4, 4] }],
      ["UpSampling1D", { size: 2 ** 40 }],
      ["UpSampling1D", { size: 0 }],
      ["UpSampling1D", { size: 2 ** 23 }],
      ["MaxPooling1D", { pool_size: 2 ** 50, padding: "valid" }],
      ["MaxPooling1D", { pool_size: 2, strides: 0 }],
      ["Permute", { dims: [1, 1] }],
      ["Permute", { dims: [2 ** 40, 1] }],
      ["LSTM", { units: 2 ** 40 }],
      ["Conv1D", { filters: 2 ** 40, kernel_size: 2 ** 40 }],
      ["Softmax", { axis: 2 ** 31 }],
      ["TimeDistributed", { layer: layer("RepeatVector", "inner", { n: 2 ** 40 }) }],
    ] as const
  ).map(([className, config]) => ({
    name: `${className} ${JSON.stringify(config).slice(0, 80)}`,
    make: () => only(className, config, [null, 3, 2]),
    message: /^keras: layer "one"/,
  })),
  ...(
    [
      ["of windows", layer("AveragePooling1D", "last", { pool_size: 2 ** 17, strides: 1, padding: "same" })],
      ["of windows", layer("MaxPooling1D", "last", { pool_size: 2 ** 17, strides: 1, padding: "valid" })],
      ["of tensors", layer("Activation", "last", { activation: "tanh" })],
    ] as const
  ).map(([what, last], at) => ({
    name: `too many numbers ${what}: ${last.class_name}`,
    make: () =>
      sequential([
        input(),
        layer("RepeatVector", "one", { n: at < 2 ? 2 ** 18 : 2 ** 22 }),
        ...(at < 2 ? [] : many(30, (one) => layer("Activation", `a${one}`, { activation: "tanh" }))),
        last,
      ]),
    message:
      /^keras: layer "(last|a\d)" \(.*\): the model makes more numbers than its file and its inputs allow for/,
  })),
];
