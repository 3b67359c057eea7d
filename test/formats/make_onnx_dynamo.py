"""Writes the .onnx files of test/formats/files/onnx-dynamo: what PyTorch's default exporter (dynamo=True) writes.

expected.json has the state dicts; of int8 models the floats that they stand for, and a run of these. The nodes'
metadata is taken out, for it is long. Where it matters, all but the stack traces is kept, which name the folders of the
machine. The files gru-onnxscript-* are by make_onnx_writers.py.

Run with PyTorch 2.15.0, onnx 1.23.2, onnxscript 0.7.2 and onnxruntime 1.32.0: python3 test/formats/make_onnx_dynamo.py
"""

import json
import os
import tempfile

import numpy
import onnx
import torch
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files", "onnx-dynamo")
os.makedirs(FOLDER, exist_ok=True)
expected = {}
KEPT = ("namespace", "pkg.torch.onnx.class_hierarchy")


class Model(nn.Module):
    def __init__(self, rnn):
        super().__init__()
        self.rnn = rnn

    def forward(self, x, *state):
        return self.rnn(x, (state if len(state) > 1 else state[0]) if state else None)


def describe(state):
    return {key: {"shape": list(t.shape), "data": t.double().flatten().tolist()} for key, t in state.items()}


def save(model, name, bare, metadata):
    """A bare file does not state the shapes of the values between nodes."""
    for node in model.graph.node:
        kept = [prop for prop in node.metadata_props if metadata and prop.key in KEPT]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    if bare:
        del model.graph.value_info[:]
    if all(node.domain == "" for node in model.graph.node):
        onnx.checker.check_model(model)
    onnx.save(model, os.path.join(FOLDER, name))


def export(name, rnn, feeds_state=False, dynamic=False, bare=True, metadata=False, **options):
    model = Model(rnn).eval()
    x = torch.randn(2, 4, rnn.input_size) if rnn.batch_first else torch.randn(4, 2, rnn.input_size)
    rows = rnn.num_layers * (2 if rnn.bidirectional else 1)
    count = (2 if isinstance(rnn, nn.LSTM) else 1) if feeds_state else 0
    state = [torch.randn(rows, 2, rnn.hidden_size) for _ in range(count)]
    if dynamic:
        axes = {0: torch.export.Dim("a"), 1: torch.export.Dim("b")}
        batch = axes[0] if rnn.batch_first else axes[1]
        states = tuple({1: batch} for _ in state)
        options["dynamic_shapes"] = (axes, states) if feeds_state else (axes,)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        torch.onnx.export(model, (x, *state), path, dynamo=True, external_data=False, verbose=False, **options)
        saved = onnx.load(path)
    save(saved, name, bare, metadata)
    expected[name] = {
        "kind": type(rnn).__name__,
        "numLayers": rnn.num_layers,
        "bidirectional": rnn.bidirectional,
        "batchFirst": rnn.batch_first,
        "bias": rnn.bias,
        "takesState": feeds_state,
        "state": describe(rnn.state_dict()),
    }


def export_projected():
    """An LSTM with proj_size that takes its state. The exporter leaves out weight_hr, and cuts the others."""
    model = Model(nn.LSTM(3, 4, proj_size=2)).eval()
    example = (torch.randn(5, 2, 3), torch.randn(1, 2, 2), torch.randn(1, 2, 4))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        torch.onnx.export(model, example, path, dynamo=True, external_data=False, verbose=False)
        saved = onnx.load(path)
    # Of its outputs too the graph states c as larger than h; they are left out, so that the input alone tells.
    del saved.graph.output[1:]
    saved.graph.node[2].output[1:] = []
    save(saved, "lstm-projected-state.onnx", bare=True, metadata=False)


torch.manual_seed(0)
export("lstm-stack.onnx", nn.LSTM(3, 2, num_layers=3))
export("lstm-both-ways.onnx", nn.LSTM(3, 2, num_layers=2, bidirectional=True))
export("lstm-both-ways-dynamic.onnx", nn.LSTM(3, 2, num_layers=2, bidirectional=True), dynamic=True)
export("lstm-state.onnx", nn.LSTM(3, 2, num_layers=2, bidirectional=True), feeds_state=True)
export("lstm-state-dynamic.onnx", nn.LSTM(3, 2, num_layers=2, batch_first=True), feeds_state=True, dynamic=True)
export("lstm-dropout.onnx", nn.LSTM(3, 2, num_layers=2, dropout=0.5, bias=False))
export("gru-both-ways-dynamic.onnx", nn.GRU(3, 2, num_layers=2, bidirectional=True, batch_first=True), dynamic=True)
export("gru-state.onnx", nn.GRU(3, 2, num_layers=3, bidirectional=True, batch_first=True), feeds_state=True)
export("lstm-unoptimised.onnx", nn.LSTM(3, 2, num_layers=2), optimize=False, bare=False)
export("gru-unoptimised-dynamic.onnx", nn.GRU(3, 2, num_layers=2, batch_first=True), dynamic=True, optimize=False, bare=False)
export("lstm-stack-shapes.onnx", nn.LSTM(3, 2, num_layers=2, batch_first=True), bare=False)
export("rnn-unrolled.onnx", nn.RNN(3, 2), metadata=True)


def quantize(name, rnn, **options):
    """By onnxruntime's quantize_dynamic. The truth is the float LSTM of the weights that the int8 ones stand for."""
    model = Model(rnn).eval()
    x = torch.randn(4, 2, rnn.input_size)
    with tempfile.TemporaryDirectory() as folder:
        plain, path = os.path.join(folder, "plain.onnx"), os.path.join(folder, "model.onnx")
        torch.onnx.export(model, (x,), plain, dynamo=True, external_data=False, verbose=False)
        quantize_dynamic(plain, path, op_types_to_quantize=["LSTM"], **options)
        saved = onnx.load(path)
    constants = {one.name: numpy_helper.to_array(one) for one in saved.graph.initializer}
    state = rnn.state_dict()
    hidden = rnn.hidden_size
    nodes = [node for node in saved.graph.node if node.op_type == "DynamicQuantizeLSTM"]
    for layer, node in enumerate(nodes):
        for kind, weight, scale in ("ih", 1, 8), ("hh", 2, 10):
            numbers = constants[node.input[weight]].transpose(0, 2, 1)
            scales = constants[node.input[scale]].reshape(numbers.shape[0], -1, 1)
            floats = (numbers * scales).astype(numpy.float32)
            for direction, rows in enumerate(floats):
                i, o, f, c = (rows[gate * hidden : (gate + 1) * hidden] for gate in range(4))
                key = f"weight_{kind}_l{layer}{'_reverse' if direction else ''}"
                value = torch.from_numpy(numpy.concatenate([i, f, c, o]))
                assert (value - state[key]).abs().max() < 0.51 * scales.max(), key
                state[key] = value
    rnn.load_state_dict(state)
    save(saved, name, bare=True, metadata=False)
    with torch.no_grad():
        y, _ = model(x)
    expected[name] = {
        "kind": "LSTM",
        "numLayers": rnn.num_layers,
        "bidirectional": rnn.bidirectional,
        "batchFirst": False,
        "bias": True,
        "takesState": False,
        "state": describe(state),
        "run": describe({"x": x, "y": y}),
    }


quantize("lstm-int8.onnx", nn.LSTM(3, 2, num_layers=2, bidirectional=True), weight_type=QuantType.QInt8)
quantize("lstm-int8-per-row.onnx", nn.LSTM(3, 2), weight_type=QuantType.QInt8, per_channel=True)
export_projected()

path = os.path.join(FOLDER, "expected.json")
with open(path) as file:
    others = {name: value for name, value in json.load(file).items() if "-onnxscript-" in name}
with open(path, "w") as file:
    json.dump({**expected, **others}, file, indent=0, sort_keys=True)
    file.write("\n")
