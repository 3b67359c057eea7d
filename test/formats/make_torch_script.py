"""Writes whole modules of test/formats/files/torch-2, which tell of batch_first and the nonlinearity: of TorchScript,
scripted, traced and quantised, and one that torch.save pickles. What they hold and give goes into expected.json and
outputs.json there.

Run with PyTorch 2.15.0, then with PyTorch 2.4.1, which writes the files named *-2.4: python test/formats/make_torch_script.py
"""

import json
import os
import tempfile
import warnings
import zipfile

import torch
from torch import nn

warnings.simplefilter("ignore")
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files", "torch-2")
SUFFIX = "-2.4" if torch.__version__.startswith("2.4") else ""


class Mixed(nn.Module):
    """Layers with and without the batch first; all inputs have two features, and a batch of 3."""

    def __init__(self):
        super().__init__()
        self.first = nn.LSTM(2, 2, batch_first=True)
        self.second = nn.GRU(2, 2)
        self.third = nn.RNN(2, 2, nonlinearity="relu", batch_first=True)
        self.fourth = nn.LSTM(2, 3, proj_size=2)

    def forward(self, x):
        x = self.third(self.second(self.first(x)[0])[0])[0]
        return self.fourth(x)[0]


class WithCell(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(2, 2, batch_first=True)
        self.cell = nn.RNNCell(2, 2, nonlinearity="relu")

    def forward(self, x):
        return self.cell(self.gru(x)[0][0])


def describe(tensor):
    return {"dtype": "float32", "shape": list(tensor.shape), "data": tensor.double().flatten().tolist()}


def merge(name, more):
    path = os.path.join(FOLDER, name)
    with open(path) as file:
        known = json.load(file)
    known.update(more)
    with open(path, "w") as file:
        json.dump(known, file, indent=0, sort_keys=True)
        file.write("\n")


def deflate(source, name):
    """Without what is of no use here: code of other modules, and where code came from."""
    unused = (".debug_pkl", "traced_inputs.pkl", "serialization_id", "container.py", "nn/utils/rnn.py")
    with zipfile.ZipFile(source) as read, zipfile.ZipFile(os.path.join(FOLDER, name), "w", zipfile.ZIP_DEFLATED) as write:
        for entry in read.infolist():
            if not entry.filename.endswith(unused) and "/traced_inputs/" not in entry.filename:
                info = zipfile.ZipInfo(entry.filename, (2026, 1, 1, 0, 0, 0))
                write.writestr(info, read.read(entry), zipfile.ZIP_DEFLATED, 9)


torch.manual_seed(5)
mixed = Mixed().eval()
cell = WithCell().eval()
example = torch.randn(3, 4, 2)
expected, outputs = {}, {}
temporary = tempfile.mktemp(suffix=".pt")
for name, model, keeps in [
    ("scripted.pt", mixed, lambda: torch.jit.script(mixed).save(temporary)),
    ("traced.pt", mixed, lambda: torch.jit.trace(mixed, example).save(temporary)),
    ("module.pt", mixed, lambda: torch.save(mixed, temporary)),
    ("scripted-cell.pt", cell, lambda: torch.jit.script(cell).save(temporary)),
    ("module-cell.pt", cell, lambda: torch.save(cell, temporary)),
]:
    keeps()
    name = name.replace(".pt", f"{SUFFIX}.pt")
    deflate(temporary, name)
    expected[name] = {key: describe(value) for key, value in model.state_dict().items()}
    outputs[name] = {}
    for prefix, layer in model.named_children():
        given = example[0] if prefix == "cell" else example
        with torch.no_grad():
            result = layer(given)
        result = result[0] if isinstance(result, tuple) else result
        outputs[name][prefix] = {"input": describe(given), "output": describe(result)}
merge("expected.json", expected)
merge("outputs.json", outputs)

# Of quantised modules TorchScript keeps batch_first as an attribute.
quantised = torch.ao.quantization.quantize_dynamic(cell, {nn.GRU})
torch.jit.script(quantised).save(temporary)
deflate(temporary, f"scripted-quantised{SUFFIX}.pt")
