import { describe, expect, it } from "vitest";
import { readTorch } from "../../src/formats/torch/index.js";
import { dict, op, pt, tensor, tuple } from "../support/torch-writer.js";

const CELL = "__torch__.torch.classes.rnn.CellParamsBase";

/** A packed object, as torch.save writes it. */
function packed(state: readonly number[], name = CELL): number[] {
  return [
    ...op.global("torch", "ScriptObject"),
    ...op.emptyTuple,
    ...op.newObject,
    ...tuple(state, op.text(name)),
    ...op.build,
  ];
}

const matrix = tensor({ size: tuple(op.int(4), op.int(1)), stride: tuple(op.int(1), op.int(1)) });
const pair = (bias: readonly number[]) => tuple(matrix, bias);
const cell = (...products: readonly (readonly number[])[]) =>
  packed(
    tuple(
      op.text("quantized_fp16"),
      tuple(tensor(), tensor()),
      op.emptyList,
      op.emptyList,
      tuple(...products),
    ),
  );

function read(value: Record<string, readonly number[]>) {
  const storage = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
  return readTorch(pt([...op.proto(), ...dict({ plain: tensor(), ...value }), ...op.stop], storage));
}

const UNKNOWN = "it is packed by PyTorch in a form that is not known";
const first = "lstm._all_weight_values.0.param";

describe("packed weights", () => {
  it("come under plain names, with the biases beside them where they have none", () => {
    const names = ["plain", "lstm.weight_ih_l0", "lstm.bias_ih_l0", "lstm.weight_hh_l0", "lstm.bias_hh_l0"];
    const two = read({ [first]: cell(pair(op.none), pair(op.none)) });
    expect([...two.keys()]).toEqual(names);
    expect(two.get("lstm.weight_ih_l0")!.shape).toEqual([4, 1]);
    expect([...read({ [first]: cell(pair(tensor()), pair(tensor())) }).keys()]).toEqual(names);
  });

  it.each<[string, readonly number[]]>([
    ["another class", packed(op.emptyTuple, "__torch__.torch.classes.rnn.Other")],
    ["an object without a class", [...op.global("torch", "ScriptObject"), ...op.emptyTuple, ...op.newObject]],
    ["no list of parts", packed(op.none)],
    ["one product", cell(pair(op.none))],
    ["products that are numbers", cell(op.int(1), op.int(2))],
    ["products of three parts", cell(tuple(matrix, op.none, op.none), pair(op.none))],
    ["a product without a weight", cell(tuple(op.none, op.none), pair(op.none))],
    ["a list", op.emptyList],
  ])("are skipped where the form is not known: %s", (_, value) => {
    const { skipped } = read({ [first]: value });
    expect(skipped).toEqual([{ name: "lstm.weight_ih_l0", reason: UNKNOWN }]);
  });

  it("are skipped where one of a stack is missing", () => {
    const value = cell(pair(op.none), pair(op.none));
    const { skipped } = read({ [first]: value, "lstm._all_weight_values.2.param": value });
    expect(skipped).toEqual([{ name: "lstm.weight_ih_l0", reason: UNKNOWN }]);
  });

  it("of a Linear take its scale and zero point away, which are its output's", () => {
    const scalar = tensor({ size: op.emptyTuple, stride: op.emptyTuple });
    const beside = { "head.scale": scalar, "head.zero_point": scalar, "other.scale": scalar };
    const dictionary = read({ ...beside, "head._packed_params._packed_params": pair(op.none) });
    expect([...dictionary.keys()]).toEqual(["plain", "other.scale", "head.weight"]);
    expect(read({ "head._packed_params._packed_params": op.emptyList }).skipped).toEqual([
      { name: "head.weight", reason: UNKNOWN },
    ]);
  });
});
