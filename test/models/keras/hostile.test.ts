/** Configs that are wrong or hostile: an error that names the layer. */
import { describe, expect, it } from "vitest";
import { FormatError } from "../../../src/formats/bytes.js";
import { loadKeras } from "../../../src/models/index.js";
import { kerasFile } from "./cases.js";

const weights = kerasFile("dense-k3.h5");

const input = (name = "x", shape: unknown = [null, 3]) => ({
  class_name: "InputLayer",
  config: { name, batch_shape: shape },
  name,
  inbound_nodes: [],
});

/** A layer of a functional model. */
const layer = (name: string, className: string, from: unknown[], config: object = {}) => ({
  class_name: className,
  config: { name, ...config },
  name,
  inbound_nodes: from.length === 0 ? [] : [from],
});

const model = (layers: unknown[], output: unknown, name = "m") => ({
  class_name: "Functional",
  keras_version: "2.15.0",
  config: { name, layers, input_layers: [["x", 0, 0]], output_layers: [output] },
});

const load = (config: object) => () => loadKeras(config, { weights });

/** Refused by a FormatError with this text. */
function refused(config: object, message: RegExp | string): void {
  expect(load(config)).toThrow(FormatError);
  expect(load(config)).toThrow(message);
}

describe("a graph of layers", () => {
  it("must not go round", () => {
    refused(
      model([input(), layer("a", "Dropout", [["a", 0, 0, {}]])], ["a", 0, 0]),
      'layer "a": its inputs are made of its own output',
    );
    const ring = ["a", "b", "c"].map((name, at) => layer(name, "Dropout", [["abc"[(at + 1) % 3], 0, 0, {}]]));
    refused(model([input(), ...ring], ["a", 0, 0]), "its inputs are made of its own output");
  });

  it("must have the layers, calls and outputs that it names", () => {
    const a = layer("a", "Dropout", [["x", 0, 0, {}]]);
    refused(model([input(), a], ["b", 0, 0]), 'call 0 of layer "b" is not in the config');
    refused(model([input(), a], ["a", 1, 0]), 'call 1 of layer "a" is not in the config');
    refused(model([input(), a], ["a", 0, 2]), 'layer "a" has no output 2');
    refused(model([input(), a, a], ["a", 0, 0]), 'has two layers called "a"');
    refused(model([a], ["a", 0, 0]), 'input "x": is no layer with a shape');
    for (const name of ["Functional", "Mine", "Sequential"])
      refused(
        { ...model(7 as never, ["a", 0, 0]), class_name: name },
        `keras: ${name} "m": its config has no layers`,
      );
    refused(model([input(), { ...a, name: 7 }], ["a", 0, 0]), "name of layer 1: expected a string, got 7");
    refused(model([input(), 7], ["a", 0, 0]), 'layer 1 of "m": expected { class_name, config }, got 7');
    refused(model([input("x", [null, "3"]), a], ["a", 0, 0]), "input shape: expected sizes or null");
    refused(model([input(), { ...a, inbound_nodes: 7 }], ["a", 0, 0]), "inbound_nodes: expected a list");
    refused(model([input(), { ...a, inbound_nodes: [[7]] }], ["a", 0, 0]), "expected [layer, node, tensor]");
  });

  it("may have ten thousand layers, in any order", () => {
    const chain = Array.from({ length: 10_000 }, (_, at) =>
      layer(`d${at}`, "Dropout", [[at === 0 ? "x" : `d${at - 1}`, 0, 0, {}]]),
    );
    using plain = load(model([input(), ...chain.reverse()], ["d9999", 0, 0]))();
    expect(plain.run(Float32Array.of(1, 2, 3)).d9999!.data).toEqual(Float32Array.of(1, 2, 3));
    refused(
      model([input(), ...chain, layer("end", "Mine", [["d9999", 0, 0, {}]])], ["end", 0, 0]),
      'layer "end" (Mine)',
    );
  });

  it("must not call models within models without end", () => {
    const twice = (name: string, inner: object, depth: number): object => {
      const calls = Array.from({ length: 41 }, (_, at) => [
        [at === 0 ? "x" : "in", Math.max(at - 1, 0), 0, {}],
      ]);
      const own = { ...inner, name: "in", inbound_nodes: calls };
      const outer = { ...model([input(), own], ["in", 40, 0], name) };
      return depth === 0 ? outer : twice(`${name}x`, outer, depth - 1);
    };
    const inner = model([input(), layer("d", "Dropout", [["x", 0, 0, {}]])], ["d", 0, 0], "in");
    refused(twice("m", inner, 4), /more than 50000 calls of layers/);
  });

  it("names the layer that is not supported, and its class", () => {
    const end = (className: string, more: object = {}) =>
      model([input(), { ...layer("end", className, [["x", 0, 0, {}]]), ...more }], ["end", 0, 0]);
    refused(end("Lambda"), 'keras: layer "end" (Lambda): its Python code is not run');
    refused(end("ConvLSTM2D"), 'layer "end" (ConvLSTM2D): ');
    refused(end("toString"), 'layer "end" (toString): layers of this class are not supported');
    refused(end("__proto__"), 'layer "end" (__proto__): ');
    refused(end("Mine", { registered_name: "pack>Mine" }), "pack>Mine");
    refused(end("LSTM"), 'layer "end" (LSTM): ');
    refused(end("Dense"), 'layer "end" (Dense): ');
  });
});

it("a Sequential must have layers and a shape", () => {
  const of = (layers: object[]) => ({
    class_name: "Sequential",
    keras_version: "2.15.0",
    config: { name: "s", layers },
  });
  refused(of([]), 'model "s": has no layers');
  refused(of([{ class_name: "Dropout", config: { name: "d" } }]), "does not tell the shape of its input");
});
