"""Writes files of Keras 1, Keras 2.2 and TensorFlow 1's tf.keras to test/formats/files/keras, and their cases.

Run with Python 3.7, tensorflow==1.15.5, protobuf==3.20.3, numpy==1.18.5 and h5py==2.10.0, each of these where its
framework is installed:
python make_keras_old.py keras1    keras==1.2.2
python make_keras_old.py keras2    keras==2.2.4 and tensorflowjs==0.8.0 (installed with --no-deps)
python make_keras_old.py keras20   keras==2.0.8, which has no reset_after yet
python make_keras_old.py tf1       no Keras beside TensorFlow
"""

import json
import os
import shutil
import sys
from unittest import mock

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", KERAS_BACKEND="tensorflow")

import numpy as np
import tensorflow as tf

from keras_cases import Case, Cases, path

WHICH = sys.argv[1]
if WHICH == "tf1":
    from tensorflow import keras
    from tensorflow.compat.v1.keras.layers import CuDNNGRU, CuDNNLSTM
    from tensorflow.python.keras.saving.hdf5_format import preprocess_weights_for_loading
else:
    import keras
    import keras.backend
    import keras.layers
    import keras.models
if WHICH == "keras1":
    from keras.utils.layer_utils import layer_from_config as deserialize
else:
    deserialize = keras.layers.deserialize
if WHICH == "keras2":
    from keras.engine.saving import preprocess_weights_for_loading
    from keras.layers import CuDNNGRU, CuDNNLSTM

K, L = keras.backend, keras.layers
MODEL = keras.models.Model
cases = Cases("%s %s" % ("tf.keras" if WHICH == "tf1" else "keras", keras.__version__), WHICH + ".f32")
rng = np.random.RandomState(0)
X = rng.normal(0, 1, (2, 5, 2)).astype("float32")
INPUTS = {2: X}
MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1]], dtype=bool)
RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "CuDNNLSTM", "CuDNNGRU")


def case(id, **more):
    return Case(cases, "%s-%s" % (id, WHICH), **more)


def flat(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def plain(config):
    """The layer that anyone can run in the place of one for CuDNN."""
    kind, config = config["class_name"], dict(config["config"])
    if kind == "Bidirectional":
        config["layer"] = plain(config["layer"])
    if kind in ("CuDNNLSTM", "CuDNNGRU"):
        kind = kind[5:]
        config.update(recurrent_activation="sigmoid", **(dict(reset_after=True) if kind == "GRU" else {}))
    return dict(class_name=kind, config=config)


def run(config, weights, x, calls, mask, dtype):
    """The outputs of a layer that stands alone, in numbers of `dtype`."""
    K.clear_session()
    K.set_floatx(dtype)
    given = L.Input(batch_shape=x.shape, dtype=dtype)
    config = json.loads(json.dumps(plain(config)).replace("float32", dtype))
    layer = deserialize(config, dict(LSTM=L.LSTM, GRU=L.GRU))
    hidden = given if mask is None else L.Masking(9.0)(given)
    outputs = flat(layer(hidden))
    if WHICH != "keras1" and WHICH != "keras20":
        weights = preprocess_weights_for_loading(layer, weights, "2.2.4", "tensorflow")
    layer.set_weights(weights)
    model = MODEL(given, outputs if len(outputs) > 1 else outputs[0])
    x = x.astype(dtype)
    if mask is not None:
        x[~mask] = 9.0
    results = [flat(model.predict(x, batch_size=len(x))) for _ in range(calls)]
    K.set_floatx("float32")
    return results


def convert(one):
    """The model.json of an early converter, without a field `format`."""
    # Its converter of graphs, which is not used here, imports this.
    sys.modules["tensorflow_hub"] = mock.MagicMock()
    from tensorflowjs.converters import converter

    source = one.value["id"]
    folder = source + "-from-h5"
    shutil.rmtree(path(folder), ignore_errors=True)
    converter.dispatch_keras_h5_to_tensorflowjs_conversion(path(source + ".h5"), path(folder))
    one.file(folder + "/model.json", "tfjs", shards=sorted(set(os.listdir(path(folder))) - {"model.json"}))


def recurrent_layers(model, prefix=""):
    for layer in model.layers:
        kind = type(layer).__name__.replace("Unified", "")
        if kind in RECURRENT:
            yield prefix + layer.name, dict(class_name=kind, config=layer.get_config()), layer.get_weights()
        elif hasattr(layer, "layers"):
            for found in recurrent_layers(layer, prefix + layer.name + "/"):
                yield found


def write(id, model, formats="h5", calls=1, mask=None, scale=0.5, **more):
    """The files of a model of random weights, and the case of each recurrent layer."""
    model.set_weights([rng.normal(0, scale, value.shape).astype("float32") for value in model.get_weights()])
    one = case(id, **more)
    for format in formats.split():
        name = "%s.%s" % (one.value["id"], "old.h5" if format == "oldweights" else format)
        if os.path.exists(path(name)):
            os.remove(path(name))
        (model.save_weights if format == "oldweights" else model.save)(path(name))
        one.file(name, format)
    if WHICH == "keras2" and id == "stack":
        convert(one)
    for name, config, weights in [] if "refuse" in more else list(recurrent_layers(model)):
        size = weights[0].shape[0]
        if size not in INPUTS:
            INPUTS[size] = rng.normal(0, 1, (2, 5, size)).astype("float32")
        x = INPUTS[size]
        exact = run(config, weights, x, calls, mask, "float64")
        rough = run(config, weights, x, calls, mask, "float32")
        assert str(exact[0][0].dtype) == "float64"
        one.layer(name, x, exact, rough, **({} if mask is None else dict(mask=mask)))
    K.clear_session()



def many(id, layers, formats="h5", x=None, **more):
    """A model of layers that all hang on one input."""
    x = L.Input(shape=(5, 2), name="x") if x is None else x
    write(id, MODEL(x, [value for layer in layers for value in flat(layer(x))], name="m"), formats, **more)


def sequential(id, layers, formats="h5", **more):
    model = keras.models.Sequential(name="m")
    for layer in layers:
        model.add(layer)
    write(id, model, formats, **more)


NAMES = "tanh sigmoid relu linear hard_sigmoid softsign softplus".split()
NAMES += "elu selu exponential".split() if WHICH != "keras1" else []
GATES = "inner_activation" if WHICH == "keras1" else "recurrent_activation"
SHAPE = dict(input_shape=(5, 2))
ROWS = dict(return_sequences=True)


def write_stack():
    layers = [L.LSTM(3, name="lstm_1", **dict(ROWS, **SHAPE)), L.GRU(3, name="gru_1", **ROWS)]
    layers += [L.SimpleRNN(2, name="rnn_1"), L.Dense(1, name="dense_1")]
    sequential("stack", layers, "h5 oldweights")


def write_time():
    time = [
        L.LSTM(2, go_backwards=True, name="back"),
        L.GRU(2, go_backwards=True, name="back_rows", **ROWS),
    ]
    if WHICH == "keras1":
        time += [L.LSTM(2, consume_less=name, name=name) for name in ("mem", "gpu")]
    else:
        time += [
            L.LSTM(2, return_state=True, implementation=2, name="state"),
        ]
        time += [] if WHICH == "keras20" else [L.GRU(2, use_bias=False, reset_after=True, name="after")]
        time.append(L.GRU(2, use_bias=False, name="before"))
    many("time", time)


def write_cases():
    write_stack()
    kinds = [L.LSTM, L.GRU]
    options = [{"activation": name, GATES: NAMES[(at + 3) % len(NAMES)]} for at, name in enumerate(NAMES)]
    if WHICH != "tf1":
        many("acts", [kinds[at % 2](2, name="a%d" % at, **option) for at, option in enumerate(options)], scale=0.2)
    bi = L.Bidirectional
    modes = [
        bi(L.LSTM(2, **ROWS), name="concat"),
        bi(L.GRU(2), merge_mode="sum", name="sum"),
        bi(L.SimpleRNN(2, **ROWS), merge_mode="ave", name="ave"),
    ]
    many("bi", modes)
    write_time()
    if WHICH != "tf1":
        x = L.Input(batch_shape=(2, 5, 2), name="x")
        many("stateful", [L.LSTM(2, stateful=True, name="lstm")], x=x, calls=3)
    if WHICH == "tf1":
        return
    inner = keras.models.Sequential(name="inner")
    inner.add(L.LSTM(2, name="lstm", **SHAPE))
    a, b = L.Input(shape=(5, 2), name="a"), L.Input(shape=(5, 2), name="b")
    shared = L.GRU(2, name="shared")
    model = MODEL([a, b], [inner(a), shared(a), shared(b)], name="m")
    write("graph", model)
    masked = [L.Masking(9.0, name="mask", **SHAPE), L.LSTM(2, name="lstm", **ROWS), bi(L.GRU(2, **ROWS), name="bi")]
    sequential("masked", masked, mask=MASK)


def write_cells():
    many(
        "cells",
        [
            L.RNN(L.LSTMCell(2), name="lstm"),
            L.RNN([L.GRUCell(2), L.GRUCell(2)], name="pair", **ROWS),
        ],
    )


def without_cudnn(layer, inputs, initial_state):
    """Stands for the call of a CuDNN layer, which no processor has. A file has the layer's weights and config alone."""
    rows = K.dot(inputs, tf.zeros((int(inputs.shape[-1]), layer.units)))
    return rows if layer.return_sequences else rows[:, -1], list(initial_state)


def write_cudnn():
    CuDNNLSTM._process_batch = CuDNNGRU._process_batch = without_cudnn
    many(
        "cudnn",
        [
            CuDNNLSTM(2, name="lstm"),
            CuDNNGRU(3, name="gru", **ROWS),
            CuDNNLSTM(2, go_backwards=True, return_state=True, name="back"),
            L.Bidirectional(CuDNNLSTM(2, **ROWS), name="bi"),
            L.Bidirectional(CuDNNGRU(2), merge_mode="sum", name="sum"),
        ],
        "h5 oldweights" if WHICH == "tf1" else "h5",
    )


if WHICH == "keras20":
    write_stack()
    write_time()
else:
    write_cases()
if WHICH == "keras1":
    # One array for all gates.
    many("gpu", [L.LSTM(2, consume_less="gpu", name="lstm"), L.GRU(2, consume_less="gpu", name="gru")])
elif WHICH != "keras20":
    write_cells()
    write_cudnn()
cases.write()
