/** The command with files of Keras, TensorFlow.js, TensorFlow and NumPy, beside the frameworks' own numbers. */
import { spawnSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { unzipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { readNumpy, readWeights } from "../../src/formats/index.js";
import { Tensor } from "../../src/index.js";
import { apart, COMMAND, command, FILES, folder, npy, readNpy, write } from "../support/cli.js";
import { run } from "../support/cli-code.js";

const keras = (name: string) => join(FILES, "keras", name);
const tensorflow = (name: string) => join(FILES, "tensorflow", name);

interface Case {
  readonly id: string;
  readonly data: string;
  readonly refuse?: string;
  readonly files: readonly { readonly file: string }[];
  readonly arrays: readonly { role: string; name: string; shape: number[]; offset: number; index?: number }[];
}
const CASES: readonly Case[] = JSON.parse(readFileSync(keras("case.json"), "utf8")).cases;

/** The input of a layer, and the first output that the framework gives for it. */
function arraysOf(id: string, layer: string): [input: Tensor, expected: Tensor] {
  const { data, arrays } = CASES.find((one) => one.id === id)!;
  const numbers = new Float32Array(new Uint8Array(readFileSync(keras(data))).buffer);
  return ["input", "expected"].map((role) => {
    const { shape, offset } = arrays.find((array) => array.role === role && array.name === layer)!;
    return new Tensor(numbers.slice(offset, offset + shape.reduce((a, b) => a * b)), shape);
  }) as [Tensor, Tensor];
}

/** What stands between two lines of what inspect prints. */
const part = (path: string, from: string, to: string) => {
  const { code, out, error } = command("inspect", path);
  expect([code, error]).toEqual([0, ""]);
  const lines = out.split("\n");
  return lines.slice(lines.indexOf(from) + 1, lines.indexOf(to, lines.indexOf(from)));
};
const layersOf = (path: string) => part(path, "layers", "");

describe("inspect", () => {
  it("prints layers as Keras' summary does", () => {
    expect(layersOf(keras("stack-k3.keras"))).toEqual([
      "  Layer (type)            Output Shape     Param #",
      "  x (InputLayer)          (None, 5, 2)     0",
      "  lstm (LSTM)             (None, None, 3)  72",
      "  gru (GRU)               (None, None, 3)  72",
      "  simple_rnn (SimpleRNN)  (None, 2)        12",
      "  dense (Dense)           (..., 1)         3",
    ]);
    expect(layersOf(keras("bi-modes-k3.h5")).slice(2)).toEqual([
      "  mul (Bidirectional)   (None, None, 2)                     20",
      "  ave (Bidirectional)   (None, 2)                           80",
      "  none (Bidirectional)  [(None, None, 2), (None, None, 2)]  72",
    ]);
    expect(layersOf(keras("bi-k3-from-keras/model.json"))).toEqual(layersOf(keras("bi-k3.keras")));
  });

  it("lists all arrays by their layers, and what is not supported", () => {
    expect(part(keras("lambda-k3.h5"), "tensors", "")).toEqual([
      "  lstm_4/kernel            float32  [2, 8]",
      "  lstm_4/recurrent_kernel  float32  [2, 8]",
      "  lstm_4/bias              float32  [8]",
    ]);
    expect(layersOf(keras("lambda-k3.h5")).at(-1)).toBe(
      '  not supported: "lambda": Lambda: its Python code is not run',
    );
    expect(layersOf(tensorflow("layer-norm.npz")).join()).toMatch(
      /^ {2}not supported: variables: the cell .*layer_norm_basic_lstm_cell" is no BasicLSTM cell/,
    );
  });

  it("says in the code what Keras' layer does besides", () => {
    const codeOf = (name: string) => command("inspect", keras(name), "--code").out;
    expect(codeOf("bi-modes-k3.h5")).toContain(`
// The output has both halves side by side; Keras' layer gives their mean (merge_mode).
// Keras' layer gives the last row of the first half and the first row of the second alone (return_sequences=False).
const ave = LSTM.fromStateDict(layers[2].recurrent.stateDict);
const [aveOutput, aveState] = ave.forward(Tensor.zeros([1, 1, 2])); // (batch, steps, 2)
`);
    expect(codeOf("time-k3.h5")).toContain(`
// It begins at the last step, whose row of the output is the first.
// Keras' layer gives the last row alone (return_sequences=False).
const back =`);
    expect(codeOf("stateful-k3.h5")).toContain(
      "// It is stateful: pass the state that the call before it gave.\nconst lstm =",
    );
    expect(codeOf("cells-k3.keras")).toContain(
      "// One of several cells: each takes the output of the one before.\nconst pairLstmCell2 = LSTM.fromStateDict(layers[4].parts[1].recurrent.stateDict);",
    );
    expect(codeOf("bi-own-k3.h5")).toContain(
      "// A half of a Bidirectional, which gives of its halves both side by side (merge_mode).\n" +
        "// It begins at the last step, whose row of the output is the first, which Bidirectional turns back.",
    );
    expect(codeOf("stack-k3.keras")).toContain(
      '// Not recurrent, their arrays are in layers[...].weights: layers[4] "dense" (Dense)\n',
    );
  });

  it("tells the output shape of a layer that runs at each time step", () => {
    const of = (file: string) => command("inspect", keras(file)).out;
    expect(of("frames-k3.h5")).toContain("  both (TimeDistributed)     (None, None, 4)  60\n");
    expect(of("graph-k3.keras")).toMatch(/ each \(TimeDistributed\) +\(\.\.\., 2\) +6\n/);
  });

  // In one process, which imports the command and then what it printed: a process for each file takes minutes.
  it("prints code that runs, for every file that a reader takes", () => {
    const paths = [
      ...CASES.flatMap(({ files }) => files.map(({ file }) => keras(file))),
      ...["tensorflow", "numpy"].flatMap((room) =>
        readdirSync(join(FILES, room))
          .filter((name) => /\.(manifest\.json|npz|npy|pkl)$/.test(name))
          .map((name) => join(FILES, room, name)),
      ),
    ];
    const script = write(
      "all.mjs",
      `import { writeFileSync } from "node:fs";
      import { pathToFileURL } from "node:url";
      for (const emitter of [process, process.stdout, process.stderr]) emitter.setMaxListeners(0);
      console.log = () => {};
      const print = process.stdout.write.bind(process.stdout);
      const command = pathToFileURL(${JSON.stringify(COMMAND)});
      const codes = [];
      for (const [at, path] of ${JSON.stringify(paths)}.entries()) {
        let code = "";
        process.stdout.write = (text) => (code += text);
        process.argv = [process.argv[0], "cli.js", "inspect", path, "--code"];
        process.exitCode = 0;
        await import(command + "?" + at);
        codes.push(process.exitCode);
        writeFileSync("code-" + at + ".mjs", code);
        await import("./code-" + at + ".mjs");
      }
      process.exitCode = 0;
      print(JSON.stringify(codes));`,
    );
    const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
      encoding: "utf8",
      cwd: folder,
    });
    expect([status, stderr.split("\n").filter((line) => !line.startsWith("lstm-wasm: "))]).toEqual([0, [""]]);
    const codes: number[] = JSON.parse(stdout);
    expect(paths.filter((_, at) => codes[at] !== 0)).toEqual(paths.filter((path) => !isRead(path)));
    expect(codes.filter((code) => code === 0).length).toBeGreaterThan(100);
  });
});

/** Whether a reader takes the file, with those in its folder. */
function isRead(path: string): boolean {
  const bytes = (name: string) => new Uint8Array(readFileSync(name));
  const beside = readdirSync(dirname(path)).filter((name) =>
    /-shard\d+of\d+(\.bin)?$|^weights\.bin$/.test(name),
  );
  const files = Object.fromEntries(
    [basename(path), ...beside].map((name) => [name, bytes(join(dirname(path), name))]),
  );
  try {
    readWeights(path.endsWith(".json") ? files : bytes(path));
    return true;
  } catch {
    return false;
  }
}

/** The last row of each sequence. */
const lastRow = ({ data, shape }: Tensor) => {
  const [rows, steps, width] = shape as [number, number, number];
  const last = (row: number) => data.subarray((row * steps + steps - 1) * width, (row + 1) * steps * width);
  return new Tensor(Float32Array.from(Array.from({ length: rows }, (_, row) => [...last(row)]).flat()), [
    rows,
    width,
  ]);
};

describe("names of a file", () => {
  const numbers = new Uint8Array(new Float32Array(48).buffer);
  const path = 'a"`$(1)*.bin';
  const name = 'l"*/\n;throw 1;//\u2028throw 2';
  const weights = ["kernel", "recurrent_kernel", "bias"].map((part, at) => ({
    ...{ name: `${name}/${part}`, shape: [[3, 8], [2, 8], [8]][at], dtype: "float32" },
  }));
  const dense = { name: `${name}2/kernel`, shape: [0, 2], dtype: "float32" };
  const modelOf = (file: string) => ({
    modelTopology: {
      keras_version: "2.15.0",
      model_config: {
        class_name: "Sequential",
        config: [
          { class_name: "LSTM", config: { name, units: 2 } },
          { class_name: "Dense\n;throw 3", config: { name: `${name}2` } },
        ],
      },
    },
    weightsManifest: [{ paths: [file], weights: [...weights, dense] }],
  });

  it("stand in literals of the code only", () => {
    write(path, numbers);
    const { results, code } = run(write("evil.json", JSON.stringify(modelOf(path))));
    expect(Object.values(results).map(({ output }) => output.shape)).toEqual([[1, 1, 2]]);
    expect(code).toMatch(/^\/\/ Not recurrent, .* \(Dense\\n;throw 3\)$/m);
    const cells = weights.map((weight, at) => ({
      ...{ ...weight, name: `${name.replace(/\s/g, "")}/basic_lstm_cell/${["kernel", "bias"][at]}` },
      shape: [[5, 8], [8]][at],
    }));
    const manifest = [{ paths: [path], weights: cells.slice(0, 2) }];
    const made = run(write("cells.json", JSON.stringify(manifest)));
    expect(Object.values(made.results).map(({ output }) => output.shape)).toEqual([[1, 1, 2]]);
  });

  it("lead to no file of another folder", () => {
    write("beside.bin", numbers);
    const model = write("outside.json", JSON.stringify(modelOf(`../${basename(folder)}/beside.bin`)));
    const { code, error } = command("inspect", model);
    expect([code, error]).toEqual([4, expect.stringContaining("outside.json: tfjs: missing of 1 files: ")]);
  });
});

describe("the code gives the framework's numbers", () => {
  it.each<[string, string, readonly string[], readonly string[]]>([
    ["stack-k3", "stack-k3.keras", ["lstm", "gru"], ["simple_rnn"]],
    ["stack-k2", "stack-k2-from-h5/model.json", ["lstm", "gru"], ["simple_rnn"]],
    // Without config, by the usual options of its version.
    ["stack-keras2", "stack-keras2.old.h5", ["lstm_1", "gru_1"], ["rnn_1"]],
  ])("%s: %s", (id, file, rows, last) => {
    const called: Record<string, string> = {
      ...{ simple_rnn: "simpleRnn", lstm_1: "lstm1", gru_1: "gru1", rnn_1: "rnn1" },
    };
    const names = [...rows, ...last];
    const given = Object.fromEntries(names.map((name) => [called[name] ?? name, arraysOf(id, name)[0]]));
    const { results } = run(keras(file), [], given);
    for (const name of names) {
      const { data, shape } = results[called[name] ?? name]!.output;
      const output = new Tensor(Float32Array.from(data), shape);
      expect(apart(last.includes(name) ? lastRow(output) : output, arraysOf(id, name)[1])).toBeLessThan(1e-6);
    }
  });

  it("of a Bidirectional in a file of weights alone, both halves side by side", () => {
    const path = write(
      "bi.weights.h5",
      unzipSync(readFileSync(keras("bi-k3.keras")))["model.weights.h5"] as Uint8Array,
    );
    const [concat, sum] = ["concat", "sum"].map((name) => arraysOf("bi-k3", name));
    const { results, code } = run(path, [], { concat: concat![0], sum: sum![0] });
    expect(code).toContain("Keras' layer joins them by its merge_mode");
    const outputOf = (name: string) => {
      const { data, shape } = results[name]!.output;
      return new Tensor(Float32Array.from(data), shape);
    };
    expect(apart(outputOf("concat"), concat![1])).toBeLessThan(1e-6);
    const [halves, expected] = [outputOf("sum"), sum![1]];
    const units = halves.shape[2]! / 2;
    const [forward, backward] = [
      halves.slice(2, 0, units).select(1, -1),
      halves.slice(2, units).select(1, 0),
    ];
    const joined = forward.data.map((value, at) => value + backward.data[at]!);
    expect(apart(new Tensor(joined, forward.shape), expected)).toBeLessThan(1e-6);
  });

  it("of an RNN of one cell in a file of weights alone", () => {
    const path = write(
      "cells.weights.h5",
      unzipSync(readFileSync(keras("cells-k3.keras")))["model.weights.h5"] as Uint8Array,
    );
    const { results, code } = run(path);
    expect(Object.keys(results)).toEqual(["bi", "lstm", "gru", "rnn"]);
    expect(code).toContain('Not recurrent, their arrays are in layers[...].weights: layers[4] "pair" (RNN)');
  });

  it("of a model.json in which Python wrote NaN and Infinity, and whose code runs", () => {
    const from = keras("stack-k2-from-h5/model.json");
    const text = readFileSync(from, "utf8").replace(
      '"class_name": "LSTM", "config": {',
      '$& "low": [NaN, -Infinity], "high": Infinity,',
    );
    expect(text).toContain("[NaN, ");
    const path = write("words.json", text);
    for (const { paths } of JSON.parse(readFileSync(from, "utf8")).weightsManifest) {
      for (const name of paths) copyFileSync(join(dirname(from), name), join(folder, name));
    }
    const [input, expected] = arraysOf("stack-k2", "lstm");
    const { data, shape } = run(path, [], { lstm: input }).results.lstm!.output;
    expect(apart(new Tensor(Float32Array.from(data), shape), expected)).toBeLessThan(1e-6);
  });
});

describe("run", () => {
  const output = join(folder, "out.npy");

  it.each<[string, string, string]>([
    ["stack-k3", "stack-k3.h5", "lstm"],
    ["stack-k2", "stack-uint16-k2/model.json", "gru"],
    ["time-k3", "time-k3.h5", "back_rows"],
    ["bi-k3", "bi-k3.keras", "concat"],
  ])("%s: %s, %s", (id, file, layer) => {
    const [input, expected] = arraysOf(id, layer);
    const given = write("in.npy", npy(input));
    const { code, error } = command(
      ...["run", keras(file), "--input", given, "--prefix", layer, "--output", output, "--force"],
    );
    expect(code).toBe(0);
    expect(error).toBe(
      layer === "back_rows"
        ? "lstm-wasm: note: It begins at the last step, whose row of the output is the first.\n"
        : "",
    );
    expect(apart(readNpy(output), expected)).toBeLessThan(file.includes("uint16") ? 1e-4 : 1e-6);
  });

  it("takes the only recurrent layer, and names layers otherwise", () => {
    const [input] = arraysOf("stack-k3", "lstm");
    const given = write("in.npy", npy(input));
    const one = command("run", keras("lambda-k3.h5"), "--input", given);
    expect([one.code, one.out.split("\n")[0]]).toEqual([0, "LSTM 2 -> 2: [2, 5, 2] -> [2, 5, 2]"]);
    expect(one.error).toContain("note: Keras' layer gives the last row alone (return_sequences=False).\n");
    const several = command("run", keras("stack-k3.h5"), "--input", given);
    expect(several.code).toBe(2);
    expect(several.error).toContain('name a layer with --prefix; there are\n  "lstm"  LSTM 2 -> 3\n  "gru"');
    const open = command("run", keras("stack-k2.old.h5"), "--input", given, "--prefix", "lstm");
    expect(open.error).toContain(
      'layer "lstm": run does not run a layer of a file without config; give its arrays to fromKeras',
    );
  });

  it.each(["stack", "bidirectional", "peepholes"])("a layer of TensorFlow: %s", (name) => {
    const arrays = readNumpy(new Uint8Array(readFileSync(tensorflow(`${name}.out.npz`)))) as Map<
      string,
      Tensor
    >;
    const given = write("in.npy", npy(arrays.get("input")!));
    const { code, error } = command(
      ...["run", tensorflow(`${name}.npz`), "--input", given, "--output", output, "--force"],
    );
    expect([code, error]).toEqual([0, ""]);
    expect(apart(readNpy(output), arrays.get("output")!)).toBeLessThan(1e-6);
  });
});

it.each([
  ["Keras", keras("stack-k3.h5")],
  ["Keras", keras("stack-k2-from-h5/model.json")],
  ["TensorFlow", tensorflow("stack.npz")],
])("quantize names the way on for layers of %s: %s", (whose, path) => {
  const { code, error } = command("quantize", path, join(folder, "q.safetensors"));
  expect(code).toBe(4);
  expect(error).toContain(
    `quantize takes no layers of ${whose}; quantizeStateDict takes the stateDict that inspect's code has of each, and writeSafetensors writes it`,
  );
});
