"""Writes test/formats/files/torch-current: files of current PyTorch, and what PyTorch computes with each layer.

Run with PyTorch 2.15.0 and safetensors 0.8.0: python test/formats/make_torch_current.py
Then with PyTorch 2.4.1, which writes the files named *-2.4: python test/formats/make_torch_current.py
"""

import json
import os
import warnings
import zipfile

import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

warnings.simplefilter("ignore")
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files", "torch-current")
OLD = not torch.__version__.startswith("2.15.")
EXPECTED = os.path.join(FOLDER, "expected-2.4.json" if OLD else "expected.json")
os.makedirs(FOLDER, exist_ok=True)
expected = {}

LAYERS = {
    "lstm": lambda: nn.LSTM(2, 3, num_layers=2, bidirectional=True),
    "projected": lambda: nn.LSTM(2, 3, proj_size=2),
    "gru": lambda: nn.GRU(2, 3, num_layers=2),
    "rnn": lambda: nn.RNN(2, 3),
    "lstm_cell": lambda: nn.LSTMCell(2, 3),
    "gru_cell": lambda: nn.GRUCell(2, 3),
    "rnn_cell": lambda: nn.RNNCell(2, 3),
    "linear": lambda: nn.Linear(2, 3),
    "conv": lambda: nn.Conv1d(2, 3, 2),
    "embedding": lambda: nn.Embedding(4, 3),
}


def layers(*names):
    torch.manual_seed(1)
    return nn.ModuleDict({name: LAYERS[name]() for name in names or LAYERS})


def numbers(tensor):
    return {"shape": list(tensor.shape), "data": [float(f"{value:.9g}") for value in tensor.flatten().tolist()]}


def input_of(layer):
    if isinstance(layer, nn.Embedding):
        return torch.tensor([0, 3, 1])
    generator = torch.Generator().manual_seed(7)
    rank = 3 if isinstance(layer, (nn.RNNBase, nn.Conv1d)) else 2
    return torch.randn([4, 2, 2][3 - rank :], generator=generator)


def run(layer):
    """A layer's kind as JavaScript names it, an input, and the output: the first, where there are several."""
    kind = type(layer).__name__.replace("Parametrized", "")
    x = input_of(layer)
    with torch.no_grad():
        y = layer(x)
    return {"kind": kind, "input": numbers(x), "output": numbers(y[0] if isinstance(y, tuple) else y)}


def save(name, value, modules, **more):
    """`modules` are the layers to compare, by prefix; `more` goes into the expectation."""
    path = os.path.join(FOLDER, name)
    torch.save(value, path)
    deflate(path)
    expect(name, modules, **more)


def deflate(path):
    """PyTorch's zips are not compressed, and pad each tensor: files of small models are mostly zeros."""
    with zipfile.ZipFile(path) as stored:
        entries = [(entry.filename, stored.read(entry)) for entry in stored.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as deflated:
        for name, content in entries:
            if not name.endswith((".format_version", ".storage_alignment", "serialization_id", "version")) and "/code/" not in name:
                deflated.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)


def expect(name, modules, **more):
    expected[name] = {"layers": {prefix: run(layer.eval()) for prefix, layer in modules.items()}, **more}


def named(model):
    return {f"{name}.": layer for name, layer in model.items()}


def each_matrix(model, change):
    for layer in model.values():
        for name in [name for name, tensor in layer.named_parameters() if tensor.dim() > 1]:
            change(layer, name)
        if isinstance(layer, nn.RNNBase):
            flat(layer)
        layer.eval()
        layer(input_of(layer))


def flat(layer):
    """RNNBase.forward takes the weights from a list, which reparametrisations leave behind."""
    hook = lambda *_: layer.__dict__.__setitem__(
        "_flat_weights", [getattr(layer, name) for name in layer._flat_weights_names]
    )
    layer.register_forward_pre_hook(hook)


def prune_half(layer, name):
    prune.random_unstructured(layer, name, 0.4)


def folded():
    reparametrised = {
        "weight-norm-old": nn.utils.weight_norm,
        "weight-norm": parametrizations.weight_norm,
        "spectral-norm-old": nn.utils.spectral_norm,
        "spectral-norm": parametrizations.spectral_norm,
        "pruned": prune_half,
    }
    for name, change in reparametrised.items():
        model = layers()
        each_matrix(model, change)
        save(f"{name}.pt", model.state_dict(), named(model))
        if name == "weight-norm":
            from safetensors.torch import save_file

            save_file(model.state_dict(), os.path.join(FOLDER, f"{name}.safetensors"))
            expect(f"{name}.safetensors", named(model))
    model = nn.ModuleDict({name: layer() for name, layer in {
        "all": LAYERS["linear"],
        "last": LAYERS["linear"],
        "columns": LAYERS["conv"],
        "steps": LAYERS["conv"],
        "both": LAYERS["linear"],
    }.items()})
    for name, dim in {"all": None, "last": 1, "columns": 1, "steps": 2}.items():
        nn.utils.weight_norm(model[name], dim=dim)
    nn.utils.weight_norm(model["both"])
    prune_half(model["both"], "weight_v")
    model["all_new"] = parametrizations.weight_norm(LAYERS["linear"](), dim=None)
    model["spectral"] = nn.utils.spectral_norm(LAYERS["conv"](), dim=1)
    model["spectral_new"] = parametrizations.spectral_norm(LAYERS["conv"](), dim=1)
    for layer in model.values():
        layer(input_of(layer))
    save("axes.pt", model.state_dict(), named(model))


class WeightDrop(nn.Module):
    """As fastai's: the raw weight one level above the layer, whose own is a masked copy."""

    def __init__(self, module, beside):
        super().__init__()
        self.module = module
        raw = nn.Parameter(module.weight_hh_l0.detach().clone())
        (module if beside else self).register_parameter("weight_hh_l0_raw", raw)


def dropped():
    torch.manual_seed(2)
    plain = LAYERS["lstm"]().eval()
    for name, beside, keeps in (("above", False, True), ("beside", True, True), ("gone", False, False), ("alone", True, False)):
        wrapped = WeightDrop(LAYERS["lstm"](), beside)
        wrapped.module.load_state_dict(plain.state_dict(), strict=False)
        (wrapped.module if beside else wrapped).weight_hh_l0_raw.data = plain.weight_hh_l0.data.clone()
        wrapped.module.weight_hh_l0.data *= torch.rand_like(plain.weight_hh_l0) > 0.5
        state = wrapped.state_dict()
        if not keeps:
            del state["module.weight_hh_l0"]
        save(f"weight-drop-{name}.pt", {f"rnns.0.{key}": value for key, value in state.items()}, {"rnns.0.module.": plain})


def beside():
    """Tensors of kinds that have no equal here beside an LSTM, and an LSTM of which one weight is such."""
    import torchao

    lstm = layers("lstm")["lstm"]
    state = {f"lstm.{key}": value for key, value in lstm.state_dict().items()}
    head = nn.Linear(4, 4)
    torchao.quantization.quantize_(head, torchao.quantization.Int8WeightOnlyConfig(version=2))
    plain = torch.ones(2, 2)
    odd = {
        "freqs": torch.ones(2, dtype=torch.complex64),
        "conj": torch.ones(2, dtype=torch.complex64).conj(),
        "neg": torch._neg_view(torch.ones(2)),
        "fp8": plain.to(torch.float8_e4m3fn),
        "coo": plain.to_sparse(),
        "csr": plain.to_sparse_csr(),
        "nested": torch.nested.nested_tensor([torch.ones(1), torch.ones(2)]),
        "jagged": torch.nested.nested_tensor([torch.ones(1, 2), torch.ones(2, 2)], layout=torch.jagged),
        "head.weight": head.weight.detach(),
        "meta": torch.ones(2, device="meta"),
    }
    save("beside.pt", {**odd, **state}, {"lstm.": lstm}, skipped=list(odd))
    complex_weight = {**state, "lstm.weight_hh_l1": torch.ones(12, 3, dtype=torch.complex64)}
    save("skipped-weight.pt", complex_weight, {}, skipped=["lstm.weight_hh_l1"])
    orthogonal = layers("lstm", "linear")
    parametrizations.orthogonal(orthogonal["lstm"], "weight_hh_l1")
    save("orthogonal.pt", orthogonal.state_dict(), {"linear.": orthogonal["linear"]}, skipped=["lstm.weight_hh_l1"])
    from safetensors.torch import save_file

    stored = {key: odd[key] for key in ("fp8", "freqs")}
    save_file({**stored, **state}, os.path.join(FOLDER, "beside.safetensors"))
    expect("beside.safetensors", {"lstm.": lstm}, skipped=list(stored))


if not OLD:
    folded()
    dropped()
    beside()

with open(EXPECTED, "w") as file:
    json.dump(expected, file, sort_keys=True)
    file.write("\n")
