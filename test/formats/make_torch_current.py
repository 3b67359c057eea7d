"""Writes test/formats/files/torch-current: files of current PyTorch, and what PyTorch computes with each layer.

Run with PyTorch 2.15.0, safetensors 0.8.0 and pytorch-lightning 2.6.6: python test/formats/make_torch_current.py
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
# The older version writes fewer layers into each file.
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
    every = ("lstm", "conv") if OLD else LAYERS
    return nn.ModuleDict({name: LAYERS[name]() for name in names or every})


def versioned(name):
    stem, kind = os.path.splitext(name)
    return f"{stem}-2.4{kind}" if OLD else name


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
    if isinstance(layer, nn.Linear):
        x = x.repeat(1, 2)[:, : layer.in_features]
    elif isinstance(layer, nn.Embedding):
        x = x % layer.num_embeddings
    with torch.no_grad():
        y = layer(x)
    return {"kind": kind, "input": numbers(x), "output": numbers(y[0] if isinstance(y, tuple) else y)}


def save(name, value, modules, **more):
    """`modules` are the layers to compare, by prefix; `more` goes into the expectation."""
    path = os.path.join(FOLDER, versioned(name))
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
    expected[versioned(name)] = {"layers": {prefix: run(layer.eval()) for prefix, layer in modules.items()}, **more}


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

            save_file(model.state_dict(), os.path.join(FOLDER, versioned(f"{name}.safetensors")))
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
    lstm = layers("lstm")["lstm"]
    state = {f"lstm.{key}": value for key, value in lstm.state_dict().items()}
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
        "meta": torch.ones(2, device="meta"),
    }
    if not OLD:
        import torchao

        head = nn.Linear(4, 4)
        torchao.quantization.quantize_(head, torchao.quantization.Int8WeightOnlyConfig(version=2))
        odd["head.weight"] = head.weight.detach()
    save("beside.pt", {**odd, **state}, {"lstm.": lstm}, skipped=list(odd))
    complex_weight = {**state, "lstm.weight_hh_l1": torch.ones(12, 3, dtype=torch.complex64)}
    save("skipped-weight.pt", complex_weight, {}, skipped=["lstm.weight_hh_l1"])
    orthogonal = layers("lstm", "linear")
    parametrizations.orthogonal(orthogonal["lstm"], "weight_hh_l1")
    save("orthogonal.pt", orthogonal.state_dict(), {"linear.": orthogonal["linear"]}, skipped=["lstm.weight_hh_l1"])
    from safetensors.torch import save_file

    stored = {key: odd[key] for key in ("fp8", "freqs")}
    save_file({**stored, **state}, os.path.join(FOLDER, versioned("beside.safetensors")))
    expect("beside.safetensors", {"lstm.": lstm}, skipped=list(stored))


def lazy():
    """Lazy modules that never ran beside an LSTM: their parameters and buffers have no size yet."""
    model = nn.ModuleDict({"head": nn.LazyLinear(3), "norm": nn.LazyBatchNorm1d(), **layers("lstm")})
    state = model.state_dict()
    kinds = (nn.parameter.UninitializedParameter, nn.parameter.UninitializedBuffer)
    skipped = [name for name, value in state.items() if isinstance(value, kinds)]
    save("lazy.pt", state, {"lstm.": model["lstm"]}, skipped=skipped)


def lightning():
    """A checkpoint of Lightning after a step of training, with hyperparameters and the state of an optimizer."""
    import pytorch_lightning as pl

    class Tagger(pl.LightningModule):
        def __init__(self, hidden_size=3):
            super().__init__()
            self.save_hyperparameters()
            self.lstm = nn.LSTM(2, hidden_size, num_layers=2)
            self.head = nn.Linear(hidden_size, 1)

        def training_step(self, batch, _):
            return self.head(self.lstm(batch)[0]).square().mean()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    torch.manual_seed(1)
    model = Tagger()
    options = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = pl.Trainer(max_steps=1, accelerator="cpu", enable_model_summary=False, **options)
    trainer.fit(model, torch.utils.data.DataLoader(torch.randn(1, 4, 2)))
    path = os.path.join(FOLDER, versioned("lightning.ckpt"))
    trainer.save_checkpoint(path)
    deflate(path)
    expect("lightning.ckpt", {"lstm.": model.lstm, "head.": model.head})


class Quantisable(nn.Module):
    """Layers that quantize_dynamic takes. `twice` and `both_ways` have two parts of the same sizes each."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(2, 3, num_layers=2, bidirectional=True)
        self.gru = nn.GRU(2, 3, num_layers=2)
        self.wide = nn.GRU(2, 3, bidirectional=True)
        self.lstm_cell = nn.LSTMCell(2, 3)
        self.gru_cell = nn.GRUCell(2, 3)
        self.rnn_cell = nn.RNNCell(2, 3)
        self.linear = nn.Linear(2, 3)
        self.plain = nn.Conv1d(2, 3, 2)

    def forward(self, x):
        y = self.lstm(x)[0]
        self.gru(x), self.wide(x)
        self.lstm_cell(x[0]), self.gru_cell(x[0]), self.rnn_cell(x[0])
        return y, self.linear(x)


class Pair(nn.Module):
    """Two parts of the same sizes each, which are two layers here and two directions there."""

    def __init__(self):
        super().__init__()
        self.twice = nn.LSTM(2, 2, num_layers=2)
        self.both_ways = nn.LSTM(2, 2, bidirectional=True)
        self.conv = nn.Conv1d(2, 3, 2)

    def forward(self, x):
        return self.twice(x)[0], self.both_ways(x)[0]


def plain_weights(packed):
    weight, bias = packed.__getstate__()[0] if not isinstance(packed, tuple) else packed
    return weight, bias


def weights_of(layer):
    """The weights of a quantised layer by plain names."""
    if isinstance(layer, torch.ao.nn.quantized.dynamic.Linear):
        return {"weight": layer.weight()}
    if isinstance(layer, torch.ao.nn.quantized.dynamic.modules.rnn.RNNCellBase):
        return {f"weight_{part}": plain_weights(getattr(layer, f"_packed_weight_{part}"))[0] for part in ("ih", "hh")}
    found = {}
    for index, value in enumerate(layer._all_weight_values):
        products = value.param.__getstate__()[0][4]
        layers, directions = divmod(index, 2 if layer.bidirectional else 1)
        for part, product in zip(("ih", "hh"), products):
            found[f"weight_{part}_l{layers}{'_reverse' if directions else ''}"] = plain_weights(product)[0]
    return found


def describe_quantised(model, original):
    """The integers and scales that PyTorch has, and layers in which their floats stand."""
    integers, plain = {}, {}
    for prefix, layer in original.named_children():
        quantised = getattr(model, prefix)
        twin = getattr(original, prefix)
        plain[f"{prefix}."] = twin
        if type(quantised) is type(twin):
            continue
        for name, weight in weights_of(quantised).items():
            floats = weight.dequantize() if weight.is_quantized else weight
            getattr(twin, name).data.copy_(floats)
            if weight.is_quantized and "cell" not in prefix:
                each = weight.qscheme() == torch.per_channel_affine
                scales = weight.q_per_channel_scales() if each else torch.full(weight.shape[:1], weight.q_scale())
                integers[f"{prefix}.{name}"] = {"integers": weight.int_repr().flatten().tolist(), "scales": numbers(scales)["data"]}
    return integers, plain


def quantised():
    from torch.ao import quantization

    kinds = {nn.LSTM, nn.GRU, nn.LSTMCell, nn.GRUCell, nn.RNNCell, nn.Linear}
    each = quantization.QConfig(
        activation=quantization.default_dynamic_quant_observer, weight=quantization.default_per_channel_weight_observer
    )
    schemes = {"tensor": dict(dtype=torch.qint8), "float16": dict(dtype=torch.float16), "channel": None}
    for scheme, options in schemes.items():
        torch.manual_seed(3)
        original = Quantisable().eval()
        # Of the default scheme's integers one is -128: that of the weight of least value, where it is of the largest size.
        original.lstm.weight_hh_l0.data[1, 1] = -0.75
        if options is None:
            model = quantization.quantize_dynamic(original, qconfig_spec={kind: each for kind in kinds})
        else:
            model = quantization.quantize_dynamic(original, kinds, **options)
        integers, plain = describe_quantised(model, original)
        save(f"quantised-{scheme}.pt", model.state_dict(), plain, integers=integers)
        save(f"quantised-{scheme}-module.pt", model, plain, integers=integers)
        scripted = f"quantised-{scheme}-script.pt"
        path = os.path.join(FOLDER, versioned(scripted))
        torch.jit.save(torch.jit.script(model), path)
        deflate(path)
        expect(scripted, plain, integers=integers)
    torch.manual_seed(4)
    original = Pair().eval()
    model = quantization.quantize_dynamic(original, kinds)
    integers, plain = describe_quantised(model, original)
    save(f"quantised-pair-module.pt", model, plain, integers=integers)
    lost = ["twice.weight_ih_l0", "both_ways.weight_ih_l0"]
    save(f"quantised-pair.pt", model.state_dict(), {"conv.": original.conv}, skipped=lost)
    if not OLD:
        ramp = torch.arange(6.0).reshape(2, 3)
        scales, points = torch.tensor([0.1, 0.2], dtype=torch.float64), torch.tensor([3, 0])
        weights = {
            "linear.weight": torch.quantize_per_tensor(ramp, 0.1, 5, torch.quint8),
            "signed.weight": torch.quantize_per_tensor(ramp, 0.1, 0, torch.qint8),
            "wide.weight": torch.quantize_per_tensor(ramp, 0.001, 7, torch.qint32),
            "each.weight": torch.quantize_per_channel(ramp, scales, points, 0, torch.qint8),
            "across.weight": torch.quantize_per_channel(ramp.t().contiguous(), scales, points, 1, torch.quint8),
            "embedding.weight": torch.quantize_per_channel(ramp, scales, scales, 0, torch.quint8),
        }
        plain = {}
        for name, weight in weights.items():
            layer = nn.Embedding(2, 3) if name.startswith("emb") else nn.Linear(weight.shape[1], weight.shape[0], bias=False)
            layer.weight.data = weight.dequantize()
            plain[name.replace("weight", "")] = layer
        save("quantised-plain.pt", weights, plain)


folded()
dropped()
beside()
lazy()
lightning()
quantised()

with open(EXPECTED, "w") as file:
    json.dump(expected, file, sort_keys=True)
    file.write("\n")
