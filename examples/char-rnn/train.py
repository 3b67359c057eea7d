#!/usr/bin/python3
"""
Trains a character model on the licences that every Debian has, and leaves beside itself what torch.save writes:

    /usr/bin/python3 examples/char-rnn/train.py       (Debian: apt-get install python3-torch; some minutes)

licence.pt     {"state_dict", "loss", "steps"}: Embedding, two LSTM layers, Linear; `vocabulary` holds code points
expected.json  what PyTorch writes after PROMPTS when it always takes the most probable character, and what it draws
               at TEMPERATURE with the fractions of multiples of the golden ratio for random numbers
"""

import json
import pathlib

import torch

LICENCES = ["GPL-3", "Apache-2.0", "MPL-2.0", "LGPL-2.1"]
PROMPTS = ["The licensee ", "You may not ", "GNU G"]
GREEDY_LENGTH, DRAWN_LENGTH = 120, 400
TEMPERATURE, GOLDEN_RATIO = 0.7, 0.6180339887498949
EMBEDDED, HIDDEN, LAYERS = 16, 80, 2
BATCH, SEQUENCE, STEPS = 32, 80, 700
# How near another character may come: rounding moves logits and probabilities by some 1e-6.
LEAST_MARGIN = 2e-5


class CharRnn(torch.nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.register_buffer("vocabulary", torch.tensor([ord(sign) for sign in vocabulary], dtype=torch.int32))
        self.embedding = torch.nn.Embedding(len(vocabulary), EMBEDDED)
        self.lstm = torch.nn.LSTM(EMBEDDED, HIDDEN, LAYERS, dropout=0.1)
        self.head = torch.nn.Linear(HIDDEN, len(vocabulary))

    def forward(self, indices, state=None):
        output, state = self.lstm(self.embedding(indices), state)
        return self.head(output), state


def train(model, text):
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, STEPS)
    for step in range(STEPS):
        starts = torch.randint(len(text) - SEQUENCE - 1, (BATCH,))
        rows = torch.stack([text[start : start + SEQUENCE + 1] for start in starts], 1)
        logits, _ = model(rows[:-1])
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), rows[1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimiser.step()
        schedule.step()
        if step % 100 == 99:
            print(f"step {step + 1}: {loss.item() / 0.6931:.3f} bits per character", flush=True)
    return loss.item()


def most_probable(logits, _):
    """The character to write, and by how much it won."""
    first, second = logits.topk(2)[0].tolist()
    return int(logits.argmax()), first - second


def drawn(logits, at):
    """The first character at which the probabilities add up to a chance, and how far the sums are from it."""
    sums = torch.softmax(logits.double() / TEMPERATURE, 0).cumsum(0)
    chance = ((at + 1) * GOLDEN_RATIO) % 1
    return int((sums > chance).nonzero()[0]), float((sums - chance).abs().min())


def write(model, vocabulary, prompt, length, choose):
    logits, state = model(torch.tensor([vocabulary.index(sign) for sign in prompt])[:, None])
    written = ""
    for at in range(length):
        index, margin = choose(logits[-1, 0], at)
        assert margin > LEAST_MARGIN, f"{written}: the next character hangs on {margin}"
        written += vocabulary[index]
        logits, state = model(torch.tensor([[index]]), state)
    print(f"{prompt}|{written}\n", flush=True)
    return written


def main():
    folder = pathlib.Path(__file__).parent
    torch.set_num_threads(1)
    torch.manual_seed(1)
    text = "\n".join(pathlib.Path("/usr/share/common-licenses", name).read_text() for name in LICENCES)
    text = "\n".join(line.strip() for line in text.splitlines())
    vocabulary = "".join(sorted(set(text)))
    model = CharRnn(vocabulary)
    loss = train(model, torch.tensor([vocabulary.index(sign) for sign in text]))
    model.eval()
    torch.save({"state_dict": model.state_dict(), "loss": loss, "steps": STEPS}, folder / "licence.pt")
    with torch.no_grad():
        expected = {
            "greedy": {prompt: write(model, vocabulary, prompt, GREEDY_LENGTH, most_probable) for prompt in PROMPTS},
            "temperature": TEMPERATURE,
            "drawn": write(model, vocabulary, PROMPTS[0], DRAWN_LENGTH, drawn),
        }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


main()
