#!/usr/bin/python3
"""Golden vectors from PyTorch: writes cases.json and truth.bin beside itself; ../support/golden.ts reads them.

Parameters, inputs and states are not stored: they are drawn from the case's seed by a generator of integers (Draws)
that golden.ts repeats bit for bit. Stored are PyTorch's float64 results and the largest error of its float32 results.

    /usr/bin/python3 test/golden/make.py          (Debian: apt-get install python3-torch; some ten seconds)

Layout: generator, the tables of cases, running them, writing.
"""

import copy
import hashlib
import itertools
import json
import pathlib
import re
import warnings
import zlib

import numpy as np
import torch
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


# --- the tables -----------------------------------------------------------------------------------------------------

CASES = []
HIDDEN_SIZES = [1, 3, 4, 5, 7, 8, 9, 31, 33, 64, 127, 129]
INPUT_SIZES = [1, 2, 3, 5, 16, 17, 40]
BATCH_SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 16, 33, None]  # None: unbatched
LENGTHS = [1, 2, 5, 6, 7]
KINDS = [("LSTM", {}), ("GRU", {}), ("RNN", {"nonlinearity": "tanh"}), ("RNN", {"nonlinearity": "relu"})]
NAN, INF, MINUS_INF = "NaN", "Infinity", "-Infinity"


def add(group, module, options, input_shape, note="", **rest):
    """
    Adds a case. `rest`: states (bool), lengths, the scales weightScale, inputScale, hScale, cScale, and
    inputSpecial, hSpecial, cSpecial: lists of [flat index, "NaN" | "Infinity" | "-Infinity"].
    """
    words = [f"{key}={json.dumps(value)}" for key, value in options.items()]
    words.append("x".join(map(str, input_shape)) or "scalar")
    words += ["states"] if rest.get("states") else []
    words += [f"lengths {','.join(map(str, rest['lengths']))}"] if "lengths" in rest else []
    words += [note] if note else []
    name = f"{group}: {module} {' '.join(words)}"
    CASES.append({"name": name, "module": module, "options": options, "inputShape": list(input_shape), **rest})


def stack(group, kind, options, length, batch, **rest):
    """A case of LSTM, GRU or RNN; batch None is one unbatched sequence."""
    module, extra = kind
    options = {**options, **extra}
    size = options["inputSize"]
    if batch is None:
        shape = (length, size)
    else:
        shape = (batch, length, size) if options.get("batchFirst") else (length, batch, size)
    add(group, module, options, shape, **rest)


def sizes():
    """Every hidden size, with the input sizes, batches and lengths going round beside it; each kind starts elsewhere."""
    for offset, kind in enumerate(KINDS):
        for at, hidden in enumerate(HIDDEN_SIZES):
            at += 3 * offset
            options = {"inputSize": INPUT_SIZES[at % 7], "hiddenSize": hidden}
            stack("sizes", kind, options, LENGTHS[at % 5], BATCH_SIZES[at % 11], states=at % 2 == 0)


def combinations():
    """Every combination of the constructor's options; hidden size, batch, states and dropout go round beside them."""
    switches = itertools.product([1, 2, 3], [True, False], [False, True], [False, True])
    for at, (layers, bias, batch_first, bidirectional) in enumerate(switches):
        options = {
            "inputSize": 3,
            "hiddenSize": [4, 5, 7, 9, 3][at % 5],
            "numLayers": layers,
            "bias": bias,
            "batchFirst": batch_first,
            "bidirectional": bidirectional,
        }
        if layers > 1:
            options["dropout"] = [0, 0.5, 1][at % 3]
        call = (5, [3, 4, 2, 5, 1, 9, None][at % 7])
        # The parity of all switches, so that either nonlinearity meets every combination of the others.
        nonlinearity = KINDS[2 + bin(at).count("1") % 2]
        stack("options", KINDS[0], options, *call, states=at % 3 == 0)
        stack("options", KINDS[0], {**options, "projSize": 1 + at % 2}, *call, states=at % 3 == 1)
        stack("options", KINDS[1], options, *call, states=at % 3 == 0)
        stack("options", nonlinearity, options, *call, states=at % 3 == 1)


def projections():
    """Projected sizes around the tiles."""
    for hidden, projected, batch in [(2, 1, 1), (5, 4, 4), (9, 8, 3), (33, 31, 5), (64, 9, 8), (129, 65, 2), (129, 128, 7)]:
        options = {"inputSize": 5, "hiddenSize": hidden, "projSize": projected}
        stack("projection", KINDS[0], options, 6, batch, states=True)


def lengths():
    """Lengths in any order; in some cases no row is as long as the input, in others all are."""
    orders = [[3, 7, 1, 5], [1, 2, 3, 4, 5, 6, 7], [7], [2, 2, 6, 6, 1, 3, 5, 4, 2], [7, 7, 7]]
    for offset, kind in enumerate(KINDS):
        for at, (layers, bidirectional) in enumerate(itertools.product([1, 2], [False, True])):
            at += offset
            options = {"inputSize": 3, "hiddenSize": 5, "numLayers": layers, "bidirectional": bidirectional}
            options["batchFirst"] = at % 2 == 1
            order = orders[at % 5]
            stack("lengths", kind, options, 7, len(order), states=at % 2 == 0, lengths=order)
            if kind[0] == "LSTM":
                stack("lengths", kind, {**options, "projSize": 2}, 7, len(order), states=at % 2 == 1, lengths=order)
        order = [(7 * row) % 33 + 1 for row in range(33)]
        options = {"inputSize": 17, "hiddenSize": 9, "bidirectional": True}
        stack("lengths", kind, options, 40, 33, states=True, lengths=order)


def long():
    """Many time steps: chunks of time, and rounding that builds up."""
    for kind in KINDS:
        stack("long", kind, {"inputSize": 16, "hiddenSize": 64}, 64, 9)
        stack("long", kind, {"inputSize": 5, "hiddenSize": 33, "numLayers": 2, "bidirectional": True}, 100, 3)
        stack("long", kind, {"inputSize": 2, "hiddenSize": 9, "numLayers": 3}, 1000, 2, states=True)
        stack("long", kind, {"inputSize": 40, "hiddenSize": 31, "batchFirst": True}, 1000, None)
    options = {"inputSize": 3, "hiddenSize": 33, "projSize": 7, "bidirectional": True}
    stack("long", KINDS[0], options, 1000, 4, lengths=[999, 1000, 1, 500])


def unbatched():
    for kind in KINDS:
        options = {"inputSize": 3, "hiddenSize": 5, "numLayers": 2, "bidirectional": True}
        stack("unbatched", kind, options, 6, None, states=True)
        stack("unbatched", kind, {**options, "batchFirst": True}, 6, None)
    options = {"inputSize": 3, "hiddenSize": 5, "projSize": 2, "bidirectional": True}
    stack("unbatched", KINDS[0], options, 6, None, states=True)


def saturation():
    """Inputs, states or weights of the order of 1e4. ReLU does not saturate, so its few steps just grow."""
    options = {"inputSize": 5, "hiddenSize": 9, "numLayers": 2}
    for kind in KINDS:
        steps = 2 if kind[1].get("nonlinearity") == "relu" else 6
        stack("saturation", kind, options, steps, 5, note="inputs 1e4", inputScale=1e4)
        stack("saturation", kind, options, steps, 5, note="weights 1e4", weightScale=1e4)
        stack("saturation", kind, options, steps, 5, note="states 1e4", states=True, hScale=1e4, cScale=1e4)


def subnormal():
    """
    Inputs and states of 1e-40. Weights of 2^120 make them count: the sums are near 1e-4, and 0 if they are flushed.
    One layer and one step only, since what comes out meets such weights again.
    """
    for kind in KINDS:
        options = {"inputSize": 5, "hiddenSize": 7, "bias": False}
        tiny = {"inputScale": 1e-40, "hScale": 1e-40, "cScale": 1e-40}
        stack("subnormal", kind, options, 6, 4, note="1e-40", states=True, **tiny)
        stack("subnormal", kind, options, 1, 4, note="1e-40 by 2^120", states=True, weightScale=2.0**120, **tiny)


def special():
    """NaN and Inf in single elements: where they go, and which rows, lanes and directions they leave alone."""
    options = {"inputSize": 3, "hiddenSize": 5}
    at = 5 * 4 - 1  # in the state of the last row, and in the input (4, 4, 3) in t = 1, row 2, i = 1
    for kind in KINDS:
        both = {**options, "bidirectional": True}
        stack("special", kind, both, 3, 4, note="NaN input", inputSpecial=[[at, NAN]])
        stack("special", kind, options, 4, 4, note="Inf input", inputSpecial=[[at, INF]])
        stack("special", kind, options, 4, 4, note="-Inf input", inputSpecial=[[at, MINUS_INF]])
        stack("special", kind, options, 4, 4, note="Inf and -Inf input", inputSpecial=[[at, INF], [at + 1, MINUS_INF]])
        stack("special", kind, options, 4, 4, note="NaN h0", states=True, hSpecial=[[at, NAN]])
        stack("special", kind, options, 4, 4, note="Inf h0", states=True, hSpecial=[[at, INF]])
        if kind[0] == "LSTM":
            stack("special", kind, options, 4, 4, note="NaN c0", states=True, cSpecial=[[at, NAN]])
            stack("special", kind, options, 4, 4, note="Inf c0", states=True, cSpecial=[[at, INF], [0, MINUS_INF]])
            projected = {**both, "projSize": 2}
            stack("special", kind, projected, 4, 4, note="NaN input", inputSpecial=[[at, NAN]], lengths=[2, 4, 3, 1])


def empty():
    for kind in KINDS:
        options = {"inputSize": 3, "hiddenSize": 5, "numLayers": 2, "bidirectional": True}
        stack("batch 0", kind, options, 6, 0)
        stack("batch 0", kind, {**options, "batchFirst": True}, 6, 0, states=True)
    stack("batch 0", KINDS[0], {"inputSize": 3, "hiddenSize": 5, "projSize": 2}, 6, 0)


def cells():
    for offset, (module, extra) in enumerate(KINDS):
        cell = f"{module}Cell"
        for at, hidden in enumerate([1, 3, 4, 8, 9, 33, 129]):
            at += 2 * offset
            batch = [1, 4, None, 3, 33, 0, 8][at % 7]
            options = {"inputSize": INPUT_SIZES[at % 7], "hiddenSize": hidden, **({"bias": False} if at % 3 == 2 else {}), **extra}
            shape = (options["inputSize"],) if batch is None else (batch, options["inputSize"])
            add("cells", cell, options, shape, states=at % 2 == 0)
        options = {"inputSize": 5, "hiddenSize": 7, **extra}
        add("cells", cell, options, (5,), states=True)
        add("cells", cell, options, (4, 5), note="inputs and states 1e4", states=True, inputScale=1e4, hScale=1e4, cScale=1e4)
        add("cells", cell, options, (4, 5), note="NaN and Inf input", inputSpecial=[[6, NAN], [13, INF]])
        add("cells", cell, options, (4, 5), note="Inf h0", states=True, hSpecial=[[9, INF]])


def linear():
    for shape, width, bias in [
        ((4, 3), 5, True),
        ((4, 3), 5, False),
        ((17,), 1, True),
        ((7, 5, 16), 33, True),
        ((2, 3, 4, 1), 9, True),
        ((33, 129), 127, True),
        ((1, 64), 64, False),
        ((0, 3), 5, True),
    ]:
        add("linear", "Linear", {"inFeatures": shape[-1], "outFeatures": width, "bias": bias}, shape)
    options = {"inFeatures": 5, "outFeatures": 9}
    add("linear", "Linear", options, (4, 5), note="inputs 1e4", inputScale=1e4)
    add("linear", "Linear", {**options, "bias": False}, (4, 5), note="1e-40 by 2^120", inputScale=1e-40, weightScale=2.0**120)
    add("linear", "Linear", options, (4, 5), note="NaN and Inf", inputSpecial=[[1, NAN], [7, INF], [12, INF], [13, MINUS_INF]])


def embedding():
    for shape, options in [
        ((7,), {"numEmbeddings": 10, "embeddingDim": 4}),
        ((3, 5), {"numEmbeddings": 7, "embeddingDim": 9}),
        ((), {"numEmbeddings": 3, "embeddingDim": 2}),
        ((2, 0), {"numEmbeddings": 3, "embeddingDim": 5}),
        ((2, 3, 4), {"numEmbeddings": 3, "embeddingDim": 1, "paddingIdx": 0}),
        ((64, 3), {"numEmbeddings": 1000, "embeddingDim": 65, "paddingIdx": 999}),
    ]:
        add("embedding", "Embedding", options, shape)


def conv1d():
    """
    Each option by itself and with others, channels around the tiles, lengths of one output, and long ones that are
    cut into several calls.
    """
    for inputs, outputs, kernel, shape, extra in [
        (1, 1, 1, (2, 1, 1), {}),
        (3, 5, 3, (4, 3, 9), {}),
        (3, 5, 3, (3, 9), {"bias": False}),
        (2, 17, 4, (1, 2, 4), {}),
        (5, 16, 3, (2, 5, 20), {"stride": 2}),
        (5, 33, 2, (2, 5, 20), {"stride": 3, "padding": 1}),
        (4, 7, 3, (3, 4, 11), {"padding": 2}),
        (4, 7, 3, (3, 4, 11), {"padding": 2, "paddingMode": "reflect"}),
        (4, 7, 5, (4, 3), {"padding": 2, "paddingMode": "reflect", "stride": 2}),
        (3, 4, 3, (2, 3, 15), {"dilation": 3}),
        (1, 3, 4, (2, 1, 15), {"dilation": 2, "padding": 3}),
        (3, 4, 3, (2, 3, 15), {"dilation": 2, "padding": 5, "paddingMode": "reflect", "stride": 2}),
        (6, 4, 3, (2, 6, 10), {"groups": 2}),
        (6, 42, 3, (2, 6, 10), {"groups": 2, "dilation": 2, "padding": 1}),
        (5, 5, 3, (2, 5, 10), {"groups": 5, "padding": 1, "paddingMode": "reflect"}),
        (4, 8, 4, (2, 4, 10), {"padding": "same"}),
        (4, 8, 4, (2, 4, 10), {"padding": "same", "dilation": 3, "paddingMode": "reflect"}),
        (4, 8, 4, (2, 4, 10), {"padding": "valid", "stride": 2}),
        (2, 3, 2, (2, 2, 1), {"padding": 4}),
        (2, 3, 3, (0, 2, 5), {}),
        (3, 9, 3, (2, 3, 700), {"padding": 1}),
        (3, 4, 5, (3, 1300), {"stride": 2, "dilation": 2, "padding": 4, "paddingMode": "reflect"}),
        (1, 258, 256, (1, 1, 640), {"stride": 128, "bias": False}),
        (129, 128, 3, (1, 129, 4), {"padding": 1}),
    ]:
        options = {"inChannels": inputs, "outChannels": outputs, "kernelSize": kernel, **extra}
        add("conv1d", "Conv1d", options, shape)
    options = {"inChannels": 2, "outChannels": 5, "kernelSize": 3, "padding": 1}
    add("conv1d", "Conv1d", options, (2, 2, 8), note="inputs 1e4", inputScale=1e4)
    add("conv1d", "Conv1d", options, (2, 2, 8), note="NaN and Inf", inputSpecial=[[2, NAN], [17, INF], [22, MINUS_INF]])


def activations():
    """Functions, by the modules that PyTorch has for them. 40000 elements take more than two calls."""
    for module in ["ReLU", "Sigmoid", "Tanh"]:
        for shape in [(), (3,), (2, 3, 5), (0, 4), (40000,)]:
            add("activations", module, {}, shape, inputScale=8)
        add("activations", module, {}, (9,), note="1e4", inputScale=1e4)
        add("activations", module, {}, (9,), note="1e-40", inputScale=1e-40)
        add("activations", module, {}, (9,), note="NaN and Inf", inputSpecial=[[1, NAN], [4, INF], [6, MINUS_INF]])
    for module in ["Softmax", "LogSoftmax"]:
        for dim, shape in [
            (0, ()), (-1, (1,)), (0, (7,)), (1, (5, 65)), (-1, (19, 3)), (0, (6, 21)), (1, (3, 4, 18)), (-2, (2, 9, 5)),
            (0, (0, 3)), (1, (4, 0)), (-1, (2, 5000)),
        ]:  # fmt: skip
            add("activations", module, {"dim": dim}, shape, inputScale=8)
        add("activations", module, {"dim": 1}, (2, 9), note="1e4", inputScale=1e4)
        for value in [NAN, INF, MINUS_INF]:
            add("activations", module, {"dim": 1}, (3, 5), note=value, inputSpecial=[[7, value]])
        nothing = [[at, MINUS_INF] for at in range(5, 10)]
        add("activations", module, {"dim": 1}, (3, 5), note="nothing but -Inf", inputSpecial=nothing)


# --- running --------------------------------------------------------------------------------------------------------


def snake(options):
    return {re.sub("([A-Z])", lambda match: "_" + match[1].lower(), key): value for key, value in options.items()}


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
    if case["module"] == "Embedding":
        integers = draws.integers(int(np.prod(case["inputShape"]))) % case["options"]["numEmbeddings"]
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
    if kind == "Embedding":
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
        return np.asarray(values.astype(np.float64) * (1 + noise.uniform(-1, 1, values.shape) * 2.0**-24))

    if case["module"] in ("Embedding", "ReLU"):  # no arithmetic
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
        module = getattr(torch.nn, case["module"])(**snake(case["options"]))
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


def main():
    torch.set_flush_denormal(False)
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    for table in [
        sizes, combinations, projections, lengths, long, unbatched, saturation, subnormal, special, empty,
        cells, linear, embedding, conv1d, activations,
    ]:  # fmt: skip
        table()
    assert len({case["name"] for case in CASES}) == len(CASES), "two cases have one name"
    truth = [values for case in CASES for values in make(case)]
    folder = pathlib.Path(__file__).parent
    (folder / "truth.bin").write_bytes(np.concatenate(truth).astype("<f8").tobytes())
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in CASES)
    head = f'"torch": "{torch.__version__}", "limit": {LIMIT}, "leastTolerance": {LEAST_TOLERANCE}'
    (folder / "cases.json").write_text(f'{{{head}, "cases": [\n{lines}\n]}}\n')
    print(f"{len(CASES)} cases, {sum(values.size for values in truth)} numbers")


main()
