"""Writes models of every family of layers to test/formats/files/keras-layers, with what Keras computes of them.

Run with Python 3.11, keras==3.15.0, tf_keras==2.21.0, tensorflow-cpu==2.21.0 and jax==0.10.2:
python make_keras_layers.py keras
python make_keras_layers.py tf_keras
python make_keras_layers.py keras option
python make_keras_layers.py tf_keras option
python make_keras_layers.py keras mask
python make_keras_layers.py tf_keras mask

Those with `option` write the models of keras_option_models.py to test/formats/files/keras-options. Keras 3 computes these
with JAX: TensorFlow has no convolutions of float64 on a CPU whose channels stand first. Those with `mask` write the models
of keras_mask_models.py to test/formats/files/keras-masks.

Each model is made again with numbers of float64, whose results are the truth. k3.json and k2.json have a line for each:
its files, its inputs, and its outputs in order. The entries of .keras files are deflated afterwards.
"""

import importlib
import json
import os
import sys

WHICH, SET = (sys.argv[1:] + ["layer"])[:2]
BACKEND = "jax" if SET == "option" else "tensorflow"
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND=BACKEND, JAX_ENABLE_X64="1", CUDA_VISIBLE_DEVICES="")

import numpy as np

from keras_fixture import deflate, numbers

MODELS = importlib.import_module("keras_%s_models" % SET).MODELS
keras = importlib.import_module(WHICH)
NEW = WHICH == "keras"
MARK = "k3" if NEW else "k2"
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files", "keras-%ss" % SET)


def input_for(rng, tensor):
    """Normal numbers, and ids where integers are asked for. Batch 2, and 5 where another size is open."""
    shape = [size or (2 if at == 0 else 5) for at, size in enumerate(tensor.shape)]
    if "bool" in str(tensor.dtype):
        return rng.random(shape) < 0.7
    if "int" in str(tensor.dtype):
        return rng.integers(0, 4, shape).astype("int32")
    x = rng.normal(0, 1, shape).astype("float32")
    # Steps that a Masking leaves out: the last ones of one sequence, and one within another.
    if tensor.name.startswith("masked"):
        x[0, -2:] = 0
        x[1, 1] = 0
    if tensor.name == "masked_y":
        x[0, :2] = 0
    return x


def weight_for(rng, name, value):
    if value.dtype.kind != "f":
        return value
    made = rng.normal(0, 0.5, value.shape)
    return (np.abs(made) + 0.1 if "variance" in name else made).astype(value.dtype)


def set_weights(model, values):
    model.set_weights(values)
    for layer in model.layers:
        # A Normalization computes with copies of its weights.
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def twin_of(model):
    config = json.loads(json.dumps(model.get_config()).replace("float32", "float64"))
    keras.backend.set_floatx("float64")
    twin = type(model).from_config(config)
    set_weights(twin, [value.astype("float64") if value.dtype.kind == "f" else value for value in model.get_weights()])
    return twin


def results_of(model, inputs, floats):
    given = [x.astype(floats) if x.dtype.kind == "f" else x for x in inputs]
    results = model(given[0] if len(given) == 1 else given, training=False)
    return [np.asarray(one) for one in results]


def save(model, file):
    path = os.path.join(FOLDER, file)
    if NEW:
        model.save(path)
    else:
        model.save(path, save_format="keras" if file.endswith("keras") else "h5")
    if file.endswith("keras"):
        deflate(path)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    lines = []
    for at, make in enumerate(MODELS):
        keras.backend.clear_session()
        keras.backend.set_floatx("float32")
        rng = np.random.default_rng(at)
        made = make(keras, NEW)
        if made is None:
            continue
        name = make.__name__
        inputs, branches = made
        model = keras.Model(inputs, branches)
        paths = [getattr(w, "path", w.name) for w in model.weights]
        set_weights(model, [weight_for(rng, path, w) for path, w in zip(paths, model.get_weights())])
        given = [input_for(rng, x) for x in model.inputs]
        rough = results_of(model, given, "float32")
        # Weights have names in .h5, and numbers in .keras. Keras cannot read its own .h5 of layers that are its ops.
        formats = ["h5"] if not NEW and name in ("conv1d", "normalise", "attention") else ["keras"]
        files = ["%s-%s.%s" % (name, MARK, format) for format in formats]
        for file in files:
            save(model, file)
        exact = results_of(twin_of(model), given, "float64")
        error = max(np.max(np.abs(a.astype("float64") - b), initial=0) for a, b in zip(rough, exact))
        case = dict(
            name=name,
            files=files,
            error=float("%.3g" % error),
            inputs=[numbers(x) for x in given],
            outputs=[numbers(x) for x in exact],
        )
        lines.append(json.dumps(case, separators=(",", ":")))
        print(name, error)
    with open(os.path.join(FOLDER, "%s.json" % MARK), "w") as file:
        file.write("[\n%s\n]\n" % ",\n".join(lines))


main()
