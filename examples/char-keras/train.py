#!/usr/bin/env python3
"""
Trains a GRU of Keras on the licences that every Debian has, and leaves it beside itself as a stateful model of one
character a call (Python 3.11, keras==3.15.1, tensorflow-cpu==2.18.1; some minutes):

    python train.py

licence.keras  Embedding, GRU with stateful=True, Dense: the logits of the next character
licence.json   its characters by their ids; what Keras itself writes after PROMPTS when it always takes the most
               probable one, and what it draws at TEMPERATURE with the fractions of multiples of the golden ratio

A licence.keras that is there is not trained again.
"""

import json
import os
import pathlib

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="")

import keras
import numpy as np

LICENCES = ["GPL-3", "Apache-2.0", "MPL-2.0", "LGPL-2.1"]
PROMPTS = ["The licensee ", "You may not "]
LENGTH, DRAWN_LENGTH = 120, 300
TEMPERATURE, GOLDEN_RATIO = 0.7, 0.6180339887498949
EMBEDDED, UNITS = 16, 80
BATCH, SEQUENCE, STEPS = 48, 80, 1500
# How near another character may come: rounding moves logits and probabilities by some 1e-6. The text ends there.
LEAST_MARGIN = 2e-5

here = pathlib.Path(__file__).parent


def layers(size, batch_shape, stateful):
    return keras.Sequential(
        [
            keras.layers.Input(batch_shape=batch_shape, name="character"),
            keras.layers.Embedding(size, EMBEDDED),
            keras.layers.GRU(UNITS, return_sequences=not stateful, stateful=stateful, name="gru"),
            keras.layers.Dense(size, name="logits"),
        ]
    )


def train(ids, size):
    model = layers(size, (BATCH, SEQUENCE), False)
    schedule = keras.optimizers.schedules.CosineDecay(1e-3, STEPS - 100, warmup_target=1e-2, warmup_steps=100)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(schedule, clipnorm=1), loss)
    rng = np.random.default_rng(0)
    starts = rng.integers(len(ids) - SEQUENCE - 1, size=STEPS * BATCH)
    rows = ids[starts[:, None] + np.arange(SEQUENCE + 1)]
    model.fit(rows[:, :-1], rows[:, 1:], batch_size=BATCH, epochs=1, shuffle=False, verbose=2)
    return model


def most_probable(logits, _):
    """The character to write, and by how much it won."""
    second, first = np.sort(logits)[-2:]
    return int(np.argmax(logits)), first - second


def drawn(logits, count):
    """The character at which probabilities add up to a fraction, and how far the fraction is from the next one."""
    chance = (count * GOLDEN_RATIO) % 1
    weights = np.exp((logits.astype("float64") - logits.max()) / TEMPERATURE)
    sums = np.cumsum(weights / weights.sum())
    return int(np.argmax(sums > chance)), np.abs(sums - chance).min()


def write(model, characters, prompt, length, choose):
    model.get_layer("gru").reset_state()
    step = lambda sign: model(np.array([[characters.index(sign)]], "int32")).numpy()[0]
    for sign in prompt:
        logits = step(sign)
    text = ""
    for count in range(1, length + 1):
        place, margin = choose(logits, count)
        if margin < LEAST_MARGIN:
            break
        text += characters[place]
        logits = step(text[-1])
    return text


def main():
    keras.utils.set_random_seed(1)
    folder = pathlib.Path("/usr/share/common-licenses")
    text = "\n".join((folder / name).read_text() for name in LICENCES)
    text = " ".join(text.split())
    characters = "".join(sorted(set(text)))
    ids = np.array([characters.index(sign) for sign in text], "int32")
    file = here / "licence.keras"
    if not file.exists():
        trained = train(ids, len(characters))
        model = layers(len(characters), (1, 1), True)
        for own, other in zip(model.trainable_variables, trained.trainable_variables, strict=True):
            own.assign(other)
        model.save(file)
    model = keras.saving.load_model(file)
    told = {
        "characters": characters,
        "greedy": {prompt: write(model, characters, prompt, LENGTH, most_probable) for prompt in PROMPTS},
        "temperature": TEMPERATURE,
        "drawn": write(model, characters, PROMPTS[0], DRAWN_LENGTH, drawn),
    }
    (here / "licence.json").write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
