"""What the scripts that write Keras fixtures have in common: how numbers and files are written."""

import io
import zipfile

import numpy as np


def numbers(value):
    """A line's tensor: numbers of nine digits, which tell every float32, or strings."""
    value = np.asarray(value)
    if value.dtype.kind in "UOS":
        return dict(shape=list(value.shape), data=[str(one) for one in value.ravel()])
    digits = [float("%.9g" % x) for x in value.astype("float64").ravel()]
    return dict(shape=list(value.shape), data=[int(x) if x == int(x) else x for x in digits])


def deflate(path):
    """Makes the entries of a .keras file small, which Keras stores as they are, and its dates the same."""
    with zipfile.ZipFile(path) as archive:
        entries = [(name, archive.read(name)) for name in archive.namelist()]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)
    with open(path, "wb") as file:
        file.write(made.getvalue())
