#!/usr/bin/python3
"""Golden vectors from PyTorch: writes cases.json and truth.bin beside itself; ../support/golden.ts reads them.

Parameters, inputs and states are not stored: they are drawn from the case's seed by a generator of integers (Draws)
that golden.ts repeats bit for bit. Stored are PyTorch's float64 results and the largest error of its float32 results.

    /usr/bin/python3 test/golden/make.py          (Debian: apt-get install python3-torch; some ten seconds)
    /usr/bin/python3 test/golden/make.py --new    (only the cases that cases.json has not; the others stay as they are)

Layout: generator, running the cases of tables.py, writing.
"""

import copy
import hashlib
import json
import pathlib
import re
import sys
import warnings
import zlib

import numpy as np
import torch
from tables import all_cases
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

# Tensors of up to this many elements are stored whole, larger ones at this many positions.
LIMIT = 128
# As the tests have it: twice PyTorch's own float32 error, or this, whichever is larger.
LEAST_TOLERANCE = 2e-6


# --- the generator; golden.ts has the same --------------------------------------------------------------------------


class Draws:
    """splitmix32: a counter stepped by the golden ratio, mixed twice; the upper 24 bits of each number are used."""

    def __init__(self, seed):
        self.counter = seed

    def integers(self, count):
        """`count` integers in [0, 2^24)."""
        steps = np.arange(1, count + 1, dtype=np.uint32)
        bits = np.uint32(self.counter) + steps * np.uint32(0x9E3779B9)
        self.counter = (self.counter + count * 0x9E3779B9) % 2**32
        bits = (bits ^ (bits >> np.uint32(16))) * np.uint32(0x21F0AAAD)
        bits = (bits ^ (bits >> np.uint32(15))) * np.uint32(0x735A2D97)
        return (bits ^ (bits >> np.uint32(15))) >> np.uint32(8)

    def floats(self, shape, scale):
        """float32 in [-scale, scale): one product in float64, rounded once."""
        integers = self.integers(int(np.prod(shape))).astype(np.float64)
        return ((integers - 2**23) / 2**23 * scale).astype(np.float32).reshape(shape)

    def positions(self, size):
        """All positions of a small tensor; of a large one the first, the last, and one from each of LIMIT equal parts."""
        if size <= LIMIT:
            return np.arange(size)
        bounds = np.arange(LIMIT + 1) * size // LIMIT
        positions = bounds[:-1] + self.integers(LIMIT) % np.diff(bounds)
        positions[0], positions[-1] = 0, size - 1
        return positions


# --- running --------------------------------------------------------------------------------------------------------


def snake(options):
    return {re.sub("([A-Z])", lambda match: "_" + match[1].lower(), key): value for key, value in options.items()}


class Chain(torch.nn.Sequential):
    """Passes on a recurrent module's output, where Sequential would pass its tuple."""

    def forward(self, x):
        for module in self:
            x = module(x)
            x = x[0] if isinstance(x, tuple) else x
        return x


class Transpose(torch.nn.Module):
    """(N, C, L) to (N, L, C), for which PyTorch has a method of tensors alone."""

    def forward(self, x):
        return x.transpose(-1, -2)


def construct(name, options):
    """The module in PyTorch's words."""
    if name == "Sequential":
        return Chain(*(construct(*member) for member in options["members"]))
    if name == "Transpose":
        return Transpose()
    options = dict(options)
    # LayerNorm has the option since 2.1, GroupNorm since 2.15.
    without_bias = name in ("LayerNorm", "GroupNorm") and options.pop("bias", True) is False
    module = getattr(torch.nn, name)(**snake(options))
    if without_bias:
        module.register_parameter("bias", None)
    return module


def embeddings(case):
    """Rows of the table where the case takes indices, else None."""
    name, options = case["module"], case["options"]
    if name == "Sequential":
        name, options = options["members"][0]
    return options["numEmbeddings"] if name == "Embedding" else None


def state_shapes(case):
    """Shapes of h0 and, for the LSTM, c0."""
    options, shape = case["options"], case["inputShape"]
    hidden = options["hiddenSize"]
    if case["module"].endswith("Cell"):
        leading = shape[:-1]
    else:
        leading = [options.get("numLayers", 1) * (2 if options.get("bidirectional") else 1)]
        leading += [] if len(shape) == 2 else [shape[0 if options.get("batchFirst") else 1]]
    shapes = {"h": [*leading, options.get("projSize") or hidden]}
    if case["module"].startswith("LSTM"):
        shapes["c"] = [*leading, hidden]
    return shapes


def generate(case, draws):
    """Parameters and arguments, in the order of the draws: parameters as PyTorch lists them, input, h0, c0."""
    scale = case["weightScale"]
    parameters = {name: draws.floats(shape, scale) for name, shape in case["parameters"].items()}
    rows = embeddings(case)
    if rows is not None:
        integers = draws.integers(int(np.prod(case["inputShape"]))) % rows
        return parameters, {"input": integers.astype(np.int32).reshape(case["inputShape"])}
    arguments = {"input": draws.floats(case["inputShape"], case.get("inputScale", 1))}
    if case.get("states"):
        for key, shape in state_shapes(case).items():
            arguments[key] = draws.floats(shape, case.get(f"{key}Scale", 1))
    for key, values in arguments.items():
        for position, text in case.get(f"{key}Special", []):
            values.reshape(-1)[position] = float(text)
    # What lies past a row's length must not matter, so it is NaN.
    for row, length in enumerate(case.get("lengths", [])):
        if case["options"].get("batchFirst"):
            arguments["input"][row, length:] = np.nan
        else:
            arguments["input"][length:, row] = np.nan
    return parameters, arguments


def run(case, module, parameters, arguments, dtype):
    """The module's results as numpy arrays by name: output, hN, cN (those the module has)."""
    module = copy.deepcopy(module).to(dtype).eval()
    module.load_state_dict({name: torch.from_numpy(values).to(dtype) for name, values in parameters.items()})
    kind = case["module"]
    if embeddings(case) is not None:
        return {"output": module(torch.from_numpy(arguments["input"])).numpy()}
    x, *states = (torch.from_numpy(values).to(dtype) for values in arguments.values())
    if not kind.startswith(("LSTM", "GRU", "RNN")):
        return {"output": module(x).numpy()}
    state = None if not states else tuple(states) if kind.startswith("LSTM") else states[0]
    if kind.endswith("Cell"):
        results = {}
        final = module(x, state)
    else:
        if "lengths" in case:
            time = 1 if module.batch_first else 0
            packed = pack_padded_sequence(x, case["lengths"], module.batch_first, enforce_sorted=False)
            output, final = module(packed, state)
            output, _ = pad_packed_sequence(output, module.batch_first, total_length=x.shape[time])
        else:
            output, final = module(x, state)
        results = {"output": output.numpy()}
    names = ["hN", "cN"] if kind.startswith("LSTM") else ["hN"]
    return {**results, **{name: value.numpy() for name, value in zip(names, final if len(names) == 2 else [final])}}


def largest_error(values, truth):
    """The largest difference where the truth is finite; Inf where NaN and Inf do not fall on the same places."""
    finite = np.isfinite(truth)
    special = ~finite
    if not np.array_equal(values[special], truth[special], equal_nan=True) or not np.isfinite(values[finite]).all():
        return np.inf
    return float(np.abs(values[finite].astype(np.float64) - truth[finite]).max(initial=0))


def is_settled(case, module, parameters, arguments, truth, errors):
    """
    Whether numbers that differ from these in the last bit of a float32 give results within the tolerance. Where they
    do not (weights of 1e4 make recurrent networks chaotic), the case says nothing of the quality of a kernel.
    """
    noise = np.random.default_rng(1)

    def shake(values):
        if values.dtype == np.int32:  # indices
            return values
        return np.asarray(values.astype(np.float64) * (1 + noise.uniform(-1, 1, values.shape) * 2.0**-24))

    if case["module"] in ("Embedding", "ReLU", "LeakyReLU", "ELU", "MaxPool1d"):  # nothing that amplifies
        return True
    for _ in range(16):
        shaken = [{name: shake(values) for name, values in numbers.items()} for numbers in (parameters, arguments)]
        results = run(case, module, *shaken, torch.float64)
        for name, values in results.items():
            if largest_error(values, truth[name]) > max(2 * errors[name], LEAST_TOLERANCE):
                return False
    return True


def digest(parameters, arguments):
    """A checksum of the drawn numbers, NaN as 0 since engines may differ in its bits."""
    sha = hashlib.sha256()
    for values in [*parameters.values(), *arguments.values()]:
        sha.update(np.where(np.isnan(values), 0, values).astype(values.dtype).tobytes())
    return sha.hexdigest()[:16]


def make(case):
    """Fills in the case's seed, scale, parameters and checksum; returns the truth at the stored positions."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module = construct(case["module"], case["options"])
    options = case["options"]
    fan = options.get("hiddenSize") or options.get("inFeatures") or 1
    if case["module"] == "Conv1d":
        fan = options["inChannels"] // options.get("groups", 1) * options["kernelSize"]
    case["weightScale"] = case.get("weightScale", 1 / float(np.sqrt(fan)))
    case["parameters"] = {name: list(values.shape) for name, values in module.state_dict().items()}
    # From the name, so that a new case changes no other.
    first = zlib.crc32(case["name"].encode()) // 2
    for seed in range(first, first + 100):
        draws = Draws(seed)
        parameters, arguments = generate(case, draws)
        truth = run(case, module, parameters, arguments, torch.float64)
        result = run(case, module, parameters, arguments, torch.float32)
        errors = {name: largest_error(result[name], truth[name]) for name in truth}
        if np.inf not in errors.values() and is_settled(case, module, parameters, arguments, truth, errors):
            break
    else:
        raise ValueError(f"{case['name']}: no settled seed, errors {errors}")
    if seed > first:
        print(f"{case['name']}: settled at seed {seed - first}, errors {errors}")
    case["seed"] = seed
    case["checksum"] = digest(parameters, arguments)
    case["expected"] = {
        name: {
            "shape": list(values.shape),
            "float32Error": float(f"{errors[name]:.6g}"),
            "nonFinite": int((~np.isfinite(values)).sum()),
        }
        for name, values in truth.items()
    }
    return [values.reshape(-1)[draws.positions(values.size)] for values in truth.values()]


def stored(folder):
    """The cases that the files have, by name: the entry, and the truth of each result."""
    truth = np.frombuffer((folder / "truth.bin").read_bytes(), "<f8")
    cases = {}
    for entry in json.loads((folder / "cases.json").read_text())["cases"]:
        sizes = [min(int(np.prod(result["shape"])), LIMIT) for result in entry["expected"].values()]
        cases[entry["name"]] = (entry, np.split(truth[: sum(sizes)], np.cumsum(sizes)[:-1]))
        truth = truth[sum(sizes) :]
    return cases


def main():
    torch.set_flush_denormal(False)
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    folder = pathlib.Path(__file__).parent
    made = stored(folder) if "--new" in sys.argv else {}
    truth = []
    cases = all_cases()
    for case in cases:
        entry, values = made.get(case["name"], (None, None))
        if entry is None:
            values = make(case)
        else:
            assert case.items() <= entry.items(), f"{case['name']}: it is not what cases.json has"
            case.update(entry)
        truth += values
    (folder / "truth.bin").write_bytes(np.concatenate(truth).astype("<f8").tobytes())
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    head = f'"torch": "{torch.__version__}", "limit": {LIMIT}, "leastTolerance": {LEAST_TOLERANCE}'
    (folder / "cases.json").write_text(f'{{{head}, "cases": [\n{lines}\n]}}\n')
    print(f"{len(cases)} cases, {sum(values.size for values in truth)} numbers")


main()
