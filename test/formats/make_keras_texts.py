"""Writes models that take strings to test/formats/files/keras-texts, with what Keras computes of them.

Run with Python 3.11, keras==3.15.0, tf_keras==2.21.0 and tensorflow-cpu==2.21.0:
python make_keras_texts.py keras
python make_keras_texts.py tf_keras

k3.json and k2.json have a line for each model: its file, its inputs, and its outputs in order.
"""

import importlib
import json
import os
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="")

import numpy as np
import tensorflow as tf

from keras_fixture import deflate, numbers

WHICH = sys.argv[1]
keras = importlib.import_module(WHICH)
L = keras.layers
NEW = WHICH == "keras"
MARK = "k3" if NEW else "k2"
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files", "keras-texts")

CORPUS = ["The cat sat on the mat.", "A dog, the DOG and a cat!", "Ünï çodé — naïve cat", "on_the it's [x] 3.5"]
TEXTS = [
    "The cat's mat: on the DOG?",
    "",
    "  A  ünï\tçodé\nÇODÉ \u00a0— on\u3000cat ",
    "on_the it's [x] 3.5 `~` {cat} \\ <dog> É İ ǅ ß",
    "cat cat cat cat cat cat cat cat cat dog",
]
WORDS = ["cat", "dog", "", "[UNK]", "bird", "Cat", "ünï"]


def vectorizer(adapted=True, **options):
    layer = L.TextVectorization(**options)
    if adapted:
        layer.adapt(tf.constant(CORPUS))
    return layer


def models():
    x = keras.Input((1,), name="x", dtype="string")
    branches = [
        vectorizer(),
        vectorizer(output_sequence_length=6),
        vectorizer(output_sequence_length=3, max_tokens=7),
        vectorizer(standardize="lower", split="character", output_sequence_length=9),
        vectorizer(standardize=None, output_sequence_length=12),
        vectorizer(standardize="strip_punctuation", output_sequence_length=12),
        vectorizer(adapted=False, vocabulary=["cat", "the", "dog"], output_sequence_length=4),
        vectorizer(output_mode="multi_hot"),
        vectorizer(output_mode="count", max_tokens=8),
        vectorizer(output_mode="count", max_tokens=40, pad_to_max_tokens=True),
        vectorizer(output_mode="tf_idf"),
        vectorizer(split=None, vocabulary=["cat cat", "the cats mat on the dog"], adapted=False),
        vectorizer(ngrams=2, output_mode="count"),
        vectorizer(ngrams=3, output_sequence_length=8),
        vectorizer(ngrams=(1, 3), output_mode="multi_hot"),
    ]
    texts = np.array([[text] for text in TEXTS])
    yield "vectorized", keras.Model(x, [layer(x) for layer in branches]), [texts]

    w = keras.Input((2,), name="w", dtype="string")
    i = keras.Input((2,), name="i", dtype="int64")
    known = ["cat", "dog", "bird"]
    lookups = [
        L.StringLookup(vocabulary=known),
        L.StringLookup(vocabulary=known, mask_token=""),
        L.StringLookup(vocabulary=known, mask_token="cat2", oov_token="dog2"),
        L.StringLookup(vocabulary=known, output_mode="multi_hot"),
        L.StringLookup(vocabulary=known, output_mode="count"),
        L.StringLookup(vocabulary=known, output_mode="count", max_tokens=9, pad_to_max_tokens=True),
    ]
    adapted = L.StringLookup()
    adapted.adapt(tf.constant(WORDS + ["dog", "dog", "cat"]))
    lookups.append(adapted)
    numbers = [
        L.IntegerLookup(vocabulary=[7, 5, 1000]),
        L.IntegerLookup(vocabulary=[7, 5, 1000], mask_token=0),
        L.IntegerLookup(vocabulary=[7, 5, 1000], output_mode="multi_hot"),
    ]
    words = np.array([[WORDS[at], WORDS[(at + 3) % len(WORDS)]] for at in range(len(WORDS))])
    ids = np.array([[5, 7], [0, 1000], [-1, 8], [7, 7], [5, 0], [1, 2], [1000, 1000]], "int64")
    outputs = [layer(w) for layer in lookups] + [layer(i) for layer in numbers]
    yield "looked_up", keras.Model([w, i], outputs), [words, ids]

    known = ["cat", "dog"]
    many = dict(vocabulary=known, num_oov_indices=5)
    lookups = [
        L.StringLookup(**many),
        L.StringLookup(**many, mask_token="cat2"),
        L.StringLookup(**many, output_mode="count"),
        L.StringLookup(**many, output_mode="multi_hot", max_tokens=9, pad_to_max_tokens=True),
        L.StringLookup(vocabulary=known, num_oov_indices=1000),
    ]
    some = dict(vocabulary=[7, 5], num_oov_indices=3)
    numbers = [L.IntegerLookup(**some), L.IntegerLookup(**some, mask_token=0)]
    if NEW:
        numbers.append(L.IntegerLookup(**some, oov_method="farmhash"))
    # Of every length at which the hash takes another way.
    lengths = [1, 2, 3, 4, 7, 8, 9, 16, 17, 24, 32, 33, 48, 64, 65, 127, 128, 129, 200, 1000]
    words = ["", "cat", "cat2", "[UNK]", "é", "日本", "😀"] + [("ünï çodé 0123456789 %d " % n * n)[:n] for n in lengths]
    words = np.array([[word, "dog"] for word in words])
    ids = np.array([[at * at - 40, 5] for at in range(len(words))], "int64")
    yield "hashed", keras.Model([w, i], [layer(w) for layer in lookups] + [layer(i) for layer in numbers]), [words, ids]

    keras.utils.set_random_seed(3)
    reader = vectorizer(output_sequence_length=5)
    model = keras.Sequential(
        [
            keras.Input((1,), dtype="string", name="text"),
            reader,
            L.Embedding(len(reader.get_vocabulary()), 3, mask_zero=True),
            L.LSTM(2),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    yield "classified", model, [texts]


os.makedirs(FOLDER, exist_ok=True)
lines = []
for name, model, inputs in models():
    file = f"{name}-{MARK}.keras"
    path = os.path.join(FOLDER, file)
    model.save(path)
    deflate(path)
    given = [tf.constant(one) for one in inputs]
    results = model(given[0] if len(given) == 1 else given, training=False)
    results = results if isinstance(results, (list, tuple)) else [results]
    line = dict(name=name, file=file, inputs=[numbers(one) for one in inputs])
    lines.append(json.dumps(dict(line, outputs=[numbers(one) for one in results]), ensure_ascii=False))
with open(os.path.join(FOLDER, f"{MARK}.json"), "w") as file:
    file.write("[\n" + ",\n".join(lines) + "\n]\n")
