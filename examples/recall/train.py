"""Trains the two networks of the recall example and writes what `npm start` reads.

Embedding -> LSTM -> Linear and Embedding -> RNN -> Linear: the same hidden size, seed, optimiser, steps and batches.
Needs PyTorch and numpy (Debian: python3-torch, libopenblas0-pthread). Run: python3 train.py
"""

import json
import os
import random
import struct

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy and torch load it: sums in the same order on every run

import numpy
import torch
from torch import nn

from corpus import ANSWERS, HELD_OUT, SUBJECTS, TRAINED, make_text, make_vocabulary, words

SEED = 1
EMBEDDING = 32
HIDDEN = 64
BATCH = 64
STEPS = 1000
LEARNING_RATE = 2e-3
LARGEST_GRADIENT = 1.0  # longer ones are clipped, for both: the usual guard of recurrent networks
LONGEST = 100
UNKNOWN = 0.03  # how often a trained word is replaced by <unk>, so that a reader's own words do no harm
DISTANCES = [2, 3, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
COMMITTED = 2  # test texts per subject and distance that go into test.json
MEASURED = 20  # test texts per subject and distance behind the accuracy in train.log

HERE = os.path.dirname(os.path.abspath(__file__))
VOCABULARY = make_vocabulary()
ID = {word: at for at, word in enumerate(VOCABULARY)}
PAD, UNK = 0, 1


class Network(nn.Module):
    """Reads a text word by word; the state after its last word decides the answer."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.embedding = nn.Embedding(len(VOCABULARY), EMBEDDING, padding_idx=PAD)
        recurrent = {"lstm": nn.LSTM, "rnn": nn.RNN}[kind](EMBEDDING, HIDDEN)
        self.add_module(kind, recurrent)
        self.linear = nn.Linear(HIDDEN, len(ANSWERS))

    def forward(self, ids, lengths):
        """ids (L, N), lengths (N) -> logits (N, answers)."""
        output, _ = getattr(self, self.kind)(self.embedding(ids))
        last = output[lengths - 1, torch.arange(len(lengths))]
        return self.linear(last)


def pad(texts):
    """Lists of ids -> ids (L, N), filled up with <pad>, and lengths (N)."""
    lengths = torch.tensor([len(text) for text in texts])
    return nn.utils.rnn.pad_sequence([torch.tensor(text) for text in texts], padding_value=PAD), lengths


def make_batch(rng):
    """One training batch: any subject at any distance from 0 to LONGEST."""
    texts, answers = [], []
    for _ in range(BATCH):
        subject = rng.randrange(len(SUBJECTS))
        text = words(make_text(rng, subject, rng.randint(0, LONGEST), TRAINED))
        # never the first word: nothing else tells the answer
        texts.append([ID[word] if at == 0 or rng.random() >= UNKNOWN else UNK for at, word in enumerate(text)])
        answers.append(subject)
    return *pad(texts), torch.tensor(answers)


def make_test(seed, per_cell):
    """Different test texts, none of them trained on: `per_cell` for each distance and subject, or as many as exist."""
    rng = random.Random(seed)
    test = []
    for distance in DISTANCES:
        for subject in range(len(SUBJECTS)):
            texts = {}  # a dict keeps their order
            for _ in range(20 * per_cell):
                if len(texts) < per_cell:
                    texts[make_text(rng, subject, distance, HELD_OUT)] = True
            test += [{"text": text, "distance": distance, "answer": ANSWERS[subject]} for text in texts]
    return test


def run(network, test):
    """The logits (tests, answers) of a list of tests."""
    with torch.no_grad():
        parts = [test[at : at + 256] for at in range(0, len(test), 256)]
        return torch.cat([network(*pad([[ID[word] for word in words(one["text"])] for one in part])) for part in parts])


def accuracy(logits, test):
    """The share of right answers for each distance."""
    right = logits.argmax(1).numpy() == [ANSWERS.index(one["answer"]) for one in test]
    at = numpy.array([one["distance"] for one in test])
    return [right[at == distance].mean() for distance in DISTANCES]


def train(kind, steps, validation, log):
    torch.manual_seed(SEED)
    network = Network(kind)
    parameters = sum(each.numel() for each in network.parameters())
    log(f"{kind}: hidden size {HIDDEN}, {parameters} parameters")
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    rng = random.Random(SEED)
    losses = []
    for step in range(1, steps + 1):
        ids, lengths, answers = make_batch(rng)
        loss = nn.functional.cross_entropy(network(ids, lengths), answers)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        optimiser.step()
        losses.append(loss.item())
        if step % 100 == 0:
            share = numpy.mean(accuracy(run(network, validation), validation))
            log(f"{kind}: step {step:5d}  loss {numpy.mean(losses[-100:]):.4f}  accuracy {share:6.1%}")
    return network


def write_safetensors(name, tensors):
    """Header length (8 bytes), header (JSON), data: the whole of the format."""
    dtypes = {numpy.dtype("float32"): "F32", numpy.dtype("int16"): "I16"}
    header, data = {}, b""
    for key, array in tensors.items():
        raw = array.tobytes()
        header[key] = {
            "dtype": dtypes[array.dtype], "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]
        }
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(HERE, "data", name), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def report(networks, test, log):
    log(f"accuracy on {len(test)} unseen texts by distance: the words between the first and the missing last")
    log(f"{'words':11s}" + "".join(f"{distance:7d}" for distance in DISTANCES) + "    all")
    for name, network in networks.items():
        shares = accuracy(run(network, test), test)
        log(f"{name:11s}" + "".join(f"{share:7.1%}" for share in [*shares, numpy.mean(shares)]))
    log()


def write_json(name, lists):
    """An object of lists, one element per line, so that a change shows in a diff."""
    parts = [f'"{key}": [\n' + ",\n".join(json.dumps(one) for one in each) + "\n]" for key, each in lists.items()]
    with open(os.path.join(HERE, "data", name), "w") as file:
        file.write("{\n" + ",\n".join(parts) + "\n}\n")


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    os.makedirs(os.path.join(HERE, "data"), exist_ok=True)
    with open(os.path.join(HERE, "train.log"), "w") as file:

        def log(line=""):
            print(line, flush=True)
            print(line, file=file, flush=True)

        log(f"seed {SEED}, {STEPS} steps of {BATCH} texts at distances 0 to {LONGEST}, Adam {LEARNING_RATE}, "
            f"gradients clipped to {LARGEST_GRADIENT}, {len(VOCABULARY)} words, {len(ANSWERS)} answers "
            f"(chance {1 / len(ANSWERS):.1%})")
        validation = make_test("validation", 4)
        networks = {kind: train(kind, STEPS, validation, log) for kind in ("lstm", "rnn")}
        log()
        measured = make_test("measured", MEASURED)
        report(networks, measured, log)

        test = make_test("committed", COMMITTED)
        ids = [[ID[word] for word in words(one["text"])] for one in test]
        subjects = [word for word, _, _ in SUBJECTS]
        write_json("vocabulary.json", {"words": VOCABULARY, "subjects": subjects, "answers": ANSWERS})
        write_json("test.json", {"texts": test})
        tensors = {"ids": numpy.int16(sum(ids, [])), "lengths": numpy.int16([len(one) for one in ids])}
        for kind, network in networks.items():
            parameters = {name: value.numpy() for name, value in network.state_dict().items()}
            write_safetensors(f"{kind}.safetensors", parameters)
            tensors[f"logits.{kind}"] = run(network, test).numpy()
        write_safetensors("test.safetensors", tensors)
        log("the texts of test.json:")
        report(networks, test, log)

        log("For the record: the RNN, trained for three times as many steps. It is slower, not incapable.")
        report({"rnn, longer": train("rnn", 3 * STEPS, validation, log)}, measured, log)


if __name__ == "__main__":
    main()
