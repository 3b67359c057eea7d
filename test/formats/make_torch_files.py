"""Writes the files of test/formats/files/torch-2: what PyTorch 2 writes beside plain state dicts.

Run with PyTorch 2.15.0 and safetensors 0.8.0, then with PyTorch 2.4.1, which writes the files named *-2.4, among them the
older layout of torch.export:

    python3 test/formats/make_torch_files.py
"""

import collections
import io
import json
import os
import re
import shutil
import tempfile
import zipfile

import torch
from torch import nn

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files", "torch-2")
os.makedirs(FOLDER, exist_ok=True)
IS_NEW = not torch.__version__.startswith("2.4")


class Net(nn.Module):
    """Two layers with the batch first, a head, a buffer that is saved and one that is not."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, num_layers=2, batch_first=True)
        self.head = nn.Linear(4, 2)
        self.register_buffer("scale", torch.tensor([2.0, 0.5]))
        self.register_buffer("scratch", torch.zeros(3), persistent=False)

    def forward(self, x):
        return self.head(self.lstm(x)[0]) * self.scale


class Mixed(nn.Module):
    """Layers with and without the batch first."""

    def __init__(self):
        super().__init__()
        self.first = nn.GRU(2, 3, batch_first=True, bidirectional=True)
        self.last = nn.RNN(6, 2, nonlinearity="relu")

    def forward(self, x):
        return self.last(self.first(x)[0].transpose(0, 1))[0]


def path(name):
    return os.path.join(FOLDER, name)


def versioned(name):
    stem, kind = os.path.splitext(name)
    return name if IS_NEW else f"{stem}-2.4{kind}"


def describe(tensor):
    data = tensor.double() if tensor.is_floating_point() else tensor.long()
    return {"dtype": str(tensor.dtype).split(".")[-1], "shape": list(tensor.shape), "data": data.flatten().tolist()}


def describe_all(state):
    return {name: describe(tensor) for name, tensor in state.items()}


def keep_all(name, more):
    """Adds to a file that both versions write."""
    known = {}
    if os.path.exists(path(name)):
        with open(path(name)) as file:
            known = json.load(file)
    known.update(more)
    with open(path(name), "w") as file:
        json.dump(known, file, indent=0, sort_keys=True)
        file.write("\n")


def keep(name, expected):
    keep_all("expected.json", {name: expected})


def export(module, example, name):
    """The program with the stack traces and the example inputs left out: they name files of this machine."""
    program = torch.export.export(module, example)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
        node.meta.pop("nn_module_stack", None)
        node.meta.pop("source_fn_stack", None)
        node.meta.pop("from_node", None)
    whole = tempfile.mktemp(suffix=".pt2")
    torch.export.save(program, whole)
    with zipfile.ZipFile(whole) as read, zipfile.ZipFile(path(name), "w") as write:
        for entry in read.infolist():
            if "sample_inputs" not in entry.filename and "example_inputs" not in entry.filename:
                write.writestr(entry.filename, read.read(entry))
    keep(name, describe_all(module.state_dict()))


torch.manual_seed(0)
net = Net().eval()
state = net.state_dict()
mixed = Mixed().eval()

export(net, (torch.zeros(2, 5, 3),), versioned("exported.pt2"))
export(mixed, (torch.zeros(2, 5, 2),), versioned("exported-mixed.pt2"))

# What the layers give, by the file and the layer's name in code.
outputs = {}
for name, layer, variable, shape in [
    ("exported.pt2", net.lstm, "lstm", (2, 5, 3)),
    ("exported-mixed.pt2", mixed.first, "first", (2, 5, 2)),
    ("exported-mixed.pt2", mixed.last, "last", (5, 2, 6)),
]:
    given = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        result = layer(given)[0]
    outputs.setdefault(versioned(name), {})[variable] = {"input": describe(given), "output": describe(result)}
keep_all("outputs.json", outputs)


def save(name, value, expected):
    torch.save(value, path(versioned(name)))
    keep(versioned(name), describe_all(expected))


class Plain(nn.Module):
    """As Net, small."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 2, batch_first=True)

    def forward(self, x):
        return self.lstm(x)[0]


plain = Plain().eval()
small = plain.state_dict()


def save_compiled(name, value, expected):
    """Deflated, and without the path of the machine: what torch.compile was set to takes most of the file."""
    whole = io.BytesIO()
    torch.save(value, whole)
    temporary = tempfile.gettempdir().encode()
    with zipfile.ZipFile(whole) as read, zipfile.ZipFile(path(versioned(name)), "w", zipfile.ZIP_DEFLATED) as write:
        for entry in read.infolist():
            content = re.sub(rb"/[^\0]*?/(?=third_party/)", lambda found: b"x" * len(found[0]), read.read(entry))
            content = content.replace(temporary, b"x" * len(temporary))
            write.writestr(entry.filename, content)
    keep(versioned(name), describe_all(expected))


class Bare(nn.LSTM):
    """A layer without a prefix, with other layers below it."""

    def __init__(self):
        super().__init__(1, 2)
        self.head = nn.Linear(2, 1)
        self.scale = nn.Parameter(torch.ones(2))


bare = Bare().state_dict()
save("no-prefix.pt", bare, bare)

compiled = torch.compile(plain)
save_compiled("compiled.pt", compiled, compiled.state_dict())
inner = nn.Sequential(compiled)
save_compiled("compiled-inner.pt", {"model": inner, "epoch": 1}, inner.state_dict())
save("model-state.pt", {"epoch": 1, "model_state": small, "best": torch.tensor(0.5)}, small)

other = nn.GRU(1, 1).state_dict()
torch.save({"epoch": 1, "model": {"generator": small, "discriminator": other, "step": torch.tensor(3)}}, path(versioned("two-networks.pt")))

# Tensors spread over machines, with one process that plays both.
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.testing._internal.distributed.fake_pg import FakeStore

if IS_NEW:
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor
else:
    from torch.distributed._tensor import DTensor, Replicate, Shard

dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=2)
mesh = init_device_mesh("cpu", (2,))


def spread(place):
    if IS_NEW:
        return {k: distribute_tensor(v, mesh, [place], src_data_rank=None) for k, v in small.items()}
    # The older version would fetch the numbers from the other process, which is none.
    parts = mesh.size() if place.is_shard() else 1
    return {k: DTensor.from_local(v.chunk(parts)[0], mesh, [place], run_check=False) for k, v in small.items()}


save("dtensor-replicated.pt", spread(Replicate()), small)
torch.save(spread(Shard(0)), path(versioned("dtensor-sharded.pt")))
dist.destroy_process_group()
dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=1)
mesh = init_device_mesh("cpu", (1,))
save("dtensor-of-one.pt", spread(Shard(0)), small)
dist.destroy_process_group()

import torch.distributed.checkpoint as dcp

checkpoint = tempfile.mkdtemp()
dcp.save(small, checkpoint_id=checkpoint, **({"no_dist": True} if IS_NEW else {}))
shutil.copy(os.path.join(checkpoint, ".metadata"), path(versioned("dcp.metadata")))
shutil.copy(os.path.join(checkpoint, "__0_0.distcp"), path(versioned("__0_0.distcp")))


def without_code(source, name):
    """Code in an archive is of no use here, and takes most of it."""
    with zipfile.ZipFile(source) as read, zipfile.ZipFile(path(versioned(name)), "w") as write:
        for entry in read.infolist():
            if not entry.filename.endswith((".py", ".debug_pkl")):
                write.writestr(entry.filename, read.read(entry))


temporary = tempfile.mktemp(suffix=".pt")
torch.jit.freeze(torch.jit.script(plain)).save(temporary)
without_code(temporary, "frozen.pt")

from torch.package import PackageExporter

with PackageExporter(temporary) as exporter:
    exporter.extern("**")
    exporter.save_pickle("model", "model.pkl", small)
without_code(temporary, "package.pt")

# As Stable-Baselines3 writes: three files of torch.save in a zip.
with zipfile.ZipFile(path(versioned("stable-baselines.zip")), "w") as write:
    write.writestr("data", "{}")
    for name, value in [("pytorch_variables.pth", {}), ("policy.pth", {"w": torch.ones(1)}), ("policy.optimizer.pth", {})]:
        torch.save(value, temporary)
        with open(temporary, "rb") as file:
            write.writestr(name, file.read())

# Shards as transformers writes them, one layer in each.
from safetensors.torch import save_file

shards = [{k: v for k, v in state.items() if "_l1" not in k}, {k: v for k, v in state.items() if "_l1" in k}]
for kind, index in ("safetensors", versioned("model.safetensors")), ("bin", versioned("pytorch_model.bin")):
    weight_map = {}
    for at, shard in enumerate(shards, 1):
        name = f"{os.path.splitext(index)[0]}-{at:05}-of-00002.{kind}"
        if kind == "bin":
            torch.save(collections.OrderedDict(shard), path(name))
        else:
            save_file(shard, path(name), metadata={"format": "pt"})
        weight_map.update({key: name for key in shard})
    total = sum(v.numel() * v.element_size() for v in state.values())
    with open(path(f"{index}.index.json"), "w") as file:
        json.dump({"metadata": {"total_size": total}, "weight_map": weight_map}, file, indent=1)
    keep(f"{index}.index.json", describe_all(state))
