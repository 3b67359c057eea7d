/** What a file may cost: work grows in proportion to it. Counted, not timed. */
import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import {
  FormatError,
  fromKeras,
  fromTensorFlow,
  listModules,
  quantizeStateDict,
  readGuitarML,
  readKeras,
  readManifest,
  readNam,
  readNumpy,
  readRTNeural,
  readSafetensors,
  readTfjs,
  readTorch,
  readWeights,
  writeSafetensors,
} from "../../src/formats/index.js";
import { visitStrided } from "../../src/formats/strided.js";
import { readPickle } from "../../src/formats/torch/pickle/index.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { type Arrays, kerasH5, kerasZip } from "../support/keras-writer.js";
import { call, dict, legacy, op, saved, tensor } from "../support/torch-writer.js";
import { expectLinear, workOf } from "../support/work.js";

const tensors = (count: number) =>
  new Map(Array.from({ length: count }, (_, index) => [`tensor.${index}`, Tensor.zeros([1])] as const));

describe("safetensors", () => {
  it("reads and writes many tensors in proportion", async () => {
    await expectLinear(500, (count) => {
      const bytes = writeSafetensors(tensors(count));
      return () => readSafetensors(bytes);
    });
    await expectLinear(500, (count) => {
      const dict = tensors(count);
      return () => writeSafetensors(dict);
    });
  });
});

describe("NumPy and TensorFlow", () => {
  const npy = (shape: string, numbers: Uint8Array) => {
    const header = `{'descr': '<f4', 'fortran_order': True, 'shape': ${shape}, }`;
    const start = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0];
    return Uint8Array.from([...start, ...new TextEncoder().encode(header), ...numbers]);
  };

  it("readNumpy reads many arrays, and many numbers, in proportion", async () => {
    await expectLinear(300, (count) => {
      const entries = Array.from({ length: count }, (_, at) => [`${at}.npy`, npy("()", new Uint8Array(4))]);
      const bytes = zipSync(Object.fromEntries(entries));
      return () => readNumpy(bytes);
    });
    await expectLinear(300, (count) => {
      const array = call("numpy.core.multiarray", "scalar", call("numpy", "dtype", op.text("f4")), [
        ...[0x43, 4, 0, 0, 0, 0],
      ]);
      const items = Object.fromEntries(Array.from({ length: count }, (_, at) => [`${at}`, array]));
      const bytes = Uint8Array.from([...op.proto(4), ...dict(items), ...op.stop]);
      return () => readNumpy(bytes);
    });
    await expectLinear(2000, (count) => {
      const bytes = npy(`(${count}, 2)`, new Uint8Array(8 * count));
      return () => readNumpy(bytes);
    });
  });

  it("readManifest reads many weights, shards and groups in proportion", async () => {
    await expectLinear(500, (count) => {
      const names = Array.from({ length: count }, (_, at) => `${at}`);
      const weights = names.map((name) => ({ name, shape: [1], dtype: "float32" }));
      const paths = Array.from({ length: 2 * count }, (_, at) => `shard${at}`);
      const files = Object.fromEntries(paths.map((path) => [path, new Uint8Array(2)]));
      return () => readManifest([{ paths, weights }], files);
    });
    await expectLinear(500, (count) => {
      const groups = Array.from({ length: count }, (_, at) => ({
        paths: [`${at}`],
        weights: [{ name: `${at}`, shape: [1], dtype: "float32" }],
      }));
      const bytes = new Uint8Array(4 * count);
      return () => readManifest(groups, bytes);
    });
  });

  it("fromTensorFlow finds the cells among many variables in proportion", async () => {
    await expectLinear(100, (count) => {
      const variables = new Map<string, Tensor>();
      for (let at = 0; at < count; at++) {
        const scope = `rnn/multi_rnn_cell/cell_${at}/lstm_cell`;
        variables.set(`${scope}/kernel`, Tensor.zeros([2, 4]));
        variables.set(`${scope}/bias`, Tensor.zeros([4]));
        variables.set(`dense_${at}/kernel`, Tensor.zeros([1]));
      }
      return () => fromTensorFlow(variables, "LSTM");
    });
  });
});

describe("walks over names", () => {
  const layers = (count: number) =>
    new Map(
      Array.from({ length: count }, (_, index) => `lstm${index}.`).flatMap((prefix) => [
        [`${prefix}weight_ih_l0`, Tensor.zeros([4, 1])] as const,
        [`${prefix}weight_hh_l0`, Tensor.zeros([4, 1])] as const,
      ]),
    );

  it("lists and quantises many layers in proportion", async () => {
    for (const walk of [listModules, quantizeStateDict]) {
      await expectLinear(50, (count) => {
        const dict = layers(count);
        return () => walk(dict);
      });
    }
  });
});

describe("views", () => {
  it("take as long with 62 axes of size 1 as without", async () => {
    const visit = (shape: number[]) => () =>
      visitStrided(
        shape,
        shape.map(() => 0),
        0,
        () => {},
      );
    const plain = await workOf(visit([64, 64]));
    const ones = await workOf(visit([64, 64, ...Array.from({ length: 62 }, () => 1)]));
    expect(ones).toBeLessThan(plain * 1.1);
  });
});

describe("torch", () => {
  const tensors = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`tensor.${index}`, tensor()]));
  const values: [string, (count: number) => number[]][] = [
    ["tensors", (count) => dict(tensors(count))],
    [
      "parts of a module",
      (count) => [
        ...op.global("my", "Module"),
        ...op.emptyTuple,
        ...op.newObject,
        ...dict({ _parameters: dict(tensors(count)) }),
        ...op.build,
      ],
    ],
    [
      "items of a list, a dict and a set beside a tensor",
      (count) => {
        const items = Array.from({ length: 20 * count }, (_, index) => op.int(index * 7919)).flat();
        const list = [...op.emptyList, ...op.mark, ...items, ...op.appends];
        const pairs = [...op.emptyDict, ...op.mark, ...items, ...op.setItems];
        return dict({ list, pairs, set: call("builtins", "set", list), w: tensor() });
      },
    ],
    [
      "marks and tuples within tuples",
      (count) => {
        const marks = Array.from({ length: 20 * count }, () => op.mark).flat();
        return dict({ deep: [...marks, ...marks.flatMap(() => op.tuple)], w: tensor() });
      },
    ],
  ];

  it.each(values)("reads many %s in proportion", async (_, make) => {
    for (const container of [saved, legacy]) {
      await expectLinear(20, (count) => {
        const bytes = container(make(count));
        return () => readTorch(bytes);
      });
    }
  });
});

describe("models of amplifiers", () => {
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index / 64);
  const rows = (height: number, width: number) => Array.from({ length: height }, () => numbers(width));
  const text = (value: object) => JSON.stringify(value);
  const keras = (inputs: number) => ({
    kernel: rows(inputs, 4),
    recurrentKernel: rows(1, 4),
    bias: numbers(4),
  });

  it("reads NAM, GuitarML and RTNeural in proportion", async () => {
    await expectLinear(100, (size) => {
      const config = { input_size: size, hidden_size: 1, num_layers: 1 };
      const weights = numbers(4 * (size + 1) + 6 + 2);
      const file = text({ version: "0.5.0", architecture: "LSTM", config, weights });
      return () => readNam(file);
    });
    await expectLinear(20, (layers) => {
      const config = { input_size: 1, hidden_size: 1, num_layers: layers };
      const weights = numbers(14 * layers + 2);
      const file = text({ version: "0.5.0", architecture: "LSTM", config, weights });
      return () => readNam(file);
    });
    await expectLinear(20, (layers) => {
      const state = Array.from({ length: layers }, (_, layer) => [
        [`rec.weight_ih_l${layer}`, rows(4, 1)],
        [`rec.weight_hh_l${layer}`, rows(4, 1)],
        [`rec.bias_ih_l${layer}`, numbers(4)],
        [`rec.bias_hh_l${layer}`, numbers(4)],
      ]).flat();
      const sizes = { input_size: 1, hidden_size: 1, num_layers: layers, output_size: 1, skip: 0 };
      const file = text({
        model_data: { model: "SimpleRNN", unit_type: "LSTM", ...sizes },
        state_dict: { ...Object.fromEntries(state), "lin.weight": [[1]] },
      });
      return () => readGuitarML(file);
    });
    await expectLinear(20, (layers) => {
      const { kernel, recurrentKernel, bias } = keras(1);
      const layer = { type: "lstm", activation: "", weights: [kernel, recurrentKernel, bias] };
      const dense = { type: "dense", activation: "", weights: [[[1]], [1]] };
      const file = text({ in_shape: [1], layers: [...Array(layers).fill(layer), dense] });
      return () => readRTNeural(file);
    });
  });

  it("turns Keras' weights in proportion", async () => {
    await expectLinear(50, (inputs) => {
      const weights = keras(inputs);
      return () => fromKeras(weights, "LSTM");
    });
  });
});

describe("readKeras", () => {
  const lstm = (name: string) => ({
    class_name: "LSTM",
    config: { name, units: 1, recurrent_activation: "sigmoid" },
  });
  const model = (layers: unknown[]) => ({ class_name: "Sequential", config: { name: "model", layers } });
  const numbered = (count: number, name: string) =>
    Array.from({ length: count }, (_, at) => (at === 0 ? name : `${name}_${at}`));
  const arrays = (path: string, names: readonly string[]): Arrays =>
    Object.fromEntries([[1, 4], [1, 4], [4]].map((shape, at) => [`${path}${names[at]}`, { shape }]));
  const KERNELS = ["kernel", "recurrent_kernel", "bias"];

  it("reads many layers in proportion", async () => {
    await expectLinear(10, (count) => {
      const names = numbered(count, "lstm");
      const folders = names.map((name) => arrays(`layers/${name}/cell/vars/`, ["0", "1", "2"]));
      const bytes = kerasZip(model(names.map(lstm)), Object.assign({}, ...folders));
      return () => readKeras(bytes);
    });
    await expectLinear(10, (count) => {
      const names = numbered(count, "lstm");
      const layers = new Map(names.map((name) => [name, arrays(`${name}/`, KERNELS)]));
      const bytes = kerasH5({ config: model(names.map(lstm)), layers });
      return () => readKeras(bytes);
    });
  });

  it("gives the arrays of many nested models out in proportion", async () => {
    await expectLinear(10, (count) => {
      const names = numbered(count, "lstm");
      const models = names.map((name, at) => ({
        class_name: "Sequential",
        config: { name: `inner_${at}`, layers: [lstm(name)] },
      }));
      const weights = names.flatMap((name) =>
        [[1, 4], [1, 4], [4]].map((shape, at) => ({
          name: `${name}/${KERNELS[at]}`,
          shape,
          dtype: "float32",
        })),
      );
      const json = {
        modelTopology: { keras_version: "2.15.0", model_config: model(models) },
        weightsManifest: [{ paths: ["weights"], weights }],
      };
      const bytes = new Uint8Array(48 * count);
      return () => {
        const { layers } = readTfjs(json, bytes);
        expect(layers.filter(({ recurrent }) => recurrent?.kind === "LSTM")).toHaveLength(count);
      };
    });
  });

  it("cuts paths into parts in proportion", async () => {
    await expectLinear(100, (count) => {
      const config = model([lstm("a/".repeat(count))]);
      const bytes = kerasH5({ config, layers: { x: arrays("b/".repeat(count), KERNELS) } });
      return () => readKeras(bytes);
    });
  });

  it("walks strings without an end once", async () => {
    await expectLinear(500, (count) => {
      const bytes = kerasZip(`NaN${'"\\'.repeat(count)}`, {});
      return () => expect(() => readKeras(bytes)).toThrow("not valid JSON");
    });
  });
});

describe("readWeights", () => {
  const random = (size: number) => Uint8Array.from({ length: 1000 * size }, (_, at) => (at * 7919) % 251);
  const ascii = (text: string) => new TextEncoder().encode(text);
  const files: [string, (size: number) => Uint8Array][] = [
    ["tensors of safetensors", (size) => writeSafetensors(tensors(20 * size))],
    ["JSON of no reader", (size) => ascii(JSON.stringify({ list: Array(100 * size).fill({ a: [1] }) }))],
    ["spaces", (size) => ascii(" ".repeat(100 * size))],
    ["names in a zip", (size) => zipSync(Object.fromEntries(numbered(10 * size)))],
    ["ends of a zip without a directory", (size) => ascii("PK\x05\x06".repeat(20 * size))],
    ["halves of classes in a pickle", (size) => ascii(`(dp0\n${"c".repeat(100 * size)}`)],
    ["halves of short strings in a pickle", (size) => new Uint8Array(500 * size).fill(0x8c).fill(0x80, 0, 1)],
    ["fields of protobuf", (size) => new Uint8Array(200 * size).fill(8)],
    ["bytes of no known format", random],
  ];
  const numbered = (count: number) =>
    Array.from({ length: count }, (_, at) => [`entry ${at}`, new Uint8Array(1)] as const);

  it.each(files)("tells and reads %s in proportion", async (_, make) => {
    const tell = (bytes: Uint8Array) => () => {
      try {
        readWeights(bytes);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    };
    const works: number[] = [];
    for (const size of [20, 40, 80, 160]) works.push(await workOf(tell(make(size))));
    // What only the first bytes tell costs the same for any size.
    for (const [at, work] of works.slice(1).entries())
      expect(work, `${works}`).toBeLessThan(2.8 * works[at]!);
  });
});

describe("pickles", () => {
  it("keep numbers that a file can make collide out of the keys of maps and sets", () => {
    const colliding = [
      op.long((1n << 64n) + 1n, 10),
      op.long((1n << 65n) + 1n, 10),
      [0x47, ...Array(8).fill(0x41)],
      op.int(-1),
      op.int(65_536),
    ];
    const pairs = colliding.flatMap((key) => [...key, ...op.none]);
    const pickles = [
      [...op.emptyDict, ...op.mark, ...pairs, ...op.setItems],
      [...op.mark, ...pairs, 0x64],
      [0x8f, ...op.mark, ...colliding.flat(), 0x90],
      [...op.mark, ...colliding.flat(), 0x91],
      [
        ...op.global("builtins", "set"),
        ...op.mark,
        ...op.mark,
        ...colliding.flat(),
        0x6c,
        ...op.tuple,
        ...op.reduce,
      ],
    ];
    for (const pickle of pickles) {
      const { value } = readPickle(Uint8Array.from([...op.proto(), ...pickle, ...op.stop]));
      const keys = [...(value as Map<unknown, unknown>).keys()];
      expect(keys.map((key) => typeof key)).toEqual(colliding.map(() => "object"));
    }
  });
});

it("finds work that is quadratic", async () => {
  const quadratic = (size: number) => {
    const names = Array.from({ length: size }, (_, index) => `name ${index}`);
    return () => names.filter((name) => names.indexOf(name) < 0);
  };
  await expect(expectLinear(100, quadratic)).rejects.toThrow("work 10000, 40000, 160000, 640000");
});
