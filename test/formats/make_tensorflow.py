"""Writes test/formats/files/tensorflow: variables of TensorFlow 1's cells, and what TensorFlow computes with them.

Run with Python 3.7, TensorFlow 1.15.5, protobuf 3.20.3 and NumPy 1.18.5: python test/formats/make_tensorflow.py

NAME.npz has the variables as tf.train.Saver names them, and those of Adam. NAME.out.npz has the input (batch, time,
input) and the output. The weights of NAME.manifest.json, quantised or not, lie in the files that it names.
"""

import json
import os
import warnings

warnings.filterwarnings("ignore")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
nn = tf.compat.v1.nn
cells = nn.rnn_cell
block = tf.contrib.rnn
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files", "tensorflow")
os.makedirs(FOLDER, exist_ok=True)
SIZE = (2, 5, 3)

ONE = {
    "basic-lstm": lambda: cells.BasicLSTMCell(4),
    "forget-bias": lambda: cells.BasicLSTMCell(4, forget_bias=0.25),
    "lstm": lambda: cells.LSTMCell(4),
    "peepholes": lambda: cells.LSTMCell(4, use_peepholes=True),
    "projection": lambda: cells.LSTMCell(4, num_proj=2, use_peepholes=True, cell_clip=0.2),
    "lstm-block": lambda: block.LSTMBlockCell(4, use_peephole=True, cell_clip=0.3),
    "gru": lambda: cells.GRUCell(4),
    "gru-block": lambda: block.GRUBlockCellV2(4),
    "basic-rnn": lambda: cells.BasicRNNCell(4),
    "stack": lambda: cells.MultiRNNCell([cells.LSTMCell(4, num_proj=2) for _ in range(2)]),
    "unequal": lambda: cells.MultiRNNCell([cells.BasicLSTMCell(4), cells.BasicLSTMCell(3)]),
}


def path(name):
    return os.path.join(FOLDER, name)


def record(name, build):
    """Each variable is drawn anew, biases and diagonals too, which begin as zeros or ones."""
    tf.compat.v1.reset_default_graph()
    tf.compat.v1.set_random_seed(1)
    random = np.random.RandomState(7)
    x = tf.compat.v1.placeholder(tf.float32, SIZE)
    output = build(x)
    trained = tf.compat.v1.trainable_variables()
    if name == "basic-lstm":
        tf.compat.v1.train.AdamOptimizer().minimize(tf.reduce_sum(output))
    values = {}
    with tf.compat.v1.Session() as session:
        session.run(tf.compat.v1.global_variables_initializer())
        for variable in tf.compat.v1.global_variables():
            if variable in trained:
                shape = variable.shape.as_list()
                variable.load(random.uniform(-0.8, 0.8, shape).astype("float32"), session)
        inputs = random.uniform(-1.5, 1.5, SIZE).astype("float32")
        result = session.run(output, {x: inputs})
        for variable in tf.compat.v1.global_variables():
            values[variable.op.name] = session.run(variable)
    np.savez_compressed(path(name + ".npz"), **values)
    np.savez_compressed(path(name + ".out.npz"), input=inputs, output=result)
    return values


for name, cell in ONE.items():
    record(name, lambda x: nn.dynamic_rnn(cell(), x, dtype=tf.float32)[0])


def both(x):
    outputs, _ = nn.bidirectional_dynamic_rnn(cells.GRUCell(4), cells.GRUCell(4), x, dtype=tf.float32)
    return tf.concat(outputs, 2)


record("bidirectional", both)


def stacked(x):
    make = lambda: [cells.BasicLSTMCell(3) for _ in range(2)]
    return tf.contrib.rnn.stack_bidirectional_dynamic_rnn(make(), make(), x, dtype=tf.float32)[0]


record("stack-bidirectional", stacked)


def normalised(x):
    return nn.dynamic_rnn(block.LayerNormBasicLSTMCell(3), x, dtype=tf.float32)[0]


record("layer-norm", normalised)


def manifest(name, variables, quantised):
    """As tensorflowjs's write_weights does it: one group of two shards, which a weight crosses."""
    weights, data = [], b""
    for key, value in variables.items():
        spec = {"name": key, "shape": list(value.shape), "dtype": "float32"}
        if quantised:
            scale = float(value.max() - value.min()) / (np.iinfo(quantised).max)
            low = float(value.min())
            value = np.round((value - low) / scale).astype(quantised)
            spec["quantization"] = {"dtype": quantised, "min": low, "scale": scale, "original_dtype": "float32"}
        weights.append(spec)
        data += value.tobytes()
    cut = len(data) // 3
    names = ["%s-shard%dof2.bin" % (name, at) for at in (1, 2)]
    for file_name, part in zip(names, (data[:cut], data[cut:])):
        with open(path(file_name), "wb") as file:
            file.write(part)
    with open(path(name + ".manifest.json"), "w") as file:
        json.dump([{"paths": names, "weights": weights}], file)
        file.write("\n")


saved = dict(np.load(path("gru.npz")))
for quantised in ("", "uint8", "uint16"):
    manifest("gru" + ("-" if quantised else "") + quantised, saved, quantised)
