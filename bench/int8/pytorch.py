"""
PyTorch's own int8 on the networks that run.js left in a folder: NUMBER.safetensors with `rnn.` and `head.` weights and an
`input`. Beside each it leaves what comes out, little-endian float32: NUMBER.float32, and NUMBER.ENGINE.SCHEME for each
engine of this PyTorch and each scheme of quantize_dynamic. Rows of a batch run one by one, since its activations have
one scale for all of them. Prints the versions and the configurations as JSON.

    /usr/bin/python3 bench/int8/pytorch.py FOLDER
"""

import json
import pathlib
import struct
import sys

import numpy
import torch

SCHEMES = {
    "tensor": torch.quantization.default_dynamic_qconfig,
    "row": torch.quantization.per_channel_dynamic_qconfig,
}
GATES = {4: torch.nn.LSTM, 3: torch.nn.GRU}


class Network(torch.nn.Module):
    def __init__(self, weights):
        super().__init__()
        rnn = {name[4:]: weight for name, weight in weights.items() if name.startswith("rnn.")}
        head = {name[5:]: weight for name, weight in weights.items() if name.startswith("head.")}
        self.rnn = self.head = None
        if rnn:
            rows, hidden = rnn["weight_hh_l0"].shape
            layers = sum(name.startswith("weight_hh_l") for name in rnn)
            self.rnn = GATES[rows // hidden](rnn["weight_ih_l0"].shape[1], hidden, layers)
            self.rnn.load_state_dict(rnn)
        if head:
            outputs, inputs = head["weight"].shape
            self.head = torch.nn.Linear(inputs, outputs)
            self.head.load_state_dict(head)

    def forward(self, x):
        if self.rnn is not None:
            x = self.rnn(x)[0]
        return x if self.head is None else self.head(x)


def read_safetensors(path):
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        numbers = numpy.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
        tensors[name] = torch.from_numpy(numbers.copy())
    return tensors


def write_output(network, x, path):
    with torch.no_grad():
        rows = [network(x[:, row : row + 1]) for row in range(x.shape[1])]
    torch.cat(rows, 1).numpy().astype("<f4").tofile(path)


def main(folder):
    torch.set_num_threads(1)
    engines = [engine for engine in torch.backends.quantized.supported_engines if engine != "none"]
    for path in sorted(folder.glob("*.safetensors")):
        tensors = read_safetensors(path)
        x = tensors.pop("input")
        network = Network(tensors).eval()
        write_output(network, x, path.with_suffix(".float32"))
        for engine in engines:
            torch.backends.quantized.engine = engine
            for scheme, config in SCHEMES.items():
                modules = {torch.nn.LSTM: config, torch.nn.GRU: config, torch.nn.Linear: config}
                quantized = torch.quantization.quantize_dynamic(network, modules, dtype=torch.qint8)
                write_output(quantized, x, path.with_suffix(f".{engine}.{scheme}"))
    configurations = [[engine, scheme] for engine in engines for scheme in SCHEMES]
    print(json.dumps({"torch": torch.__version__, "configurations": configurations}))


main(pathlib.Path(sys.argv[1]))
