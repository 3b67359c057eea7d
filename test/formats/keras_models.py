"""The models of make_keras_models.py: functions of the framework and of whether it is Keras 3, one for each model.

Each gives a model, or a model and options: `inputs` makes the numbers of each input, `calls` is how often the model is
called, `formats` is what it is saved as. None leaves it out.
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
    return keras.Model(x, outputs), dict(inputs=[lambda rng, shape: rng.normal(0, 2, shape).astype("float32")], formats="h5")


MODELS = [dense, activations]
