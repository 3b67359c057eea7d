"""Writes files of Keras 3 or tf_keras 2 to test/formats/files/keras, and their cases to case.json.

Run with Python 3.11, keras==3.15.0, tf_keras==2.21.0, tensorflow-cpu==2.21.0 and tensorflowjs==4.22.0 (installed with
--no-deps: its converter of layers needs none of the others):
python make_keras.py keras
python make_keras.py tf_keras
"""

import importlib
import json
import os
import shutil
import sys
import tempfile
from unittest import mock

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="")

import numpy as np

from keras_cases import Case, Cases, path

# What the converter of graphs imports, which is not used here.
for absent in ("tensorflow_decision_forests", "tensorflow_hub", "jax", "jax.experimental"):
    sys.modules[absent] = mock.MagicMock()
from tensorflowjs.converters import converter
from tensorflowjs.read_weights import read_weights

WHICH = sys.argv[1]
keras = importlib.import_module(WHICH)
NEW = WHICH == "keras"
L = keras.layers
MARK = "k3" if NEW else "k2"
cases = Cases("%s %s" % (WHICH, keras.__version__), MARK + ".f32")
keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
INPUTS = {}

# Those of both versions, then those of Keras 3.
ACTIVATIONS = (
    "tanh sigmoid relu linear hard_sigmoid softsign softplus elu selu exponential gelu swish silu mish "
    + "leaky_relu relu6 hard_silu hard_swish log_sigmoid celu squareplus hard_tanh tanh_shrink soft_shrink "
    + "hard_shrink"
).split()
ACTIVATIONS = [name for name in ACTIVATIONS if hasattr(keras.activations, name)]


def case(id, **more):
    return Case(cases, "%s-%s" % (id, MARK), **more)


def inputs_of(shape):
    """One input for every shape, so that layers share it."""
    if shape not in INPUTS:
        INPUTS[shape] = rng.normal(0, 1, shape).astype("float32")
    return INPUTS[shape]


def randomise(model, scale=0.5):
    """Weights that no initializer gives: each bias counts."""
    values = [rng.normal(0, scale, value.shape).astype(value.dtype) for value in model.get_weights()]
    model.set_weights(values)
    return model


def reset(layer):
    if layer.stateful:
        (layer.reset_state if NEW else layer.reset_states)()


def run(layer, x, calls, **more):
    reset(layer)
    results = []
    for _ in range(calls):
        output = layer(x, **more)
        output = output if isinstance(output, (list, tuple)) else [output]
        results.append([np.asarray(value) for value in output])
    return results


def in_float64(layer, x, weights):
    """The same layer with numbers of float64."""
    config = json.loads(json.dumps(L.serialize(layer)).replace("float32", "float64"))
    keras.backend.set_floatx("float64")
    twin = L.deserialize(config)
    twin(x.astype("float64"))
    twin.set_weights([value.astype("float64") for value in weights])
    return twin


def record(one, name, layer, length=5, batch=2, calls=1, mask=None):
    """A recurrent layer's input and outputs."""
    weights = layer.get_weights()
    size = weights[0].shape[0]
    shape = (length, batch, size) if getattr(layer, "time_major", False) else (batch, length, size)
    x = inputs_of(shape)
    more = {} if mask is None else dict(mask=mask)
    twin = in_float64(layer, x, weights)
    exact = run(twin, x.astype("float64"), calls, **more)
    keras.backend.set_floatx("float32")
    rough = run(layer, x, calls, **more)
    reset(layer)
    assert str(exact[0][0].dtype) == "float64"
    one.layer(name, x, exact, rough, **({} if mask is None else dict(mask=mask)))


RECURRENT = (L.LSTM, L.GRU, L.SimpleRNN, L.RNN, L.Bidirectional)


def record_all(one, model, prefix="", **more):
    """Every recurrent layer of a model and of those inside it."""
    for layer in model.layers:
        name = prefix + layer.name
        if isinstance(layer, L.TimeDistributed):
            if isinstance(layer.layer, RECURRENT):
                record(one, name, layer.layer, **more)
            elif hasattr(layer.layer, "layers"):
                record_all(one, layer.layer, "%s/%s/" % (name, layer.layer.name), **more)
        elif isinstance(layer, RECURRENT):
            record(one, name, layer, **more)
        elif hasattr(layer, "layers"):
            record_all(one, layer, name + "/", **more)


def save(one, model, formats):
    """Files of a model. "tfjs:h5" is what the converter makes of the .h5 file."""
    for format in formats.split():
        if format.startswith("tfjs:"):
            convert(one, format[5:])
            continue
        ending = {"weights": "weights.h5", "oldweights": "old.h5"}.get(format, format)
        name = "%s.%s" % (one.value["id"], ending)
        if format in ("weights", "oldweights"):
            model.save_weights(path(name))
        elif NEW:
            model.save(path(name))
        else:
            model.save(path(name), save_format="keras" if format == "keras" else "h5")
        one.file(name, format)


def convert(one, format, source=None, folder=None, **options):
    """A model.json and its shards in a folder of their own."""
    source = source or one.value["id"]
    folder = folder or "%s-from-%s" % (source, format)
    shutil.rmtree(path(folder), ignore_errors=True)
    with tempfile.TemporaryDirectory() as place:
        # The converter unpacks a .keras file beside itself.
        copy = shutil.copy(path("%s.%s" % (source, format)), place)
        kind = "h5" if format == "h5" else "keras"
        dispatch = getattr(converter, "dispatch_keras_%s_to_tfjs_layers_model_conversion" % kind)
        dispatch(copy, path(folder), **options)
    one.file(folder + "/model.json", "tfjs", shards=sorted(set(os.listdir(path(folder))) - {"model.json"}))
    return path(folder)


def many(id, layers, formats="h5", scale=0.5, **more):
    """A model of layers that all hang on one input, each an output."""
    x = keras.Input((5, 2), name="x")
    outputs = [layer(x) for layer in layers]
    model = randomise(keras.Model(x, flat(outputs), name="m"), scale)
    one = case(id, **more)
    record_all(one, model)
    save(one, model, formats)
    return one


def flat(outputs):
    return [value for output in outputs for value in (output if isinstance(output, (list, tuple)) else [output])]


def sequential(id, layers, formats="h5", shape=(5, 2), **more):
    model = keras.Sequential([keras.Input(shape, name="x")] + layers, name="m")
    one = case(id, **more)
    record_all(one, randomise(model))
    save(one, model, formats)
    return model


def write_quantised(model):
    """The stack as the converter makes it smaller, and what its layers give with the numbers that are left."""
    numbers = model.get_weights()
    ways = {dtype: dict(quantization_dtype_map={dtype: True}) for dtype in ("uint8", "uint16", "float16")}
    # Shards that end within an array.
    ways["shards"] = dict(split_weights_by_layer=True, weight_shard_size_bytes=100)
    for name, options in ways.items():
        one = case("stack-" + name)
        folder = convert(one, "h5", source="stack-" + MARK, folder="stack-%s-%s" % (name, MARK), **options)
        with open(os.path.join(folder, "model.json")) as file:
            manifest = json.load(file)["weightsManifest"]
        found = {entry["name"]: entry["data"] for group in read_weights(manifest, folder) for entry in group}
        names = [weight.name.split(":")[0] for weight in model.weights]
        model.set_weights([found[name] for name in names])
        record_all(one, model)
    model.set_weights(numbers)


def write_layers():
    layers = [L.LSTM(3, return_sequences=True), L.GRU(3, return_sequences=True), L.SimpleRNN(2), L.Dense(1)]
    formats = "h5 keras weights tfjs:h5 tfjs:keras" + ("" if NEW else " oldweights")
    model = sequential("stack", layers, formats)
    if not NEW:
        write_quantised(model)
    for part in range(3):
        layers = []
        for index, name in enumerate(ACTIVATIONS):
            gates = ACTIVATIONS[(index + 7) % len(ACTIVATIONS)]
            cls = L.GRU if index % 2 else L.LSTM
            if index % 3 == part:
                layers.append(cls(2, activation=name, recurrent_activation=gates, name="a%d" % index))
        many("acts-%d" % part, layers, "keras" if part == 1 else "h5", scale=0.2)
    many("rnn-acts", [L.SimpleRNN(2, activation=name, name=name) for name in ("relu", "linear", "hard_sigmoid")])
    many(
        "bias",
        [
            L.LSTM(2, use_bias=False, name="lstm"),
            L.GRU(2, use_bias=False, name="after"),
            L.GRU(2, use_bias=False, reset_after=False, name="before"),
            L.GRU(2, reset_after=False, name="before_bias"),
            L.SimpleRNN(2, use_bias=False, name="rnn"),
            L.LSTM(2, unit_forget_bias=False, name="forget"),
            L.LSTM(2, recurrent_activation="hard_sigmoid", name="hard"),
            L.LSTM(2, activation=None, recurrent_activation=None, name="none"),
        ],
        "keras" if NEW else "h5",
        scale=0.2,
    )
    plain = dict(dropout=0.2, recurrent_dropout=0.3, unroll=True, kernel_regularizer="l2", trainable=False)
    many(
        "time",
        [
            L.LSTM(2, go_backwards=True, name="back"),
            L.GRU(2, go_backwards=True, return_sequences=True, name="back_rows"),
            L.SimpleRNN(2, go_backwards=True, return_sequences=True, return_state=True, name="back_state"),
            L.LSTM(2, return_state=True, name="state"),
            L.GRU(2, return_state=True, return_sequences=True, name="states"),
            L.LSTM(2, name="plain", bias_constraint="non_neg", recurrent_initializer="zeros", **plain),
        ],
    )
    x = keras.Input((5, 2), batch_size=2, name="x")
    stateful = [
        L.LSTM(2, stateful=True, return_sequences=True, name="lstm"),
        L.GRU(2, stateful=True, return_state=True, name="gru"),
    ]
    model = randomise(keras.Model(x, flat([layer(x) for layer in stateful]), name="m"))
    one = case("stateful")
    record_all(one, model, calls=3)
    save(one, model, "h5")


def write_wrappers():
    bi = L.Bidirectional
    many(
        "bi",
        [
            bi(L.LSTM(2, return_sequences=True), name="concat"),
            bi(L.GRU(2), merge_mode="sum", name="sum"),
            bi(L.LSTM(2, return_state=True), name="state"),
        ],
        "h5 keras tfjs:h5 tfjs:keras",
    )
    many(
        "bi-modes",
        [
            bi(L.SimpleRNN(2, return_sequences=True), merge_mode="mul", name="mul"),
            bi(L.LSTM(2), merge_mode="ave", name="ave"),
            bi(L.GRU(2, return_sequences=True), merge_mode=None, name="none"),
        ],
    )
    own = dict(go_backwards=True, return_sequences=True)
    many(
        "bi-own",
        [
            bi(L.LSTM(2, return_sequences=True, name="f1"), backward_layer=L.LSTM(2, name="b1", **own), name="same"),
            bi(L.LSTM(2, return_sequences=True, name="f2"), backward_layer=L.GRU(2, name="b2", **own), name="kinds"),
            bi(
                L.GRU(2, name="f3"),
                backward_layer=L.GRU(2, name="b3", go_backwards=True, activation="relu", reset_after=False),
                merge_mode="sum",
                name="acts",
            ),
        ],
        "h5" if NEW else "keras",
    )
    many(
        "cells",
        [
            L.RNN(L.LSTMCell(2, recurrent_activation="hard_sigmoid"), name="lstm"),
            L.RNN(L.GRUCell(2, reset_after=False), return_sequences=True, name="gru"),
            L.RNN(L.SimpleRNNCell(2, activation="relu"), return_state=True, name="rnn"),
            L.RNN([L.LSTMCell(2), L.LSTMCell(2)], return_sequences=True, name="pair"),
            L.RNN([L.GRUCell(3), L.LSTMCell(2)], return_sequences=True, name="kinds"),
            bi(L.RNN(L.GRUCell(2), return_sequences=True), name="bi"),
        ],
        "keras tfjs:keras" if NEW else "h5 tfjs:h5",
    )
    if not NEW:
        layer = L.LSTM(2, time_major=True, return_sequences=True, name="lstm")
        x = keras.Input((2, 2), batch_size=5, name="x")
        model = randomise(keras.Model(x, layer(x), name="m"))
        one = case("time-major")
        record_all(one, model)
        save(one, model, "h5")


def write_models():
    # Names against the classes and their order, which .keras files count by.
    layers = [L.GRU(2, return_sequences=True, name="lstm"), L.LSTM(2, return_sequences=True, name="gru")]
    layers += [L.LSTM(2, return_sequences=True, name="lstm_2"), L.LSTM(2, name="constructor")]
    sequential("names", layers, "h5 keras tfjs:h5 tfjs:keras")

    inner = keras.Sequential([keras.Input((5, 2), name="y"), L.LSTM(2, name="lstm"), L.Dense(2)], name="inner")
    y = keras.Input((5, 2), name="z")
    outer = keras.Model(y, L.Add()([inner(y), L.GRU(2, name="lstm")(y)]), name="outer")
    a, b = keras.Input((5, 2), name="a"), keras.Input((5, 2), name="b")
    shared = L.LSTM(2, return_sequences=True, name="shared")
    each = L.TimeDistributed(L.Dense(2, name="dense"), name="each")
    frames = L.TimeDistributed(L.GRU(2, name="within"), name="frames")
    parts = [shared(a), each(shared(b))]
    joined = L.Concatenate(name="join")(parts)
    series = frames(L.Reshape((5, 2, 2), name="cut")(joined))
    model = keras.Model(dict(a=a, b=b), [outer(a), L.GRU(2, name="last")(joined), series], name="m")
    one = case("graph")
    record_all(one, randomise(model))
    save(one, model, "h5 keras tfjs:keras")

    inner = keras.Sequential([keras.Input((5, 2), name="y"), L.LSTM(2, name="lstm")], name="inner")
    model = keras.Model([a, b], L.Add(name="add")([inner(a), inner(b)]), name="m")
    one = case("twice")
    record_all(one, randomise(model))
    save(one, model, "h5 keras tfjs:h5")

    mask = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1]], dtype=bool)
    model = keras.Sequential([keras.Input((5, 2), name="x"), L.Masking(9.0, name="mask")], name="m")
    model.add(L.LSTM(2, return_sequences=True, name="lstm"))
    model.add(L.Bidirectional(L.GRU(2, return_sequences=True), name="bi"))
    model.add(L.GRU(2, go_backwards=True, return_sequences=True, name="back"))
    model.add(L.RNN(L.LSTMCell(2), zero_output_for_mask=True, return_sequences=True, name="zero"))
    model.add(L.LSTM(2, name="last"))
    one = case("masked")
    record_all(one, randomise(model), mask=mask)
    save(one, model, "keras" if NEW else "h5")

    model = keras.Sequential([keras.Input((5,), name="x"), L.Embedding(4, 2, mask_zero=True, name="table")], name="m")
    model.add(L.LSTM(2, name="lstm"))
    one = case("embedding")
    record_all(one, randomise(model), mask=mask)
    one.array("weight", "table", model.layers[-2].get_weights()[0], index=0)
    save(one, model, "h5" if NEW else "keras")

    model = keras.Sequential([keras.Input((5, 2), name="x"), L.Masking(float("inf"), name="mask")], name="m")
    model.add(L.SimpleRNN(2, name="rnn"))
    one = case("infinity")
    record_all(one, randomise(model))
    save(one, model, "h5")

    model = keras.Sequential([keras.Input((5, 2), name="x"), L.GRU(2, name="gru"), L.Dense(1, name="d")], name="m")
    model.compile("adam", "mse")
    model.fit(inputs_of((2, 5, 2)), np.ones((2, 1)), verbose=0)
    one = case("compiled")
    record_all(one, model)
    save(one, model, "keras" if NEW else "h5")

    model = keras.Sequential([L.LSTM(2, name="lstm"), L.Dense(1, name="d")], name="m")
    one = case("unbuilt", refuse="no weights|without weights|holds no|has no|empty")
    save(one, model, "keras")

    source = keras.src.legacy.saving.legacy_h5_format if NEW else keras.src.saving.legacy.hdf5_format
    limit, source.HDF5_OBJECT_HEADER_LIMIT = source.HDF5_OBJECT_HEADER_LIMIT, 60
    names = ("the_first_recurrent_layer", "the_other_recurrent_layer", "the_dense_layer_after_all")
    layers = [L.LSTM(2, return_sequences=True, name=names[0]), L.GRU(2, name=names[1]), L.Dense(1, name=names[2])]
    sequential("split", layers)
    source.HDF5_OBJECT_HEADER_LIMIT = limit


class Custom(keras.layers.Layer):
    """A cell of one's own."""

    state_size = output_size = 2

    def build(self, shape):
        self.scale = self.add_weight(shape=(2,), name="scale")

    def call(self, x, states):
        return x * self.scale, states

    def get_config(self):
        return super().get_config()


class Net(keras.Model):
    """A model that has no graph in its file."""

    def __init__(self, **options):
        super().__init__(**options)
        self.encoder = L.LSTM(2, name="encoder")
        self.head = L.Dense(1, name="head")

    def call(self, x):
        return self.head(self.encoder(x))

    def get_config(self):
        return dict(name="net")


def cube(x):
    return x * x * x


def write_refusals():
    register = keras.saving.register_keras_serializable("mine")
    register(Custom), register(cube), register(Net)

    def refuse(id, layers, pattern, formats="keras" if NEW else "h5", shape=(5, 2)):
        model = randomise(keras.Sequential([keras.Input(shape, name="x")] + layers, name="m"))
        save(case(id, refuse=pattern), model, formats)

    # Compiled under a name of its own: the file holds the name of its source.
    code = eval(compile("lambda x: x * 2", "net.py", "eval"))
    refuse("lambda", [L.Lambda(code, output_shape=(5, 2)), L.LSTM(2)], "Lambda", "h5 keras")
    refuse("own-cell", [L.RNN(Custom(), name="rnn")], "Custom")
    refuse("own-activation", [L.LSTM(2, activation=cube, name="lstm")], "cube")
    refuse("convlstm", [L.ConvLSTM1D(2, 2, name="conv")], "ConvLSTM1D", "h5", (3, 4, 1))
    refuse("softmax", [L.GRU(2, activation="softmax", name="gru")], "softmax", "h5")
    net = Net()
    net(inputs_of((2, 5, 2)))
    save(case("subclass", refuse="Net|subclass"), net, "keras")
    if NEW:
        refuse("log-softmax", [L.LSTM(2, recurrent_activation="log_softmax", name="lstm")], "log_softmax", "keras")
        model = keras.Sequential([keras.Input((5, 2), name="x"), L.LSTM(2, name="lstm"), L.Dense(4, name="d")])
        randomise(model).quantize("int8")
        one = case("int8", refuse="int8")
        record_all(one, model)
        save(one, model, "keras")
        model = keras.Sequential([keras.Input((5, 2), name="x"), L.LSTM(2, name="lstm"), L.Dense(4, name="d")], name="m")
        randomise(model)
        model.layers[-1].enable_lora(1)
        merged = randomise(model).layers[-1].kernel
        one = case("lora")
        record_all(one, model)
        one.array("weight", "d", np.asarray(merged), index=0)
        save(one, model, "keras")


def write_activation_layers():
    """Layers as activations: as good when refused by name."""
    leaky = L.LeakyReLU(negative_slope=0.1) if NEW else L.LeakyReLU(alpha=0.1)
    many("act-layer", [L.SimpleRNN(2, activation=leaky, name="rnn")], optional="LeakyReLU|leaky_relu")


def write_more():
    bi = L.Bidirectional
    rows = dict(return_sequences=True)
    # Keras 3 refuses the first one.
    turned = [] if NEW else [bi(L.LSTM(2, go_backwards=True, **rows), merge_mode="sum", name="turned")]
    many(
        "bi-more",
        turned
        + [
            bi(L.RNN([L.GRUCell(2), L.GRUCell(2)], **rows), name="cells"),
            bi(L.GRU(2, return_state=True, **rows), merge_mode=None, name="states"),
        ],
        "keras" if NEW else "h5",
    )
    inner = keras.Sequential([keras.Input((4, 1), name="y"), L.LSTM(2, name="lstm")], name="inner")
    layers = [L.Reshape((5, 2, 1), name="cut"), L.TimeDistributed(bi(L.GRU(2, name="gru"), name="bi"), name="both")]
    layers += [L.Reshape((5, 4, 1), name="again"), L.TimeDistributed(inner, name="each"), L.LSTM(2, name="last")]
    sequential("frames", layers, "h5" if NEW else "keras")

    x = keras.Input((5, 2), name="x")
    hidden = L.LSTM(2, name="lstm", **rows)(L.Masking(9.0, name="mask")(x))
    model = keras.Model(x, L.Bidirectional(L.LSTM(2), name="bi")(hidden), name="m")
    one = case("mask-graph")
    record_all(one, randomise(model), mask=np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1]], dtype=bool))
    save(one, model, "h5 keras" if NEW else "h5")

    y = keras.Input((5, 2), name="y")
    _, *states = L.LSTM(2, return_state=True, name="encoder")(x)
    model = keras.Model([x, y], L.LSTM(2, name="decoder", **rows)(y, initial_state=states), name="m")
    one = case("states")
    record_all(one, randomise(model))
    save(one, model, "h5" if NEW else "keras")

    model = keras.Model(x, L.GRU(2, name="gru")(x * 2.0), name="m")
    one = case("operators", **({} if NEW else dict(refuse="TFOpLambda")))
    record_all(one, randomise(model))
    save(one, model, "keras" if NEW else "h5")


write_layers()
write_wrappers()
write_models()
write_refusals()
write_activation_layers()
write_more()
cases.write()
