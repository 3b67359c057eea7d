"""PyTorch's own int8: the error of torch.quantization.quantize_dynamic against its float32, for accuracy.js.

    python3 bench/int8/pytorch.py > bench/int8/pytorch.json

Weights are uniform in +-1/sqrt(hidden), PyTorch's initial values, inputs in +-2; both are drawn by the generator that
accuracy.js has too, so that the networks are the same. `sample` is the beginning of the float32 output, as the proof.
quantize_dynamic has no RNN. The engines are those of the build; fbgemm, where there is one, keeps one bit less.
"""

import json
import sys

import numpy
import torch

NETWORKS = [
    ("LSTM", 32, 64, 1),
    ("LSTM", 64, 128, 2),
    ("LSTM", 40, 256, 1),
    ("GRU", 64, 128, 2),
    ("GRU", 40, 256, 1),
    ("Linear", 256, 64, 1),
]
STEPS, BATCH = 50, 4


def draw(seed, counter, shape, scale):
    """splitmix32 by its upper 24 bits: float32 in [-scale, scale). Returns the numbers and the next counter."""
    size = int(numpy.prod(shape))
    with numpy.errstate(over="ignore"):
        bits = numpy.uint32(seed) + numpy.uint32(0x9E3779B9) * numpy.arange(
            counter + 1, counter + size + 1, dtype=numpy.uint32
        )
        bits = (bits ^ (bits >> 16)) * numpy.uint32(0x21F0AAAD)
        bits = (bits ^ (bits >> 15)) * numpy.uint32(0x735A2D97)
    integers = ((bits ^ (bits >> 15)) >> 8).astype(numpy.float64)
    numbers = ((integers - 2**23) / 2**23 * scale).astype(numpy.float32)
    return torch.from_numpy(numbers.reshape(shape)), counter + size


def output_of(module, x):
    with torch.no_grad():
        result = module(x)
    return result[0] if isinstance(result, tuple) else result


def measure(seed, kind, inputs, hidden, layers):
    module = torch.nn.Linear(inputs, hidden) if kind == "Linear" else getattr(torch.nn, kind)(inputs, hidden, layers)
    counter = 0
    scale = 1 / (inputs if kind == "Linear" else hidden) ** 0.5
    for parameter in module.parameters():
        numbers, counter = draw(seed, counter, tuple(parameter.shape), scale)
        parameter.data.copy_(numbers)
    x, counter = draw(seed, counter, (STEPS, BATCH, inputs), 2)
    expected = output_of(module, x)
    errors = {}
    for engine in torch.backends.quantized.supported_engines:
        if engine == "none":
            continue
        torch.backends.quantized.engine = engine
        try:
            quantized = torch.quantization.quantize_dynamic(
                torch.nn.Sequential(module), {type(module)}, dtype=torch.qint8
            )[0]
            error = (output_of(quantized, x) - expected).abs().double()
        except RuntimeError as problem:
            print(f"{engine}: {kind}: {problem}", file=sys.stderr)
            continue
        errors[engine] = {"max": error.max().item(), "mean": error.mean().item()}
    return {
        "module": kind,
        "inputs": inputs,
        "hidden": hidden,
        "layers": layers,
        "seed": seed,
        "scale": scale,
        "sample": expected.flatten()[:8].tolist(),
        "errors": errors,
    }


if __name__ == "__main__":
    networks = [measure(seed, *network) for seed, network in enumerate(NETWORKS, 1)]
    print(
        json.dumps(
            {"torch": torch.__version__, "steps": STEPS, "batch": BATCH, "networks": networks}, indent=1
        )
    )
