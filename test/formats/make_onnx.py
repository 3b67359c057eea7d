"""Writes the .onnx files of test/formats/files/onnx as PyTorch exports them, and expected.json with their state dicts.

Run with PyTorch 1.13 and onnx (Debian's python3-torch and python3-onnx): python3 test/formats/make_onnx.py
"""

import json
import os

import onnx
import torch
from onnx import helper, numpy_helper
from torch import nn

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files", "onnx")
os.makedirs(FOLDER, exist_ok=True)
expected = {}


class Model(nn.Module):
    def __init__(self, rnn, feeds_state, head):
        super().__init__()
        self.rnn = rnn
        self.feeds_state = feeds_state
        self.head = nn.Linear(rnn.hidden_size * (2 if rnn.bidirectional else 1), 2) if head else nn.Identity()

    def forward(self, x, *state):
        state = (state if len(state) > 1 else state[0]) if self.feeds_state else None
        output, final = self.rnn(x, state)
        return self.head(output), final


def describe(state):
    return {key: {"shape": list(t.shape), "data": t.double().flatten().tolist()} for key, t in state.items()}


def export(name, rnn, feeds_state=False, head=False, dynamic=True, opset=13, functions=False):
    model = Model(rnn, feeds_state, head).eval()
    x = torch.randn(2, 4, rnn.input_size) if rnn.batch_first else torch.randn(4, 2, rnn.input_size)
    directions = 2 if rnn.bidirectional else 1
    state = [torch.zeros(rnn.num_layers * directions, 2, rnn.hidden_size)] * (2 if isinstance(rnn, nn.LSTM) else 1)
    path = os.path.join(FOLDER, name)
    torch.onnx.export(
        model,
        (x, *state) if feeds_state else (x,),
        path,
        opset_version=opset,
        input_names=["x", "h0", "c0"][: 1 + len(state)] if feeds_state else ["x"],
        dynamic_axes={"x": {0: "a", 1: "b"}} if dynamic else None,
        export_modules_as_functions=functions,
    )
    saved = onnx.load(path)
    # PyTorch's own operators of opset 7 and its functions of modules do not pass.
    if opset > 8 and not functions:
        onnx.checker.check_model(saved)
    expected[name] = {
        "kind": type(rnn).__name__,
        "numLayers": rnn.num_layers,
        "bidirectional": rnn.bidirectional,
        "bias": rnn.bias,
        "takesState": feeds_state,
        "state": describe(rnn.state_dict()),
    }


torch.manual_seed(0)
export("lstm.onnx", nn.LSTM(3, 2), dynamic=False)
export("lstm-opset-9.onnx", nn.LSTM(3, 2, num_layers=2), opset=9)
export("lstm-stack.onnx", nn.LSTM(3, 2, num_layers=3, batch_first=True), feeds_state=True, head=True)
export("lstm-both-ways.onnx", nn.LSTM(3, 2, num_layers=2, bidirectional=True), feeds_state=True)
export("lstm-no-bias.onnx", nn.LSTM(3, 2, bias=False))
export("gru-both-ways.onnx", nn.GRU(3, 2, num_layers=2, bidirectional=True, batch_first=True), head=True)
export("gru-dropout.onnx", nn.GRU(3, 2, num_layers=2, dropout=0.5), dynamic=False)
export("rnn-tanh.onnx", nn.RNN(3, 2, num_layers=2))
export("gru-opset-7.onnx", nn.GRU(3, 2, num_layers=2, bidirectional=True), opset=7)
export("lstm-functions.onnx", nn.LSTM(3, 2, num_layers=2), head=True, opset=15, functions=True)
export("rnn-relu.onnx", nn.RNN(3, 2, num_layers=2, bidirectional=True, nonlinearity="relu"))


def silero():
    """As Silero VAD's exporter writes it: Constants in PyTorch's order in an If branch, reordered at run time."""
    rnn = nn.LSTM(2, 2)
    state = rnn.state_dict()

    def constant(name, value):
        return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value.numpy(), name))

    nodes = [constant(f"decoder.{key}", value) for key, value in state.items()]
    number = 0

    def ints(*values):
        nonlocal number
        number += 1
        nodes.append(constant(f"c{number}", torch.tensor(values)))
        return f"c{number}"

    def reorder(source):
        parts = []
        for start, end in (0, 2), (6, 8), (2, 6):
            parts.append(f"{source}_{start}")
            nodes.append(helper.make_node("Slice", [source, ints(start), ints(end), ints(0)], [parts[-1]]))
        nodes.append(helper.make_node("Concat", parts, [f"{source}_iofc"], axis=0))
        return f"{source}_iofc"

    w, r, bx, bh = (reorder(f"decoder.{key}") for key in state)
    nodes.append(helper.make_node("Concat", [bx, bh], ["b"], axis=0))
    for name in w, r, "b":
        nodes.append(helper.make_node("Unsqueeze", [name, ints(0)], [f"{name}_3"]))
    nodes.append(helper.make_node("LSTM", ["x", f"{w}_3", f"{r}_3", "b_3", "", "h", "c"], ["y", "yh", "yc"], hidden_size=2))

    def value(name, kind=onnx.TensorProto.FLOAT, shape=None):
        return helper.make_tensor_value_info(name, kind, shape)

    then = helper.make_graph(nodes, "then", [], [value("y", shape=[1, 1, 1, 2])])
    other = helper.make_graph([constant("zero", torch.zeros(1, 1, 1, 2))], "else", [], [value("zero", shape=[1, 1, 1, 2])])
    choose = helper.make_node("If", ["flag"], ["out"], name="If_0", then_branch=then, else_branch=other)
    inputs = [value("flag", onnx.TensorProto.BOOL, []), value("x", shape=[1, 1, 2]), value("h", shape=[1, 1, 2]), value("c", shape=[1, 1, 2])]
    graph = helper.make_graph([choose], "main", inputs, [value("out", shape=[1, 1, 1, 2])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)])
    onnx.checker.check_model(model)
    onnx.save(model, os.path.join(FOLDER, "branch.onnx"))
    expected["branch.onnx"] = {
        "kind": "LSTM",
        "numLayers": 1,
        "bidirectional": False,
        "bias": True,
        "takesState": True,
        "state": describe(state),
    }


silero()
with open(os.path.join(FOLDER, "expected.json"), "w") as file:
    json.dump(expected, file, indent=0, sort_keys=True)
    file.write("\n")
