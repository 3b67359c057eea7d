"""The cases of the golden vectors: a function for each table, and all_cases() of all of them. make.py runs them."""

import itertools
import json

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
    words = [f"{key}={json.dumps(value)}" for key, value in options.items() if key != "members"]
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


def rectifiers():
    for module, options in [
        ("LeakyReLU", {}), ("LeakyReLU", {"negativeSlope": 0.2}), ("LeakyReLU", {"negativeSlope": -1.5}),
        ("ELU", {}), ("ELU", {"alpha": 0.3}), ("ELU", {"alpha": -2}),
    ]:  # fmt: skip
        for shape in [(2, 3, 5), (0, 4)]:
            add("rectifiers", module, options, shape, inputScale=8)
    for module in ["LeakyReLU", "ELU"]:
        for shape in [(), (3,), (40000,)]:
            add("rectifiers", module, {}, shape, inputScale=8)
        for scale in [1e4, 1e-3, 1e-40]:
            add("rectifiers", module, {}, (9,), note=f"{scale:g}", inputScale=scale)
        add("rectifiers", module, {}, (9,), note="NaN and Inf", inputSpecial=[[1, NAN], [4, INF], [6, MINUS_INF]])


def max_pool():
    """Lanes around 4 and 16, windows in the padding, and long inputs that are cut into several calls."""
    for kernel, shape, extra in [
        (1, (2, 1, 1), {}),
        (2, (4, 3, 9), {}),
        (3, (5, 9), {"stride": 1}),
        (3, (3, 6, 10), {"stride": 2, "padding": 1}),
        (2, (2, 17, 11), {"stride": 3, "ceilMode": True}),
        (3, (2, 5, 10), {"stride": 2, "ceilMode": True, "padding": 1}),
        (5, (1, 4, 12), {"stride": 1, "padding": 2, "dilation": 2}),
        (2, (1, 2, 2), {"padding": 1, "dilation": 3}),
        (4, (2, 3, 3), {"ceilMode": True, "padding": 2, "stride": 5}),
        (3, (1, 2, 1), {"ceilMode": True, "stride": 3}),
        (2, (0, 3, 4), {}),
        (3, (3, 1300), {"stride": 2, "padding": 1, "dilation": 3}),
        (2, (1, 33, 600), {"stride": 1}),
    ]:
        add("max pool", "MaxPool1d", {"kernelSize": kernel, **extra}, shape, inputScale=8)
    special = [[2, NAN], [17, INF], [22, MINUS_INF], [23, MINUS_INF]]
    add("max pool", "MaxPool1d", {"kernelSize": 2, "stride": 1}, (2, 2, 8), note="NaN and Inf", inputSpecial=special)


def normalizations():
    """Rows around the two lanes, rows far from zero, constant rows, and more than one call takes."""
    for normalized, shape, extra in [
        (1, (3, 1), {}),
        (2, (2,), {}),
        (5, (4, 5), {}),
        (64, (3, 2, 64), {}),
        (129, (33, 129), {}),
        ([3, 5], (2, 4, 3, 5), {}),
        ([2, 1, 3], (2, 1, 3), {}),
        (7, (5, 7), {"eps": 0.5}),
        (7, (5, 7), {"elementwiseAffine": False}),
        (7, (5, 7), {"bias": False}),
        (3, (0, 3), {}),
        (20001, (2, 20001), {}),
        (9, (5000, 9), {}),
    ]:
        add("normalizations", "LayerNorm", {"normalizedShape": normalized, **extra}, shape, inputScale=4)
    for groups, shape, extra in [
        (1, (2, 3), {}),
        (2, (3, 6), {}),
        (6, (2, 6, 5), {}),
        (2, (3, 6, 4), {}),
        (3, (2, 6, 3, 5), {}),
        (1, (1, 4, 7), {}),
        (2, (3, 6, 4), {"eps": 0.5}),
        (2, (3, 6, 4), {"affine": False}),
        (2, (3, 6, 4), {"bias": False}),
        (2, (0, 4, 3), {}),
        (2, (3, 4, 0), {}),
        (4, (2, 8, 5001), {}),
        (2, (900, 6, 5), {}),
    ]:
        add("normalizations", "GroupNorm", {"numGroups": groups, "numChannels": shape[1], **extra}, shape, inputScale=4)
    specials = [[1, NAN], [7, INF], [12, INF], [13, MINUS_INF]]
    for module, options in [
        ("LayerNorm", {"normalizedShape": 5}),
        ("GroupNorm", {"numGroups": 2, "numChannels": 2}),
    ]:
        shape = (4, 5) if module == "LayerNorm" else (2, 2, 5)
        add("normalizations", module, options, shape, note="1e4", inputScale=1e4)
        add("normalizations", module, options, shape, note="1e-3", inputScale=1e-3)
        add("normalizations", module, options, shape, note="1e-40", inputScale=1e-40)
        add("normalizations", module, options, shape, note="constant", inputScale=0)
        add("normalizations", module, options, shape, note="NaN and Inf", inputSpecial=specials)


def sequentials():
    """Whole networks, by the modules that PyTorch has; recurrent ones pass on their output."""
    for input_shape, members in [
        (
            (2, 7),
            [
                ["Embedding", {"numEmbeddings": 11, "embeddingDim": 6}],
                ["LSTM", {"inputSize": 6, "hiddenSize": 9, "batchFirst": True}],
                ["LayerNorm", {"normalizedShape": 9}],
                ["Linear", {"inFeatures": 9, "outFeatures": 11}],
            ],
        ),
        (
            (3, 8),
            [
                ["Linear", {"inFeatures": 8, "outFeatures": 16}],
                ["ELU", {}],
                ["Dropout", {"p": 0.1}],
                ["Linear", {"inFeatures": 16, "outFeatures": 16}],
                ["LayerNorm", {"normalizedShape": 16}],
                ["LeakyReLU", {}],
                ["Linear", {"inFeatures": 16, "outFeatures": 4}],
                ["Tanh", {}],
            ],
        ),
        (
            (2, 3, 40),
            [
                ["Conv1d", {"inChannels": 3, "outChannels": 8, "kernelSize": 5}],
                ["GroupNorm", {"numGroups": 2, "numChannels": 8}],
                ["MaxPool1d", {"kernelSize": 3}],
                ["ELU", {}],
                ["Conv1d", {"inChannels": 8, "outChannels": 4, "kernelSize": 3, "dilation": 2}],
            ],
        ),
        (
            (6, 2, 5),
            [
                ["GRU", {"inputSize": 5, "hiddenSize": 7, "bidirectional": True}],
                ["Dropout", {}],
                ["RNN", {"inputSize": 14, "hiddenSize": 3}],
            ],
        ),
        (
            (5, 2, 8),
            [
                ["Linear", {"inFeatures": 8, "outFeatures": 16}],
                ["ELU", {}],
                ["LSTM", {"inputSize": 16, "hiddenSize": 12}],
                ["Linear", {"inFeatures": 12, "outFeatures": 10}],
                ["ELU", {}],
                ["Linear", {"inFeatures": 10, "outFeatures": 4}],
            ],
        ),
        (
            (2, 3, 40),
            [
                ["Conv1d", {"inChannels": 3, "outChannels": 8, "kernelSize": 5, "padding": "same"}],
                ["ELU", {}],
                ["MaxPool1d", {"kernelSize": 3}],
                ["Dropout", {"p": 0.1}],
                ["Transpose", {}],
                ["LSTM", {"inputSize": 8, "hiddenSize": 6, "batchFirst": True, "bidirectional": True}],
                ["Linear", {"inFeatures": 12, "outFeatures": 2}],
                ["Sigmoid", {}],
            ],
        ),
    ]:
        names = " ".join(name for name, _ in members)
        add("sequentials", "Sequential", {"members": members}, input_shape, note=names, weightScale=0.4)


def all_cases():
    for table in [
        sizes, combinations, projections, lengths, long, unbatched, saturation, subnormal, special, empty,
        cells, linear, embedding, conv1d, activations, rectifiers, max_pool, normalizations, sequentials,
    ]:  # fmt: skip
        table()
    assert len({case["name"] for case in CASES}) == len(CASES), "two cases have one name"
    return CASES
