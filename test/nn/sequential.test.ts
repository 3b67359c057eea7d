/** Sequential and Dropout: how members are given, named, loaded and disposed of. Numbers are in golden.test.ts. */
import { describe, expect, it } from "vitest";
import {
  Dropout,
  Embedding,
  GRU,
  init,
  LayerNorm,
  Linear,
  LSTM,
  LSTMCell,
  memoryUsage,
  relu,
  Sequential,
  type SequentialMember,
  Tensor,
} from "../../src/index.js";
import { currentRuntime } from "../../src/wasm/current.js";
import { Runtime } from "../../src/wasm/runtime.js";
import { any, inputRefusals, linear as kept, refuses, zeros } from "../support/refusals.js";
import { expectSameBits } from "../support/tensors.js";

const sizes = { inFeatures: 6, outFeatures: 6 };

describe("Dropout", () => {
  it("gives a copy of any tensor, in place too", () => {
    using dropout = new Dropout({ p: 1, inplace: true });
    const input = Tensor.randn([2, 3], 1);
    const output = dropout.forward(input);
    expectSameBits(output, input);
    expect(output.data).not.toBe(input.data);
    expect(dropout.forward({ data: [1, 2], dims: [2] }).toArray()).toEqual([1, 2]);
    expect(dropout.forward(Tensor.zeros([2, 0])).shape).toEqual([2, 0]);
  });

  it("has PyTorch's p, and no parameters", () => {
    using dropout = new Dropout();
    expect(dropout).toMatchObject({ p: 0.5, inplace: false });
    expect(dropout.loadStateDict({}).stateDict().size).toBe(0);
    dropout.dispose();
    expect(() => dropout.forward(zeros(1))).toThrow(new Error("Dropout: used after dispose()"));
  });
});

const dropout = new Dropout();
refuses("Dropout", [
  ...inputRefusals((given) => dropout.forward(any(given))),
  [
    "a p above 1",
    () => new Dropout({ p: 1.5 }),
    RangeError,
    "p: expected a probability from 0 to 1, got 1.5",
  ],
  ["a p that is text", () => new Dropout(any({ p: "1" })), TypeError, 'p: expected a number, got "1"'],
  [
    "an unknown option",
    () => new Dropout(any({ rate: 1 })),
    TypeError,
    "options.rate: unknown option; known are p, inplace",
  ],
  [
    "parameters",
    () => dropout.loadStateDict({ weight: zeros(1) }),
    RangeError,
    "Dropout.loadStateDict: unexpected weight",
  ],
]);

describe("Sequential", () => {
  const members = () => [new Linear(sizes), relu, new LayerNorm({ normalizedShape: 6 })] as const;
  const keys = (module: Sequential) => [...module.stateDict().keys()];

  it("takes members one by one, in an array, a record or a Map", () => {
    const [linear, , norm] = members();
    const input = Tensor.randn([3, 6], 1);
    const expected = norm.forward(relu(linear.forward(input)));
    const numbers = ["0.weight", "0.bias", "2.weight", "2.bias"];
    const named = ["in.weight", "in.bias", "norm.weight", "norm.bias"];
    for (const [module, names] of [
      [new Sequential(linear, relu, norm), numbers],
      [new Sequential([linear, relu, norm]), numbers],
      [new Sequential({ in: linear, relu, norm }), named],
      [
        new Sequential(
          new Map<string, SequentialMember>([
            ["in", linear],
            ["relu", relu],
            ["norm", norm],
          ]),
        ),
        named,
      ],
    ] as const) {
      expectSameBits(module.forward(input), expected);
      expect(keys(module)).toEqual(names);
      expect(module.children).toEqual([linear, relu, norm]);
    }
    linear.dispose();
    norm.dispose();
  });

  it("without members gives a copy", () => {
    using empty = new Sequential();
    const input = Tensor.randn([2], 1);
    expectSameBits(empty.forward(input), input);
    expect(empty.forward(input).data).not.toBe(input.data);
    expect(keys(empty)).toEqual([]);
  });

  it("passes on the output of recurrent modules and h of an LSTMCell, each time from zeros", () => {
    const lstm = new LSTM({ inputSize: 6, hiddenSize: 4 });
    const gru = new GRU({ inputSize: 4, hiddenSize: 3 });
    using chain = new Sequential(lstm, gru);
    const input = Tensor.randn([5, 2, 6], 1);
    const expected = gru.forward(lstm.forward(input)[0])[0];
    expectSameBits(chain.forward(input), expected);
    expectSameBits(chain.forward(input), expected);
    const cell = new LSTMCell({ inputSize: 6, hiddenSize: 4 });
    using single = new Sequential(cell);
    expectSameBits(single.forward(Tensor.randn([6], 2)), cell.forward(Tensor.randn([6], 2))[0]);
  });

  it("gives a function a Tensor whatever the caller gave", () => {
    using chain = new Sequential(
      (input) =>
        new Tensor(
          input.data.map((x) => -x),
          input.shape,
        ),
    );
    expect(chain.forward({ data: [1, 2], dims: [2] }).toArray()).toEqual([-1, -2]);
  });

  it("may hold a Sequential, and a module twice", () => {
    const [linear, , norm] = members();
    using inner = new Sequential({ linear, norm });
    using outer = new Sequential(inner, relu, linear);
    expect(keys(outer)).toEqual([
      ...["0.linear.weight", "0.linear.bias", "0.norm.weight", "0.norm.bias"],
      ...["2.weight", "2.bias"],
    ]);
    const input = Tensor.randn([6], 1);
    expectSameBits(outer.forward(input), linear.forward(relu(inner.forward(input))));
  });

  it("loads below a prefix, int8 too, and not strictly", () => {
    using from = new Sequential(new Linear({ ...sizes, precision: "int8" }), relu, new Linear(sizes));
    using to = new Sequential(new Linear({ ...sizes, precision: "int8" }), relu, new Linear(sizes));
    const dict = from.stateDict<Float32Array | Int8Array>();
    expect([...dict.keys()]).toContain("0.weight_scale");
    const below = new Map([...dict].map(([name, tensor]) => [`net.${name}`, tensor]));
    expect(to.loadStateDict(below, { prefix: "net." })).toBe(to);
    expect(to.stateDict()).toEqual(dict);
    to.loadStateDict({ "2.bias": Tensor.randn([6], 3), other: zeros(1) }, { strict: false });
    expectSameBits(to.stateDict().get("2.bias")!, Tensor.randn([6], 3));
  });

  it("keeps every weight where memory ends while it loads", () => {
    using chain = new Sequential(new Linear(sizes), new Linear(sizes));
    const before = chain.stateDict();
    const dict = new Map(
      [...before].map(([name, { data, shape }]) => [
        name,
        new Tensor(
          data.map((x) => -x),
          shape,
        ),
      ]),
    );
    const { allocate } = Runtime.prototype;
    try {
      for (let failing = 0, failed = true; failed; failing++) {
        let asked = 0;
        failed = false;
        Runtime.prototype.allocate = function (bytes) {
          if (asked++ === failing) {
            failed = true;
            throw new RangeError("memory: no room");
          }
          return allocate.call(this, bytes);
        };
        let thrown: unknown;
        try {
          chain.loadStateDict(dict);
        } catch (error) {
          thrown = error;
        }
        Runtime.prototype.allocate = allocate;
        expect(thrown !== undefined).toBe(failed);
        expect(chain.stateDict()).toEqual(failed ? before : dict);
      }
    } finally {
      Runtime.prototype.allocate = allocate;
    }
  });

  it("disposes of its members", () => {
    const { liveBytes } = currentRuntime();
    const { modules } = memoryUsage();
    const [linear, , norm] = members();
    const chain = new Sequential(linear, relu, new Sequential(norm));
    expect(memoryUsage().modules).toBe(modules + 4);
    chain.forward(zeros(6));
    chain.dispose();
    chain.dispose();
    expect(memoryUsage().modules).toBe(modules);
    expect(currentRuntime().liveBytes).toBe(liveBytes);
    expect(() => linear.forward(zeros(6))).toThrow(new Error("Linear: used after dispose()"));
    for (const method of ["forward", "loadStateDict", "stateDict"]) {
      expect(() => any(chain)[method](zeros(6))).toThrow(new Error("Sequential: used after dispose()"));
    }
  });

  it("names the member that was disposed of", () => {
    const [linear, , norm] = members();
    using chain = new Sequential({ linear, norm });
    norm.dispose();
    const message = "sequential.norm: LayerNorm: used after dispose()";
    expect(() => chain.forward(zeros(6))).toThrow(new Error(message));
    expect(() => chain.loadStateDict({})).toThrow(new Error(message));
  });

  it("may hold modules of several runtimes", () => {
    const first = new Linear(sizes);
    init({ deterministic: process.env.WASM_BUILD === "simd" });
    using chain = new Sequential(first, new Linear(sizes));
    expect(chain.forward(zeros(6)).shape).toEqual([6]);
  });

  it("leaves a function's own errors as they are", () => {
    const own = Object.assign(new Error("mine"), { code: "MINE" });
    using chain = new Sequential(() => {
      throw own;
    });
    expect(() => chain.forward(zeros(1))).toThrow(own);
    using nothing = new Sequential(() => {
      throw null;
    });
    expect(() => nothing.forward(zeros(1))).toThrow();
  });

  it("gives a member's error with its code and cause", () => {
    const [linear, , norm] = members();
    using chain = new Sequential(linear, norm);
    try {
      chain.forward(zeros(5));
    } catch (error) {
      expect(error).toMatchObject({ code: "LSTM_WASM_SHAPE", cause: { code: "LSTM_WASM_SHAPE" } });
    }
    expect.assertions(1);
  });
});

const chain = new Sequential(kept, relu, new Sequential({ head: new Linear({ ...sizes, inFeatures: 5 }) }));
const embedded = new Sequential(
  new Embedding({ numEmbeddings: 3, embeddingDim: 2 }),
  any(() => [1]),
);
refuses("Sequential", [
  [
    "what its first member refuses",
    () => chain.forward(any([1])),
    TypeError,
    "sequential.0: input: expected a Tensor, such as Tensor.from(nested), or { data, shape }, got an array of length 1",
  ],
  [
    "what a member inside refuses",
    () => chain.forward(zeros(2, 6)),
    RangeError,
    "sequential.2: sequential.head: input.shape[1]: expected inFeatures 5, got 4",
  ],
  [
    "an index that is not there",
    () => embedded.forward([7]),
    RangeError,
    "sequential.0: indices[0]: expected an integer from 0 to 2, got 7",
  ],
  [
    "a function that gives no tensor",
    () => embedded.forward([1]),
    TypeError,
    "sequential.1: expected a function that returns a Tensor, got an array of length 1",
  ],
  [
    "a state dict of something else, with all that is wrong",
    () => chain.loadStateDict({ "0.weight": zeros(4, 5), weight: zeros(1) }),
    RangeError,
    "Sequential.loadStateDict: 0.weight: expected shape [4, 6], got [4, 5]; missing 0.bias; " +
      "missing 2.head.weight; missing 2.head.bias; unexpected weight",
  ],
  [
    "a number",
    () => new Sequential(kept, any(3)),
    TypeError,
    "modules.1: expected a module, made with new, or a function of a tensor, got 3",
  ],
  [
    "a class",
    () => new Sequential(any(Linear)),
    TypeError,
    "modules.0: expected a module, made with new, or a function of a tensor, got a function",
  ],
  [
    "text in a record",
    () => new Sequential({ act: any("relu") }),
    TypeError,
    'modules.act: expected a module, made with new, or a function of a tensor, got "relu"',
  ],
  [
    "a name with a dot",
    () => new Sequential({ "a.b": relu }),
    RangeError,
    'modules: expected names that are not empty and have no dot, got "a.b"',
  ],
  [
    "an empty name",
    () => new Sequential({ "": relu }),
    RangeError,
    'modules: expected names that are not empty and have no dot, got ""',
  ],
  [
    "a name that is no text",
    () => new Sequential(any(new Map([[1, relu]]))),
    RangeError,
    "modules: expected names that are not empty and have no dot, got 1",
  ],
  [
    "what cannot be read",
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return new Sequential(proxy);
    },
    TypeError,
    "modules: expected modules and functions, or one array, Map or record of them, got an object that cannot be read",
  ],
  [
    "a member that cannot be read",
    () => {
      const { proxy, revoke } = Proxy.revocable(() => zeros(1), {});
      revoke();
      return new Sequential(relu, proxy);
    },
    TypeError,
    "modules.1: expected modules and functions, or one array, Map or record of them, got an object that cannot be read",
  ],
]);
