"""Runs the Python snippets of README.md and docs/ on a small model. They write the files that the TypeScript there reads.

    python3 test/examples/readme/make.py FOLDER

PyTorch (Debian's python3-torch) is all it needs. The two other files of this folder are what it wrote.
"""

import contextlib
import glob
import io
import os
import re
import sys

import torch
from torch import nn

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.join(here, "..", "..", "..")
pages = [os.path.join(root, "README.md"), *sorted(glob.glob(os.path.join(root, "docs", "*.md")))]
snippets = [
    snippet for page in pages for snippet in re.findall(r"```python\n(.*?)```", open(page, encoding="utf-8").read(), re.S)
]
assert len(snippets) == 2, f"expected two Python snippets, got {len(snippets)}"


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 3, num_layers=2)
        self.head = nn.Linear(3, 1)


class KerasGru:
    """What the snippet asks of a Keras GRU(4) on 3 inputs (Debian has no Keras)."""

    def get_weights(self):
        return [torch.rand(*shape).numpy() for shape in [(3, 12), (4, 12), (2, 12)]]


torch.manual_seed(1)
os.chdir(sys.argv[1])
for snippet in snippets:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(snippet, {"model": Model(), "layer": KerasGru()})
    for promised in re.findall(r"^print\(.*\)  # (.*)$", snippet, re.M):
        assert promised in printed.getvalue(), f"expected {promised}, got {printed.getvalue()}"
print(f"ran {len(snippets)} Python snippets, wrote {', '.join(sorted(os.listdir('.')))}")
