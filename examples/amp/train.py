#!/usr/bin/python3
"""
Trains two small LSTMs on an amp that is written down here and leaves them beside itself, with a riff to hear them by:

    /usr/bin/python3 examples/amp/train.py        (Debian: apt-get install python3-torch; some minutes)

amp.nam        Neural Amp Modeler's format, hidden size 16, an initial state that is trained too
amp.json       GuitarML's format, hidden size 16, with skip: the network learns what the amp adds to its input
riff.wav       plucked strings, 48 kHz, PCM of 16 bits
expected.json  what PyTorch makes of the riff with either model, at every 101st sample
"""

import json
import math
import pathlib
import struct

import numpy as np
import torch

RATE = 48000
HIDDEN = 16
# Samples that the network runs before its output counts, and samples of one training sequence.
WARM_UP, SEQUENCE = 500, 2000
EPOCHS = 24


def pluck(frequency, seconds, noise):
    """Karplus and Strong's string: noise in a loop that averages neighbours."""
    period = int(RATE / frequency)
    count = int(seconds * RATE)
    sound = np.zeros(count + period + 1)
    sound[: period + 1] = noise.uniform(-1, 1, period + 1)
    for start in range(period + 1, len(sound), period):
        stop = min(start + period, len(sound))
        at = np.arange(start, stop)
        sound[at] = 0.498 * (sound[at - period] + sound[at - period - 1])
    return sound[:count]


def phrase(frequencies, seconds, noise):
    notes = [pluck(frequency, seconds, noise) * noise.uniform(0.3, 0.9) for frequency in frequencies]
    return np.concatenate(notes).astype(np.float32)


def amplifier(x):
    """The amp to learn: bass cut, a tube that bends one half more than the other, a speaker's low pass."""
    y = np.zeros_like(x)
    bass = speaker = 0.0
    for at, sample in enumerate(x):
        bass += 0.01 * (sample - bass)
        bent = math.tanh(5 * (sample - bass) + 0.3) - math.tanh(0.3)
        speaker += 0.45 * (bent - speaker)
        y[at] = 0.6 * speaker
    return y


class Amp(torch.nn.Module):
    def __init__(self, skip):
        super().__init__()
        self.rec = torch.nn.LSTM(1, HIDDEN, batch_first=True)
        self.lin = torch.nn.Linear(HIDDEN, 1)
        self.skip = skip
        # GuitarML's players begin with zeros.
        self.h0 = torch.nn.Parameter(torch.zeros(1, 1, HIDDEN), requires_grad=not skip)
        self.c0 = torch.nn.Parameter(torch.zeros(1, 1, HIDDEN), requires_grad=not skip)

    def forward(self, x):
        state = [values.expand(1, len(x), HIDDEN).contiguous() for values in (self.h0, self.c0)]
        y = self.lin(self.rec(x, state)[0])
        return y + x if self.skip else y


def train(skip, x, y):
    torch.manual_seed(1)
    model = Amp(skip)
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS)
    for epoch in range(EPOCHS):
        for rows in torch.randperm(len(x)).split(16):
            error = model(x[rows])[:, WARM_UP:] - y[rows, WARM_UP:]
            loss = (error**2).sum() / (y[rows, WARM_UP:] ** 2).sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()
        if epoch % 8 == 7:
            print(f"skip {skip}, epoch {epoch + 1}: error to signal {loss.item():.4f}", flush=True)
    return model


def floats(values):
    """As text that gives the same float32 back."""
    return [float(f"{value:.9g}") for value in values.detach().reshape(-1).tolist()]


def write_nam(path, model):
    """Per layer [W_ih | W_hh] row by row, one bias, h0, c0; then the head."""
    rec, lin = model.rec, model.lin
    weights = torch.cat([rec.weight_ih_l0, rec.weight_hh_l0], 1)
    bias = rec.bias_ih_l0 + rec.bias_hh_l0
    parts = [weights, bias, model.h0, model.c0, lin.weight, lin.bias]
    config = {"input_size": 1, "hidden_size": HIDDEN, "num_layers": 1}
    file = {"version": "0.5.4", "architecture": "LSTM", "config": config, "sample_rate": RATE}
    path.write_text(json.dumps({**file, "weights": [value for part in parts for value in floats(part)]}) + "\n")


def write_guitarml(path, model):
    data = {"model": "SimpleRNN", "input_size": 1, "skip": 1, "output_size": 1, "unit_type": "LSTM"}
    data |= {"num_layers": 1, "hidden_size": HIDDEN, "bias_fl": True}
    names = [name for name in model.state_dict() if name not in ("h0", "c0")]
    state = {name: [floats(row) for row in values] if values.dim() > 1 else floats(values)
             for name, values in model.state_dict().items() if name in names}
    path.write_text(json.dumps({"model_data": data, "state_dict": state}) + "\n")


def write_wav(path, sound):
    samples = np.round(sound * 32767).astype("<i2").tobytes()
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(samples), b"WAVE", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16, b"data", len(samples))
    path.write_bytes(head + samples)


def main():
    folder = pathlib.Path(__file__).parent
    torch.set_num_threads(1)
    noise = np.random.default_rng(1)
    lesson = phrase(82.41 * 2.0 ** (noise.integers(0, 30, 16) / 12), 0.25, noise)
    x = torch.from_numpy(lesson).reshape(-1, SEQUENCE, 1)
    y = torch.from_numpy(amplifier(lesson)).reshape(-1, SEQUENCE, 1)
    riff = phrase(82.41 * 2.0 ** (np.array([0, 3, 5, 0, 3, 6, 5]) / 12), 0.2, noise)
    write_wav(folder / "riff.wav", riff)
    heard = torch.from_numpy((np.round(riff * 32767) / 32768).astype(np.float32)).reshape(1, -1, 1)

    expected = {"step": 101}
    for skip, name, write in [(False, "amp.nam", write_nam), (True, "amp.json", write_guitarml)]:
        model = train(skip, x, y)
        write(folder / name, model)
        # NAM's player lets half a second of silence pass first.
        silence = 0 if skip else RATE // 2
        with torch.no_grad():
            output = model(torch.cat([torch.zeros(1, silence, 1), heard], 1)).reshape(-1)[silence:]
        expected[name] = floats(output[::101])
    (folder / "expected.json").write_text(json.dumps(expected) + "\n")


main()
