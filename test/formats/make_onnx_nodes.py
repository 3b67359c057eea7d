"""Models of one LSTM, GRU or RNN node and what ONNX's definition makes of them, to files/onnx-nodes.json.

The truth is computed here in float64, from the operators' text. Where onnxruntime has the case it agrees, which is
checked; it lacks layout 1, and takes alpha 0 where ThresholdedRelu, Affine and ScaledTanh state none (their operators' own
defaults are 1). onnx's own reference operator leaves out clip, input_forget and most activations.

pip install numpy==2.5.5 onnx==1.23.2 onnxruntime==1.32.0
"""

import base64
import json
import pathlib

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
USUAL = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
STEPS, BATCH, INPUT, HIDDEN = 4, 3, 2, 3

FUNCTIONS = {
    "relu": lambda x, a, b: np.maximum(x, 0),
    "tanh": lambda x, a, b: np.tanh(x),
    "sigmoid": lambda x, a, b: 1 / (1 + np.exp(-x)),
    "affine": lambda x, a, b: a * x + b,
    "leakyrelu": lambda x, a, b: np.where(x >= 0, x, a * x),
    "thresholdedrelu": lambda x, a, b: np.where(x >= a, x, 0),
    "scaledtanh": lambda x, a, b: a * np.tanh(b * x),
    "hardsigmoid": lambda x, a, b: np.clip(a * x + b, 0, 1),
    "elu": lambda x, a, b: np.where(x >= 0, x, a * (np.exp(x) - 1)),
    "softsign": lambda x, a, b: x / (1 + np.abs(x)),
    "softplus": lambda x, a, b: np.log(1 + np.exp(x)),
}
ALPHA = {"affine": 1, "leakyrelu": 0.01, "thresholdedrelu": 1, "scaledtanh": 1, "hardsigmoid": 0.2, "elu": 1}
BETA = {"affine": 0, "scaledtanh": 1, "hardsigmoid": 0.5}


def functions(kind, directions, attributes):
    """The functions of all directions, their constants dealt out in order to those that take one."""
    names = [name.lower() for name in attributes.get("activations", USUAL[kind] * directions)]
    alphas = iter(attributes.get("activation_alpha", []))
    betas = iter(attributes.get("activation_beta", []))
    made = []
    for name in names:
        a = next(alphas, ALPHA[name]) if name in ALPHA else 0
        b = next(betas, BETA[name]) if name in BETA else 0
        made.append(lambda x, f=FUNCTIONS[name], a=np.float32(a), b=np.float32(b): f(x, float(a), float(b)))
    return made


def direction(kind, acts, attributes, x, w, r, b, p, h, c):
    """One direction over x (L, N, I); a row of which the step is past its length keeps its state."""
    bound = attributes.get("clip", np.inf)
    clip = lambda z: np.clip(z, -bound, bound)
    wb, rb = (b[: len(b) // 2], b[len(b) // 2 :])
    cut = lambda z, k: z[..., k * HIDDEN : (k + 1) * HIDDEN]
    rows = []
    for step, real in x:
        zx, zh = step @ w.T + wb, h @ r.T + rb
        before = c
        if kind == "RNN":
            new = acts[0](clip(zx + zh))
        elif kind == "GRU":
            f, g = acts
            z = f(clip(cut(zx, 0) + cut(zh, 0)))
            reset = f(clip(cut(zx, 1) + cut(zh, 1)))
            if attributes.get("linear_before_reset", 0):
                n = g(clip(cut(zx, 2) + reset * cut(zh, 2)))
            else:
                n = g(clip(cut(zx, 2) + (reset * h) @ cut(r.T, 2) + cut(rb, 2)))
            new = (1 - z) * n + z * h
        else:
            f, g, last = acts
            pi, po, pf = cut(p, 0), cut(p, 1), cut(p, 2)
            i = f(clip(cut(zx, 0) + cut(zh, 0) + pi * c))
            forget = 1 - i if attributes.get("input_forget", 0) else f(clip(cut(zx, 2) + cut(zh, 2) + pf * c))
            before = forget * c + i * g(clip(cut(zx, 3) + cut(zh, 3)))
            new = f(clip(cut(zx, 1) + cut(zh, 1) + po * before)) * last(before)
        real = real[:, None]
        h, c = np.where(real, new, h), np.where(real, before, c)
        rows.append(np.where(real, new, 0))
    return np.stack(rows), h, c


def truth(kind, attributes, x, w, r, b, p, h, c, lengths):
    """Y (L, D, N, H), Y_h, Y_c (D, N, H)."""
    x, w, r, b, p, h, c = (np.asarray(v, np.float64) for v in (x, w, r, b, p, h, c))
    acts = functions(kind, len(w), attributes)
    count = len(acts) // len(w)
    outputs = []
    for d in range(len(w)):
        backwards = d == 1 or attributes.get("direction") == "reverse"
        order = np.arange(STEPS)
        steps = [(x[t], t < lengths) for t in (order[::-1] if backwards else order)]
        y, *last = direction(kind, acts[d * count : (d + 1) * count], attributes, steps, w[d], r[d], b[d], p[d], h[d], c[d])
        outputs.append((y[::-1] if backwards else y, *last))
    return [np.stack([o[0] for o in outputs], 1)] + [np.stack([o[k] for o in outputs]) for k in (1, 2)]


def text(array):
    return base64.b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode()


def make(name, kind, seed, *, bias=True, peepholes=False, state=None, lengths=None, defaults=False, **attributes):
    random = np.random.default_rng(seed)
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    draw = lambda *shape: random.normal(size=shape).astype(np.float32)
    gates = GATES[kind]
    x = draw(STEPS, BATCH, INPUT)
    w, r = draw(directions, gates * HIDDEN, INPUT), draw(directions, gates * HIDDEN, HIDDEN)
    b = draw(directions, 2 * gates * HIDDEN) if bias else np.zeros((directions, 2 * gates * HIDDEN), np.float32)
    p = draw(directions, 3 * HIDDEN) if peepholes else np.zeros((directions, 3 * HIDDEN), np.float32)
    h, c = (np.zeros((directions, BATCH, HIDDEN), np.float32) for _ in range(2))
    if state == "rows":
        h, c = draw(directions, BATCH, HIDDEN), draw(directions, BATCH, HIDDEN)
    if state == "common":
        h, c = (np.repeat(draw(directions, 1, HIDDEN), BATCH, 1) for _ in range(2))
    if kind != "LSTM":
        c = np.zeros_like(c)
    given = np.array(lengths or [STEPS] * BATCH)
    y, yh, yc = truth(kind, attributes, x, w, r, b, p, h, c, given)

    batchwise = attributes.get("layout") == 1
    turn = lambda v: np.ascontiguousarray(v.swapaxes(0, 1)) if batchwise else v
    weights = {"W": w, "R": r}
    if bias:
        weights["B"] = b
    if state:
        weights["initial_h"] = turn(h)
        if kind == "LSTM":
            weights["initial_c"] = turn(c)
    if peepholes:
        weights["P"] = p
    names = ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"]
    used = [n if n in weights or n == "X" or (n == "sequence_lens" and lengths) else "" for n in names]
    while used[-1] == "":
        used.pop()
    node = helper.make_node(kind, used, ["Y", "Y_h"] + (["Y_c"] if kind == "LSTM" else []), hidden_size=HIDDEN, **attributes)
    inputs = [helper.make_tensor_value_info("X", TensorProto.FLOAT, turn(x).shape)]
    if lengths:
        inputs.append(helper.make_tensor_value_info("sequence_lens", TensorProto.INT32, [BATCH]))
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in node.output]
    tensors = [numpy_helper.from_array(v, n) for n, v in weights.items()]
    graph = helper.make_graph([node], "g", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)])
    model.ir_version = 10
    if not batchwise and not defaults:
        feeds = {"X": x, **({"sequence_lens": given.astype(np.int32)} if lengths else {})}
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        for got, expected in zip(session.run(None, feeds), (y, yh, yc)):
            np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5, err_msg=name)
    # As the module gives them: (L, N, D*H) or (N, L, D*H), and states (D, N, H).
    rows = y.transpose(0, 2, 1, 3).reshape(STEPS, BATCH, directions * HIDDEN)
    return {
        "name": name,
        "model": base64.b64encode(model.SerializeToString()).decode(),
        "input": text(turn(x)),
        "lengths": lengths,
        "output": text(turn(rows)),
        "states": [text(yh)] + ([text(yc)] if kind == "LSTM" else []),
    }


CASES = []


def add(name, kind, **options):
    CASES.append(make(name, kind, len(CASES), **options))


# The kinds of onnx's own node tests.
for kind in GATES:
    add(f"{kind} defaults", kind, bias=False)
    add(f"{kind} with initial bias", kind)
    add(f"{kind} batchwise", kind, layout=1)
    add(f"{kind} reverse", kind, direction="reverse")
    add(f"{kind} bidirectional", kind, direction="bidirectional")
    add(f"{kind} of lengths", kind, lengths=[4, 2, 3])
add("LSTM with peepholes", "LSTM", peepholes=True)
add("GRU linear before reset", "GRU", linear_before_reset=1)

# Each activation, with its constants left out and given.
for name in ["Relu", "Tanh", "Sigmoid", "Softsign", "Softplus"]:
    add(f"RNN of {name}", "RNN", activations=[name])
for name in ["LeakyRelu", "ThresholdedRelu", "Elu", "HardSigmoid"]:
    add(f"RNN of {name}", "RNN", activations=[name], defaults=name == "ThresholdedRelu")
    more = {"activation_beta": [0.4]} if name == "HardSigmoid" else {}
    add(f"RNN of {name} with constants", "RNN", activations=[name], activation_alpha=[0.3], **more)
for name in ["Affine", "ScaledTanh"]:
    add(f"RNN of {name}", "RNN", activations=[name], defaults=True)
    add(f"RNN of {name} with constants", "RNN", activations=[name], activation_alpha=[0.3], activation_beta=[0.4])
add("LSTM of constants in order", "LSTM", activations=["HardSigmoid", "LeakyRelu", "Elu"],
    activation_alpha=[0.25, 0.1, 0.7], activation_beta=[0.45])
add("LSTM of names in small letters", "LSTM", activations=["sigmoid", "TANH", "softsign"])
add("GRU of two activations", "GRU", activations=["HardSigmoid", "Softsign"])
add("LSTM of two directions with the same", "LSTM", direction="bidirectional", activations=["Sigmoid", "Relu", "Tanh"] * 2)
add("RNN of two directions that differ", "RNN", direction="bidirectional", activations=["Tanh", "Relu"])
add("LSTM of two directions that differ", "LSTM", direction="bidirectional", peepholes=True, state="rows",
    activations=["Sigmoid", "Tanh", "Tanh", "HardSigmoid", "Relu", "Tanh"], activation_alpha=[0.3], activation_beta=[0.4])

for kind in GATES:
    add(f"{kind} with clip", kind, clip=0.5)
    add(f"{kind} with states of rows", kind, state="rows")
    add(f"{kind} with a common state", kind, state="common", direction="bidirectional", layout=1)
add("LSTM with input_forget", "LSTM", input_forget=1, clip=0.7)
add("LSTM of everything", "LSTM", peepholes=True, state="common", direction="reverse", clip=0.9, input_forget=1,
    lengths=[3, 4, 1], activations=["HardSigmoid", "Elu", "Softsign"], activation_alpha=[0.3, 0.8])
add("GRU of everything", "GRU", direction="bidirectional", clip=0.6, lengths=[1, 4, 2], linear_before_reset=1,
    state="rows", activations=["Sigmoid", "Relu"] * 2)
add("GRU of everything, reset before", "GRU", direction="reverse", clip=0.6, lengths=[1, 4, 2], state="common", layout=1)

path = pathlib.Path(__file__).parent / "files" / "onnx-nodes.json"
path.write_text("[\n" + ",\n".join(json.dumps(case) for case in CASES) + "\n]\n")
print(len(CASES), "cases")
