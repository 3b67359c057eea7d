"""Writes test/formats/files/onnx-models: small whole models, each as both of PyTorch's exporters write it, and in
expected.json what PyTorch gives for inputs of two shapes.

`old` is TorchScript's exporter (dynamo=False), `new` the default one (dynamo=True). Packed sequences only the old one
takes. The nodes' metadata is taken out, for it is long and names folders of the machine.

Run with PyTorch 2.15.0, onnx 1.23.2 and onnxscript 0.7.2: python3 test/formats/make_onnx_models.py
"""

import json
import os
import tempfile

import onnx
import torch
import torch.nn.functional as F
from torch import nn

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files", "onnx-models")
os.makedirs(FOLDER, exist_ok=True)
expected = {}


class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(3, 4, 2, bidirectional=True)

    def forward(self, x, h, c):
        y, (h, c) = self.rnn(x, (h, c))
        return y, h, c


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 5, 2, batch_first=True)
        self.norm = nn.LayerNorm(5)
        self.head = nn.Linear(5, 3)

    def forward(self, x):
        y, _ = self.rnn(x)
        return torch.softmax(self.head(self.norm(y[:, -1])), -1)


class Sounds(nn.Module):
    """Convolutions before an LSTM, as models of speech and of text in images have them."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 6, 5, stride=2, padding=2)
        self.norm = nn.BatchNorm1d(6)
        self.depthwise = nn.Conv1d(6, 6, 3, padding=1, groups=6)
        self.pool = nn.MaxPool1d(2)
        self.rnn = nn.LSTM(6, 4, batch_first=True, bidirectional=True)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = F.leaky_relu(self.norm(self.conv(x)), 0.1)
        x = self.pool(F.silu(self.depthwise(x)))
        y, _ = self.rnn(x.transpose(1, 2))
        return F.log_softmax(self.head(y), -1)


class Attention(nn.Module):
    """A block of a transformer: heads over normalised inputs, then Gelu."""

    def __init__(self, width=8, heads=2):
        super().__init__()
        self.heads = heads
        self.first = nn.LayerNorm(width)
        self.second = nn.LayerNorm(width)
        self.project = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.up = nn.Linear(width, 12)
        self.down = nn.Linear(12, width)

    def forward(self, x):
        batch, steps, width = x.shape
        parts = self.project(self.first(x)).reshape(batch, steps, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, steps, width)
        x = x + self.out(y)
        return x + self.down(F.gelu(self.up(self.second(x))))


class Texts(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 4, padding_idx=0)
        self.rnn = nn.LSTM(4, 3, 2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(6, 2)

    def forward(self, ids):
        _, (h, _) = self.rnn(self.embed(ids))
        return self.head(torch.cat([h[-2], h[-1]], 1))


class Packed(Texts):
    def forward(self, ids, lengths):
        x = nn.utils.rnn.pack_padded_sequence(self.embed(ids), lengths, batch_first=True)
        _, (h, _) = self.rnn(x)
        return self.head(torch.cat([h[-2], h[-1]], 1))


class Translator(nn.Module):
    """An encoder, and three steps of a decoder that attends to it and reads its own words."""

    def __init__(self):
        super().__init__()
        self.source = nn.Embedding(9, 4)
        self.target = nn.Embedding(7, 4)
        self.encoder = nn.GRU(4, 5, batch_first=True)
        self.decoder = nn.GRUCell(9, 5)
        self.head = nn.Linear(5, 7)

    def forward(self, ids):
        encoded, h = self.encoder(self.source(ids))
        h = h[0]
        word = torch.zeros_like(ids[:, 0])
        scores = []
        for _ in range(3):
            weights = torch.softmax(torch.einsum("bth,bh->bt", encoded, h), 1)
            context = torch.bmm(weights.unsqueeze(1), encoded).squeeze(1)
            h = self.decoder(torch.cat([self.target(word), context], 1), h)
            scores.append(self.head(h))
            word = scores[-1].argmax(1)
        return torch.stack(scores, 1), word


def describe(tensor):
    kind = "int64" if tensor.dtype == torch.int64 else "float32"
    # Nine digits tell a float32.
    data = [float(f"{x:.9g}") if kind == "float32" else x for x in tensor.flatten().tolist()]
    return {"dtype": kind, "shape": list(tensor.shape), "data": data}


def save(path, name):
    model = onnx.load(path)
    for node in model.graph.node:
        del node.metadata_props[:]
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    onnx.save(model, os.path.join(FOLDER, name))


def export(name, model, inputs, axes, make, exporters=("old", "new"), opset=17):
    """`axes` has the names of the axes of each input that stay open; `make` gives inputs of another shape."""
    model.eval()
    first = make(2, 6)
    outputs = model(*first)
    count = len(outputs) if isinstance(outputs, tuple) else 1
    names = [f"out{at}" for at in range(count)]
    runs = []
    for given in (first, make(1, 9)):
        with torch.no_grad():
            got = model(*given)
        got = got if isinstance(got, tuple) else (got,)
        runs.append({
            "inputs": dict(zip(inputs, map(describe, given))),
            "outputs": dict(zip(names, map(describe, got))),
        })
    for exporter in exporters:
        options = {"input_names": inputs, "output_names": names, "verbose": False}
        if exporter == "old":
            options |= {"dynamo": False, "opset_version": opset, "dynamic_axes": dict(zip(inputs, axes))}
        else:
            dims = {axis: torch.export.Dim(axis) for each in axes for axis in each.values()}
            shapes = tuple({at: dims[axis] for at, axis in each.items()} for each in axes)
            options |= {"dynamo": True, "external_data": False, "dynamic_shapes": shapes}
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.onnx")
            torch.onnx.export(model, first, path, **options)
            save(path, f"{name}-{exporter}.onnx")
    expected[name] = runs


def ids(batch, steps, words):
    return torch.randint(1, words, (batch, steps))


torch.manual_seed(0)
both = [{0: "batch", 1: "steps"}]
export("packed", Packed(), ["ids", "lengths"], [*both, {0: "batch"}],
       lambda batch, steps: (ids(batch, steps, 11), torch.tensor([steps, steps - 3][:batch])), ["old"], opset=13)
export("stack", Stack(), ["x", "h", "c"], [{0: "steps", 1: "batch"}, {1: "batch"}, {1: "batch"}],
       lambda batch, steps: (torch.randn(steps, batch, 3), torch.randn(4, batch, 4), torch.randn(4, batch, 4)))
export("classifier", Classifier(), ["x"], both, lambda batch, steps: (torch.randn(batch, steps, 3),))
export("sounds", Sounds(), ["x"], [{0: "batch"}], lambda batch, _: (torch.randn(batch, 2, 24),))
export("attention", Attention(), ["x"], both, lambda batch, steps: (torch.randn(batch, steps, 8),))
export("texts", Texts(), ["ids"], both, lambda batch, steps: (ids(batch, steps, 11),))
export("translator", Translator(), ["ids"], both, lambda batch, steps: (ids(batch, steps, 9),))

with open(os.path.join(FOLDER, "expected.json"), "w") as file:
    json.dump(expected, file, sort_keys=True)
    file.write("\n")
