/** Plans of whole models whose branches and sizes numbers of the run decide: what they read, and what stays on the host. */
import { describe, expect, it } from "vitest";
import { outputsOf } from "../support/model-outputs.js";
import { floats, type GraphOptions, graph, int64s, node } from "../support/onnx-writer.js";

describe("control flow that numbers decide", () => {
  const branch = (operator: string) => graph({ outputs: ["r"], nodes: [node(operator, ["a", "x"], ["r"])] });
  const BRANCHES = { then_branch: { graph: branch("Add") }, else_branch: { graph: branch("Sub") } };

  it("reads what was made before it, though later nodes could have taken the room", () => {
    const main: GraphOptions = {
      inputs: [{ name: "x", shape: ["n"] }],
      outputs: ["y", "e"],
      initializers: [floats("zero", [], [0])],
      nodes: [
        node("Neg", ["x"], ["a"]),
        node("Exp", ["x"], ["b"]),
        node("Log", ["b"], ["c"]),
        node("TopK", ["x", "k"], ["top", ""]),
        node("ReduceSum", ["c"], ["sum"], { attributes: { keepdims: 0 } }),
        node("Less", ["sum", "zero"], ["is"]),
        node("If", ["is"], ["y"], { attributes: BRANCHES }),
        node("Relu", ["top"], ["e"]),
      ],
    };
    const whole = { ...main, initializers: [...main.initializers!, int64s("k", [1])] };
    expect(outputsOf(whole, Float32Array.of(1, 2))).toEqual({ y: [[2], [-2, -4]], e: [[1], [2]] });
    expect(outputsOf(whole, Float32Array.of(-3, 2))).toEqual({ y: [[2], [0, 0]], e: [[1], [2]] });
  });

  it("leaves TopK to the host, whatever its count is", () => {
    const main: GraphOptions = {
      inputs: [{ name: "x", shape: ["n"] }],
      outputs: ["values", "places"],
      initializers: [int64s("k", [3])],
      nodes: [node("TopK", ["x", "k"], ["values", "places"])],
    };
    expect(outputsOf(main, Float32Array.of(1, 9, -2, 4, 9))).toEqual({
      values: [[3], [9, 9, 4]],
      places: [[3], [1n, 4n, 3n]],
    });
  });

  it("refuses a branch that gives fewer outputs", () => {
    const main: GraphOptions = {
      inputs: [
        { name: "a", shape: [1] },
        { name: "x", shape: [1] },
        { name: "is", type: 9, shape: [] },
      ],
      outputs: ["y"],
      nodes: [node("If", ["is"], ["y", "z"], { attributes: BRANCHES })],
    };
    expect(() => outputsOf(main, { a: 1, x: 2, is: true }, { constants: { is: true } })).toThrow(
      "its branch gives fewer outputs",
    );
  });

  it("refuses an operator in a branch that it has to take, and reads no other", () => {
    const main: GraphOptions = {
      inputs: [
        { name: "x", shape: [1] },
        { name: "is", type: 9, shape: [] },
      ],
      outputs: ["y"],
      nodes: [
        node("If", ["is"], ["y"], {
          attributes: {
            then_branch: { graph: graph({ outputs: ["r"], nodes: [node("Nope", ["x"], ["r"])] }) },
            else_branch: { graph: graph({ outputs: ["r"], nodes: [node("Neg", ["x"], ["r"])] }) },
          },
        }),
      ],
    };
    const is = (number: boolean) => ({ constants: { is: number } });
    expect(outputsOf(main, { x: 2 }, is(false))).toEqual({ y: [[1], [-2]] });
    expect(() => outputsOf(main, { x: 2 }, is(true))).toThrow(
      "(Nope, opset 20): the operator is not supported",
    );
  });

  it("reads what a branch gave whose types only a run tells", () => {
    const open = graph({
      outputs: ["z"],
      nodes: [
        node("Cast", ["x"], ["shape"], { attributes: { to: 7 } }),
        node("ConstantOfShape", ["shape"], ["z"]),
      ],
    });
    const reads = (operator: string) => graph({ outputs: ["r"], nodes: [node(operator, ["v"], ["r"])] });
    const main: GraphOptions = {
      inputs: [
        { name: "x", shape: ["n"] },
        { name: "is", type: 9, shape: [] },
      ],
      outputs: ["y", "v"],
      initializers: [floats("three", [], [3])],
      nodes: [
        node("If", ["is"], ["v"], {
          attributes: { then_branch: { graph: open }, else_branch: { graph: open } },
        }),
        node("ReduceSum", ["x"], ["sum"], { attributes: { keepdims: 0 } }),
        node("Less", ["sum", "three"], ["less"]),
        node("If", ["less"], ["y"], {
          attributes: { then_branch: { graph: reads("Exp") }, else_branch: { graph: reads("Identity") } },
        }),
      ],
    };
    const constants = { is: true };
    expect(outputsOf(main, { x: Float32Array.of(1, 1) }, { constants })).toEqual({
      y: [[1, 1], [1]],
      v: [[1, 1], [0]],
    });
    expect(outputsOf(main, { x: Float32Array.of(2, 1) }, { constants })).toEqual({
      y: [
        [2, 1],
        [0, 0],
      ],
      v: [
        [2, 1],
        [0, 0],
      ],
    });
  });

  it("keeps nodes before it whose outputs nobody names", () => {
    const main: GraphOptions = {
      inputs: [{ name: "x", shape: ["n"] }],
      outputs: ["y"],
      initializers: [floats("zero", [], [0])],
      nodes: [
        node("Neg", ["x"], ["a"]),
        node("Concat", ["a", "x"], [""], { attributes: { axis: 0 } }),
        node("ReduceSum", ["x"], ["sum"], { attributes: { keepdims: 0 } }),
        node("Less", ["sum", "zero"], ["is"]),
        node("If", ["is"], ["y"], { attributes: BRANCHES }),
      ],
    };
    expect(outputsOf(main, Float32Array.of(1, 2))).toEqual({ y: [[2], [-2, -4]] });
  });
});
