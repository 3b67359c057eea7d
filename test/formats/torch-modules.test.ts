/** What whole modules and TorchScript tell of their layers: files by make_torch_script.py, and code that is none of it. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readTorch } from "../../src/formats/index.js";
import { layersOfModules } from "../../src/formats/torch/module-options.js";
import { Global, PyObject } from "../../src/formats/torch/pickle/globals.js";

const file = (name: string) => readFileSync(new URL(`files/torch-2/${name}`, import.meta.url));

describe("readTorch tells batch_first and the nonlinearity", () => {
  const mixed = {
    "first.": { kind: "LSTM", options: { batchFirst: true } },
    "second.": { kind: "GRU", options: { batchFirst: false } },
    "third.": { kind: "RNN", options: { batchFirst: true, nonlinearity: "relu" } },
    "fourth.": { kind: "LSTM", options: { batchFirst: false } },
  };
  const withCell = {
    "gru.": { kind: "GRU", options: { batchFirst: true } },
    "cell.": { kind: "RNNCell", options: { nonlinearity: "relu" } },
  };

  it.each([
    ["module.pt", mixed],
    ["scripted.pt", mixed],
    ["traced.pt", mixed],
    ["module-cell.pt", withCell],
    ["scripted-cell.pt", withCell],
    ["scripted-quantised.pt", withCell],
  ])("%s, by both versions", (name, expected) => {
    expect(readTorch(file(name)).metadata).toEqual(expected);
    expect(readTorch(file(name.replace(".pt", "-2.4.pt"))).metadata).toEqual(expected);
  });

  it("of a part that a path leads to", () => {
    expect(readTorch(file("module.pt"), { path: "third" }).metadata).toEqual({ "": mixed["third."] });
  });
});

describe("code of TorchScript", () => {
  const module = (name: string) => {
    const object = new PyObject(new Global(name), []);
    object.state = new Map([["weight_ih_l0", 1]]);
    return object;
  };
  const told = (code: string | Uint8Array | undefined, type = "__torch__.nn.GRU") =>
    layersOfModules(new Map([["a.", module(type)]]), (path) => {
      expect(path).toBe("__torch__/nn");
      return typeof code === "string" ? new TextEncoder().encode(code) : code;
    }).get("a.");
  const call = (end: string, operator = "gru") => `    x = torch.${operator}(y, h, w, True, 1, 0., ${end})\n`;

  it("tells the last argument of a call", () => {
    const code = `class LSTM(Module):\n${call("False, False, False")}class GRU(Module):\n${call("training, True, True")}`;
    expect(told(code)).toEqual({ kind: "GRU", options: { batchFirst: true } });
    expect(told(code, "__torch__.nn.LSTM")).toEqual({ kind: "GRU", options: { batchFirst: false } });
  });

  it("tells it twice alike", () => {
    const twice = call("training, True, True") + call("training, True, True");
    expect(told(`class GRU(Module):\n${twice}`)?.options).toEqual({ batchFirst: true });
  });

  it.each<[string, string | Uint8Array | undefined]>([
    ["that is not there", undefined],
    ["of another class", `class LSTM(Module):\n${call("False, False, True")}`],
    ["with a call of packed sequences alone", `class GRU(Module):\n${call("training, True")}`],
    [
      "with two calls that differ",
      `class GRU(Module):\n${call("False, False, True")}${call("False, False, False")}`,
    ],
    ["with a variable", `class GRU(Module):\n${call("training, bidirectional, batch_first")}`],
    ["with another operator", `class GRU(Module):\n${call("False, False, True", "gruff")}`],
    ["on a line without end", `class GRU(Module):\n${call(`${"1, ".repeat(1000)}False, False, True`)}`],
    ["that is no text", new Uint8Array([0xff])],
    ["that is too long", `class GRU(Module):\n${call("False, False, True")}${" \n".repeat(2 ** 19)}`],
  ])("tells nothing %s", (_, code) => {
    expect(told(code)).toBeUndefined();
  });

  it.each<[string, [string, unknown][]]>([
    ["a mode that is none", [["mode", "LSTMS"]]],
    ["no mode", []],
    ["a nonlinearity that is none", [["nonlinearity", "sigmoid"]]],
  ])("is asked where attributes have %s", (_, more) => {
    const object = module("__torch__.nn.RNNCell");
    object.state = new Map<unknown, unknown>([["batch_first", true], ...more]);
    expect(layersOfModules(new Map([["", object]]), () => undefined).size).toBe(0);
  });
});
