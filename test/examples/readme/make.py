"""Runs the Python snippets of README.md and docs/ on a small model. They write the files that the TypeScript there reads.

    python3 test/examples/readme/make.py FOLDER

PyTorch (Debian's python3-torch) is all it needs. model.pt of this folder is what it wrote.
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
assert len(snippets) == 1, f"expected one Python snippet, got {len(snippets)}"


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 3, num_layers=2)
        self.head = nn.Linear(3, 1)


torch.manual_seed(1)
os.chdir(sys.argv[1])
for snippet in snippets:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(snippet, {"model": Model()})
    for promised in re.findall(r"^print\(.*\)  # (.*)$", snippet, re.M):
        assert promised in printed.getvalue(), f"expected {promised}, got {printed.getvalue()}"
print(f"ran {len(snippets)} Python snippets, wrote {', '.join(sorted(os.listdir('.')))}")
