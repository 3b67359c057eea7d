"""Writes whole models of Keras 3 or tf_keras 2 to test/formats/files/keras-models, with what they compute.

Run with Python 3.11, keras==3.15.0, tf_keras==2.21.0 and tensorflow-cpu==2.21.0:
python make_keras_models.py keras
python make_keras_models.py tf_keras
Names behind it are those of the models to write; others are left as they are.

Each model is made again with numbers of float64, whose results are the truth. k3.json and k2.json have a line for each
model: its files, its inputs and its outputs by name, for each of the calls that are made one after the other.
"""

import importlib
import json
import os
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="")

import numpy as np

from keras_fixture import deflate, numbers
from keras_models import MODELS

WHICH = sys.argv[1]
keras = importlib.import_module(WHICH)
NEW = WHICH == "keras"
MARK = "k3" if NEW else "k2"
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files", "keras-models")


def input_for(rng, tensor, wanted):
    """Numbers for an input: what the case states, or normal ones. Batch 2, and 5 where another size is open."""
    shape = [size or (2 if at == 0 else 5) for at, size in enumerate(tensor.shape)]
    if wanted is not None:
        return np.asarray(wanted(rng, shape))
    return rng.normal(0, 1, shape).astype("float32")


def flatten(value):
    if isinstance(value, dict):
        return [one for key in value for one in flatten(value[key])]
    return [one for item in value for one in flatten(item)] if isinstance(value, (list, tuple)) else [np.asarray(value)]


def reset(model):
    (model.reset_states if hasattr(model, "reset_states") else lambda: None)()
    for layer in model.layers:
        for name in ("reset_state", "reset_states"):
            if getattr(layer, "stateful", False) and hasattr(layer, name):
                getattr(layer, name)()
                break


def twin_of(model):
    config = json.loads(json.dumps(model.get_config()).replace("float32", "float64"))
    keras.backend.set_floatx("float64")
    twin = type(model).from_config(config)
    twin.set_weights([value.astype("float64") if value.dtype.kind == "f" else value for value in model.get_weights()])
    return twin


def calls_of(model, inputs, floats):
    reset(model)
    results = []
    for given in inputs:
        given = [x.astype(floats) if x.dtype.kind == "f" else x for x in given]
        results.append(flatten(model(given[0] if len(given) == 1 else given, training=False)))
    return results


def main():
    path = os.path.join(FOLDER, "%s.json" % MARK)
    cases = {}
    if os.path.exists(path):
        with open(path) as file:
            cases = {case["name"]: case for case in json.load(file)}
    for at, make in enumerate(MODELS):
        if sys.argv[2:] and make.__name__ not in sys.argv[2:]:
            continue
        keras.backend.clear_session()
        keras.backend.set_floatx("float32")
        keras.utils.set_random_seed(at)
        rng = np.random.default_rng(at)
        made = make(keras, NEW)
        if made is None:
            continue
        name = make.__name__
        model, more = made if isinstance(made, tuple) else (made, {})
        weights = [
            rng.normal(0, 0.5, w.shape).astype(w.dtype) if w.dtype.kind == "f" else w for w in model.get_weights()
        ]
        if not more.get("keep_weights"):
            model.set_weights(weights)
        calls = more.get("calls", 1)
        wanted = more.get("inputs", [None] * len(model.inputs))
        inputs = [[input_for(rng, x, want) for x, want in zip(model.inputs, wanted)] for _ in range(calls)]
        rough = calls_of(model, inputs, "float32")
        reset(model)
        files = []
        for format in more.get("formats", "keras").split():
            file = "%s-%s.%s" % (name, MARK, format)
            place = os.path.join(FOLDER, file)
            if NEW:
                model.save(place)
            else:
                model.save(place, save_format="keras" if format == "keras" else "h5")
            if format == "keras":
                deflate(place)
            files.append(file)
        exact = calls_of(twin_of(model), inputs, "float64")
        error = max(np.max(np.abs(a - b), initial=0) for one, two in zip(rough, exact) for a, b in zip(one, two))
        case = dict(
            name=name,
            files=files,
            error=float("%.3g" % error),
            inputs=[[numbers(x) for x in given] for given in inputs],
            outputs=[[numbers(x) for x in call] for call in exact],
        )
        cases[name] = case
        print(name, error, flush=True)
    order = [make.__name__ for make in MODELS if make.__name__ in cases]
    with open(path, "w") as file:
        lines = [json.dumps(cases[name], separators=(",", ":")) for name in order]
        file.write("[\n%s\n]\n" % ",\n".join(lines))


main()
