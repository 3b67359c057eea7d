"""Writes .onnx files by versions and programs of their own, and what PyTorch and onnxruntime compute with each.

    python3 test/formats/make_onnx_writers.py external

writes test/formats/files/onnx-external, models whose weights are in a file beside them: by PyTorch's default exporter,
and by Optimum, which calls that file NAME.onnx_data. Run with PyTorch 2.15.0, onnx 1.23.2, onnxscript 0.7.2, onnxruntime
1.32.0, optimum-onnx 0.1.0, optimum 2.1.0 and transformers 4.57.6.

    python3 test/formats/make_onnx_writers.py gru

writes gru-onnxscript-*.onnx into test/formats/files/onnx-dynamo: GRUs whose exporter left out linear_before_reset = 1.
Run with the same, but onnxscript 0.7.0 and then 0.6.0.

    python3 test/formats/make_onnx_writers.py older

writes test/formats/files/onnx-2.4: by both exporters of an older PyTorch, of which the newer one unrolled layers and
failed on an LSTM. Run with PyTorch 2.4.1, onnx 1.16.2 and onnxscript 0.1.0.dev20240831.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import numpy
import onnx
import onnxscript
import torch
from torch import nn

FILES = Path(__file__).resolve().parent / "files"
# A stack, and two directions with the batch first.
GRUS = {"0.7.0": {"num_layers": 2}, "0.6.0": {"bidirectional": True, "batch_first": True}}
KEPT = ("namespace", "pkg.torch.onnx.class_hierarchy")


class Model(nn.Module):
    def __init__(self, rnn):
        super().__init__()
        self.rnn = rnn

    def forward(self, x):
        return self.rnn(x)[0]


def describe(state):
    return {key: {"shape": list(t.shape), "data": t.double().flatten().tolist()} for key, t in state.items()}


def run(path, x):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(None, {session.get_inputs()[0].name: x.numpy()})[0])


def expectation(rnn, x, path=None):
    """y is PyTorch's, stated onnxruntime's, which runs the file of the path as it stands there."""
    with torch.no_grad():
        y = rnn(x)[0]
    stated = {} if path is None else {"stated": run(path, x)}
    return {
        "kind": type(rnn).__name__,
        "numLayers": rnn.num_layers,
        "bidirectional": rnn.bidirectional,
        "batchFirst": rnn.batch_first,
        "bias": rnn.bias,
        "takesState": False,
        "state": describe(rnn.state_dict()),
        "run": describe({"x": x, "y": y, **stated}),
    }


def write(folder, name, expected):
    """Adds to expectations of the folder, which several runs write."""
    path = folder / name
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**known, **expected}, indent=0, sort_keys=True) + "\n")


def by_pytorch(rnn, x, path, **options):
    torch.onnx.export(Model(rnn).eval(), (x,), str(path), dynamo=True, verbose=False, **options)


def without_metadata(path):
    """Its stack traces name folders of the machine. The numbers stay in the file beside it."""
    model = onnx.load(path, load_external_data=False)
    for node in model.graph.node:
        kept = [prop for prop in node.metadata_props if prop.key in KEPT]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    path.write_bytes(model.SerializeToString())


def by_optimum(rnn, x, path):
    """Of a model as transformers has them. Optimum itself decides so for models of more than 2 GB."""
    os.environ["FORCE_ONNX_EXTERNAL_DATA"] = "1"
    from optimum.exporters.onnx.config import OnnxConfig
    from optimum.exporters.onnx.convert import export_pytorch
    from optimum.utils import DummyInputGenerator, NormalizedConfig
    from transformers import PretrainedConfig, PreTrainedModel

    class Example(DummyInputGenerator):
        SUPPORTED_INPUT_NAMES = ("x",)

        def __init__(self, *_, **__):
            pass

        def generate(self, *_, **__):
            return x

    class Config(OnnxConfig):
        NORMALIZED_CONFIG_CLASS = NormalizedConfig
        DUMMY_INPUT_GENERATOR_CLASSES = (Example,)

        @property
        def inputs(self):
            return {"x": {0: "batch", 1: "steps"}}

        @property
        def outputs(self):
            return {"y": {0: "batch", 1: "steps"}}

    class Transformer(PreTrainedModel):
        config_class = PretrainedConfig
        main_input_name = "x"

        def __init__(self, config):
            super().__init__(config)
            self.rnn = rnn

        def forward(self, x):
            return {"y": self.rnn(x)[0]}

    config = PretrainedConfig()
    export_pytorch(Transformer(config), Config(config, task="feature-extraction"), opset=17, output=path)


def external():
    folder = FILES / "onnx-external"
    folder.mkdir(exist_ok=True)
    for name, export in ("pytorch.onnx", by_pytorch), ("optimum.onnx", by_optimum):
        rnn = nn.LSTM(4, 5, num_layers=2, batch_first=True).eval()
        x = torch.randn(2, 3, 4)
        export(rnn, x, folder / name)
        for written in folder.iterdir():
            written.chmod(0o644)
        without_metadata(folder / name)
        write(folder, "expected.json", {name: expectation(rnn, x, folder / name)})


def gru():
    folder = FILES / "onnx-dynamo"
    rnn = nn.GRU(3, 2, **GRUS[onnxscript.__version__]).eval()
    x = torch.randn(4, 2, 3)
    name = f"gru-onnxscript-{onnxscript.__version__}.onnx"
    by_pytorch(rnn, x, folder / name, external_data=False)
    without_metadata(folder / name)
    expected = expectation(rnn, x, folder / name)
    away = numpy.subtract(expected["run"]["y"]["data"], expected["run"]["stated"]["data"])
    assert abs(away).max() > 0.01, "this version writes linear_before_reset = 1"
    write(folder, "expected.json", {name: expected})


def older():
    folder = FILES / "onnx-2.4"
    folder.mkdir(exist_ok=True)
    for name, dynamo, rnn in (
        ("lstm.onnx", False, nn.LSTM(3, 2, num_layers=2, bidirectional=True)),
        ("gru.onnx", False, nn.GRU(3, 2, num_layers=2, batch_first=True)),
        ("rnn.onnx", False, nn.RNN(3, 2, nonlinearity="relu")),
        ("gru-unrolled.onnx", True, nn.GRU(3, 2)),
        ("rnn-unrolled.onnx", True, nn.RNN(3, 2)),
    ):
        x = torch.randn(2, 2, 3)
        torch.onnx.export(Model(rnn).eval(), (x,), str(folder / name), dynamo=dynamo)
        without_metadata(folder / name)
        write(folder, "expected.json", {name: expectation(rnn.eval(), x)})


torch.manual_seed(11)
{"external": external, "gru": gru, "older": older}[sys.argv[1]]()
