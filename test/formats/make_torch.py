"""Writes the .pt files of test/formats/files/torch and expected.json, which says what tensors each holds.

Run with PyTorch 1.13 (Debian's python3-torch): python3 test/formats/make_torch.py
"""

import argparse
import collections
import io
import json
import os
import zipfile

import torch
from torch import nn

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files", "torch")
os.makedirs(FOLDER, exist_ok=True)
expected = {}


class Tagger(nn.Module):
    """Every kind of part: nested modules, a buffer that is saved and one that is not."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(3, 2)
        self.encoder = nn.Sequential(collections.OrderedDict(rnn=nn.LSTM(2, 3, num_layers=2)))
        self.head = nn.Linear(3, 2)
        self.register_buffer("scale", torch.tensor(2.0))
        self.register_buffer("scratch", torch.zeros(5), persistent=False)

    def forward(self, x):
        return self.head(self.encoder(self.embedding(x))[0]) * self.scale


def path(name):
    return os.path.join(FOLDER, name)


def describe(tensor):
    dtype = str(tensor.dtype).split(".")[-1]
    data = tensor.double() if tensor.is_floating_point() else tensor.long()
    return {"dtype": dtype, "shape": list(tensor.shape), "data": data.flatten().tolist()}


def save(name, value, tensors, **options):
    torch.save(value, path(name), **options)
    expected[name] = {key: describe(tensor) for key, tensor in tensors.items()}


def no_source(module):
    """Whole modules in the legacy format carry the source code of their classes, which has no place in this project."""
    raise OSError("left out")


torch.serialization.get_source_lines_and_file = no_source
torch.manual_seed(0)
tagger = Tagger().eval()
state = tagger.state_dict()
other = nn.GRU(2, 2, bidirectional=True).state_dict()

save("zip.pt", state, state)
for protocol in 3, 4, 5:
    save(f"zip-protocol-{protocol}.pt", state, state, pickle_protocol=protocol)
save("legacy.pt", state, state, _use_new_zipfile_serialization=False)
save("legacy-protocol-4.pt", state, state, _use_new_zipfile_serialization=False, pickle_protocol=4)

base = torch.arange(12.0).reshape(3, 4)
views = {
    "base": base,
    "transposed": base.t(),
    "part": base[1:, ::2],
    "row": base[2],
    "expanded": base[0, :1].expand(2, 3),
    "scalar": base[1, 1],
    "empty": base[3:],
    "one": base.reshape(1, 3, 1, 4).permute(2, 0, 3, 1),
}
save("views.pt", views, views)
save("views-legacy.pt", views, views, _use_new_zipfile_serialization=False)

numbers = torch.tensor([-1.5, 0.0, 1e-3, 100.0])
dtypes = {
    str(dtype).split(".")[-1]: numbers.to(dtype)
    for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8)
}
dtypes["uint8"] = torch.tensor([0, 255], dtype=torch.uint8)
dtypes["bool"] = torch.tensor([True, False])
dtypes["large"] = torch.tensor([2**62 + 1, -(2**62)])
save("dtypes.pt", dtypes, dtypes)
save("dtypes-legacy.pt", dtypes, dtypes, _use_new_zipfile_serialization=False)

optimizer = torch.optim.Adam(tagger.parameters())
tagger(torch.tensor([[0, 1]])).sum().backward()
optimizer.step()
state = tagger.state_dict()
checkpoint = {
    "epoch": 3,
    "loss": 0.25,
    "args": argparse.Namespace(hidden=3, names={"a", "b"}),
    "seen": collections.Counter("aab"),
    "model_state_dict": state,
    "optimizer": optimizer.state_dict(),
}
save("checkpoint.pt", checkpoint, state)
save("checkpoint-legacy.pt", checkpoint, state, _use_new_zipfile_serialization=False)
save("defaultdict.pt", collections.defaultdict(list, epoch=[1], model=state), state)
save("nested.pt", {"model": {"state_dict": state, "epoch": 1}}, state)
best = {"best_acc": torch.tensor(0.75), "epoch": torch.tensor(3)}
save("checkpoint-with-tensors.pt", {**best, "state_dict": {**best, "model": {**best, "model": state}}}, state)


class Wrapper(nn.Module):
    """A part called as checkpoints call their state dict."""

    def __init__(self):
        super().__init__()
        self.model = nn.Linear(2, 1)
        self.extra = nn.Parameter(torch.ones(1))


wrapper = Wrapper()
save("module-with-model.pt", wrapper, wrapper.state_dict())
save("list.pt", ({3: [wrapper.state_dict(), state]}, 7), wrapper.state_dict())
save("two.pt", {"nets": {"tagger": tagger, "other": other}, "step": 2**70}, other)
save("parameters.pt", {"w": nn.Parameter(torch.ones(2)), "epoch": 1}, {"w": torch.ones(2)})
save("module.pt", tagger, state)
save("module-legacy.pt", tagger, state, _use_new_zipfile_serialization=False)
scripted = io.BytesIO()
torch.jit.save(torch.jit.script(tagger), scripted)
with zipfile.ZipFile(scripted) as whole, zipfile.ZipFile(path("script.pt"), "w") as stored:
    for entry in whole.infolist():
        if "/code/" not in entry.filename:
            stored.writestr(entry.filename, whole.read(entry))
expected["script.pt"] = {key: describe(tensor) for key, tensor in {**state, "scratch": tagger.scratch}.items()}

with zipfile.ZipFile(path("zip.pt")) as stored:
    with zipfile.ZipFile(path("deflated.pt"), "w", zipfile.ZIP_DEFLATED) as deflated:
        for entry in stored.infolist():
            deflated.writestr(entry.filename, stored.read(entry))
expected["deflated.pt"] = expected["zip.pt"]

quantised = {"w": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)}
save("quantised.pt", quantised, {"w": quantised["w"].dequantize()})

# Refused ones.
save("tensor.pt", torch.ones(2), {})
save("sparse.pt", {"w": torch.eye(2).to_sparse()}, {})
save("complex.pt", {"w": torch.ones(2, dtype=torch.complex64)}, {})
beside = {"model": state, "phases": torch.ones(2, dtype=torch.complex64), "codes": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.quint8)}
save("beside.pt", beside, state)
save("beside-legacy.pt", beside, state, _use_new_zipfile_serialization=False)
save("empty.pt", {"epoch": 1, "history": [1, 2]}, {})

with open(path("expected.json"), "w") as file:
    json.dump(expected, file, indent=0, sort_keys=True)
    file.write("\n")
