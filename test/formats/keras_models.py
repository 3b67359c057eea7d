"""The models of make_keras_models.py: functions of the framework and of whether it is Keras 3, one for each model.

Each gives a model, or a model and options: `inputs` makes the numbers of each input, `calls` is how often the model is
called, `formats` is what it is saved as where that is not .keras. None leaves it out.
"""

import numpy as np


def ids(most):
    return lambda rng, shape: rng.integers(0, most, shape).astype("int32")


def padded(rng, shape):
    """Sequences whose last steps are zeros, in one of them also a step within."""
    x = rng.normal(0, 1, shape).astype("float32")
    x[0, -2:] = 0
    x[1, 1] = 0
    return x


def dense(keras, new):
    L = keras.layers
    return keras.Sequential(
        [
            keras.Input((4, 3)),
            L.Dense(5, activation="relu"),
            L.Dropout(0.5),
            L.Activation("softplus"),
            L.Dense(2, use_bias=False, activation="softmax"),
            L.Flatten(),
            L.GaussianNoise(0.1),
            L.Dense(3, activation="log_softmax" if new else "sigmoid"),
        ]
    ), dict(formats="h5 keras")


def activations(keras, new):
    names = "tanh sigmoid relu linear hard_sigmoid softsign softplus elu selu exponential gelu swish mish".split()
    if new:
        names += "leaky_relu relu6 hard_silu log_sigmoid celu squareplus hard_tanh tanh_shrink soft_shrink".split()
        names += "hard_shrink sparse_plus".split()
    x = keras.Input((6,), name="x")
    outputs = [keras.layers.Activation(name, name="a_%s" % name)(x) for name in names]
    return keras.Model(x, outputs), dict(inputs=[lambda rng, shape: rng.normal(0, 2, shape).astype("float32")])


def recurrent(keras, new):
    """Each kind with what changes its numbers."""
    L = keras.layers
    x = keras.Input((5, 3), name="x")
    outputs = [
        L.LSTM(4, activation="relu", recurrent_activation="hard_sigmoid", name="lstm")(x),
        L.LSTM(4, return_sequences=True, go_backwards=True, use_bias=False, name="back")(x),
        L.GRU(4, reset_after=False, return_sequences=True, name="before")(x),
        L.GRU(4, go_backwards=True, name="after")(x),
        L.SimpleRNN(4, activation="selu", name="rnn")(x),
        L.RNN(L.LSTMCell(4), return_sequences=True, name="cell")(x),
        L.RNN([L.GRUCell(3), L.LSTMCell(4)], return_sequences=True, go_backwards=True, name="cells")(x),
    ]
    outputs += L.LSTM(4, return_sequences=True, return_state=True, name="states")(x)
    outputs += L.GRU(4, return_state=True, name="state")(x)
    return keras.Model(x, outputs)


def both_ways(keras, new):
    """Every merge mode, halves that differ, and states."""
    L = keras.layers
    x = keras.Input((5, 3), name="x")
    outputs = []
    for at, mode in enumerate(("concat", "sum", "mul", "ave", None)):
        made = L.Bidirectional(L.GRU(2, return_sequences=at % 2 == 0), merge_mode=mode, name="m%d" % at)(x)
        outputs += made if isinstance(made, (list, tuple)) else [made]
    other = L.SimpleRNN(3, return_sequences=True, go_backwards=True, name="backward")
    outputs.append(L.Bidirectional(L.LSTM(2, return_sequences=True), backward_layer=other, name="other")(x))
    outputs += L.Bidirectional(L.LSTM(2, return_state=True), name="states")(x)
    return keras.Model(x, outputs)


def masked(keras, new):
    """What each layer makes of steps that do not count."""
    L = keras.layers
    x = keras.Input((6, 3), name="x")
    y = L.Masking()(x)
    y = L.Dropout(0.1)(L.Dense(3, name="dense")(y))
    outputs = [
        L.LSTM(2, return_sequences=True, name="rows")(y),
        L.GRU(2, name="last")(y),
        L.GRU(2, name="back", go_backwards=True, return_sequences=True)(y),
        L.Bidirectional(L.LSTM(2, return_sequences=True), name="both")(y),
        L.Bidirectional(L.GRU(2), name="ends")(y),
        L.RNN([L.LSTMCell(2), L.LSTMCell(2)], return_sequences=True, go_backwards=True, name="cells")(y),
        L.LSTM(2, name="second")(L.LSTM(2, return_sequences=True, name="first")(y)),
        L.TimeDistributed(L.Dense(2), name="each")(y),
    ]
    # Keras 3 writes the operators of Masking into functional files.
    return None if new else (keras.Model(x, outputs), dict(inputs=[padded]))


def masked_chain(keras, new):
    L = keras.layers
    return keras.Sequential(
        [
            keras.Input((6, 3)),
            L.Masking(mask_value=0.0),
            L.Bidirectional(L.LSTM(3, return_sequences=True)),
            L.GRU(3, return_sequences=True),
            L.Bidirectional(L.GRU(2), merge_mode="sum"),
            L.Dense(2),
        ]
    ), dict(inputs=[padded])


def embedded(keras, new):
    L = keras.layers
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            L.Embedding(7, 3, mask_zero=True),
            L.SpatialDropout1D(0.2),
            L.LSTM(4, return_sequences=True),
            L.TimeDistributed(L.Dense(3, activation="tanh")),
            L.Bidirectional(L.SimpleRNN(3)),
        ]
    ), dict(inputs=[ids(7)])


def stateful(keras, new):
    """Three calls, each of several steps."""
    L = keras.layers
    return keras.Sequential(
        [
            keras.Input(batch_shape=(2, 3, 2)),
            L.LSTM(3, stateful=True, return_sequences=True),
            L.GRU(3, return_sequences=True),
            L.SimpleRNN(2, stateful=True),
        ]
    ), dict(calls=3)


def translation(keras, new):
    """An encoder whose states are where a decoder begins."""
    L = keras.layers
    source = keras.Input((None,), name="source", dtype="int32")
    target = keras.Input((4, 3), name="target")
    _, h, c = L.LSTM(4, return_state=True, name="encoder")(L.Embedding(6, 3, name="ids")(source))
    rows, h2, c2 = L.LSTM(4, return_sequences=True, return_state=True, name="decoder")(target, initial_state=[h, c])
    _, h3 = L.GRU(4, return_state=True, name="gru")(target)
    both = L.Bidirectional(L.GRU(4), name="both")(target, initial_state=[h, h3])
    return keras.Model([source, target], [L.Dense(2, name="dense")(rows), h2, c2, both]), dict(
        inputs=[ids(6), None], formats="h5 keras"
    )


def shared(keras, new):
    """Layers and models that are used in several places, in one another."""
    L = keras.layers
    part = keras.Sequential([keras.Input((5, 3)), L.Dense(3, activation="tanh"), L.GRU(3, return_sequences=True)])
    inner = keras.Input((5, 3))
    mixed, state = L.GRU(2, return_sequences=True, return_state=True)(part(inner))
    model = keras.Model(inner, [mixed, state], name="pair")
    a, b = keras.Input((5, 3), name="a"), keras.Input((5, 3), name="b")
    dense = L.Dense(3, name="dense")
    first, last = model(dense(a))
    again, end = model(dense(b))
    lstm = L.LSTM(2, name="lstm")
    return keras.Model([b, a], [lstm(first), lstm(again), last, end, model(b)[1]]), dict(formats="h5 keras")


def each(keras, new):
    """TimeDistributed of a layer of sequences, of a model, and of another one."""
    L = keras.layers
    x = keras.Input((3, 5, 2), name="x")
    inner = keras.Sequential([keras.Input((5, 2)), L.GRU(3, return_sequences=True), L.Flatten(), L.Dense(2)])
    outputs = [
        L.TimeDistributed(L.LSTM(2), name="last")(x),
        L.TimeDistributed(inner, name="model")(x),
        L.TimeDistributed(L.TimeDistributed(L.Dense(2)), name="twice")(x),
        L.LSTM(2, name="lstm")(L.TimeDistributed(L.Bidirectional(L.GRU(2)), name="both")(x)),
    ]
    return keras.Model(x, outputs)


def named(keras, new):
    """Inputs and outputs in objects."""
    L = keras.layers
    inputs = dict(left=keras.Input((3,), name="left"), right=keras.Input((4, 2), name="right"))
    outputs = dict(z=L.Dense(2, name="dense")(inputs["left"]), a=L.LSTM(2, name="lstm")(inputs["right"]))
    return keras.Model(inputs, outputs), dict(formats="keras" if new else "h5 keras")


def causal(keras, new):
    """What a stream can take step by step."""
    L = keras.layers
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            L.Embedding(5, 3, mask_zero=True, name="embedding"),
            L.GRU(3, return_sequences=True, name="gru"),
            L.LSTM(3, return_sequences=True, name="lstm"),
            L.Dense(2, name="dense"),
        ]
    ), dict(inputs=[ids(5)])


MODELS = [
    dense,
    activations,
    recurrent,
    both_ways,
    masked,
    masked_chain,
    embedded,
    stateful,
    translation,
    shared,
    each,
    named,
    causal,
]
