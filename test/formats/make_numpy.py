"""Writes test/formats/files/numpy: archives, arrays and pickles of NumPy, with the numbers that they hold.

Run with Python 3.11 and NumPy 2.4.6: python test/formats/make_numpy.py
Then with Python 3.7 and NumPy 1.18.5, which names its modules otherwise: python test/formats/make_numpy.py
"""

import json
import os
import pickle

import numpy as np

OLD = np.__version__.startswith("1.")
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files", "numpy")
os.makedirs(FOLDER, exist_ok=True)

TYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"]
NUMBERS = np.array([[0, 1, 2], [3, 100, 127]])


def every_type():
    arrays = {}
    for name in TYPES:
        arrays["little/" + name] = NUMBERS.astype("<" + name)
        arrays["big/" + name] = NUMBERS.astype(">" + name)
    arrays["fortran"] = np.asfortranarray(np.arange(24, dtype="f4").reshape(2, 3, 4))
    arrays["big-fortran"] = np.asfortranarray(NUMBERS.astype(">f8"))
    arrays["strided"] = np.arange(12, dtype="f4").reshape(3, 4)[::2, ::-1]
    arrays["scalar"] = np.float64(1.5)
    arrays["zero-d"] = np.array(7, "i4")
    arrays["empty"] = np.zeros((0, 3), "f4")
    arrays["vector"] = np.arange(3, dtype="f4")
    return arrays


def numbers(array):
    values = np.asarray(array)
    return {"shape": list(values.shape), "data": [float(value) for value in values.flatten().tolist()]}


def path(name):
    return os.path.join(FOLDER, name)


arrays = every_type()
if OLD:
    for protocol in (2, 3, 4):
        with open(path("numpy-1-protocol-%d.pkl" % protocol), "wb") as file:
            pickle.dump(arrays, file, protocol=protocol)
else:
    with open(path("expected.json"), "w") as file:
        json.dump({name: numbers(array) for name, array in arrays.items()}, file)
        file.write("\n")
    np.savez(path("stored.npz"), **arrays)
    np.savez_compressed(path("deflated.npz"), **arrays)
    np.save(path("array.npy"), arrays["fortran"])
    for protocol in (2, 3, 4, 5):
        with open(path("protocol-%d.pkl" % protocol), "wb") as file:
            pickle.dump(arrays, file, protocol=protocol)
    with open(path("single.pkl"), "wb") as file:
        pickle.dump(arrays["vector"], file)
    with open(path("beside.pkl"), "wb") as file:
        beside = {"epoch": 3, "name": "net", "none": None, "raw": b"abc", "rate": 1e-3}
        pickle.dump({"weight": arrays["vector"], **beside}, file)

    record = np.zeros(2, dtype=[("x", "f4"), ("y", "i4")])
    others = {
        "objects": np.array([None, {}], dtype=object),
        "text": np.array(["a", "bc"]),
        "bytes": np.array([b"a"]),
        "complex": np.zeros(2, "c8"),
        "dates": np.zeros(1, "M8[s]"),
        "records": record,
        "weight": arrays["vector"],
    }
    np.savez(path("others.npz"), **others)
    with open(path("others.pkl"), "wb") as file:
        pickle.dump({name: others[name] for name in ("text", "records", "weight")}, file)
