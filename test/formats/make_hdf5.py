"""
Writes the HDF5 files of hdf5.test.ts and their values, expected.json: one content in every way that h5py and h5repack
store it, and chunks under every kind of index.

Python 3.12, numpy 2.5.5, h5py 3.16.0 (HDF5 2.0.0); h5repack 1.10.8 (Debian's hdf5-tools) as H5REPACK.

    python test/formats/make_hdf5.py
"""

import json
import os
import pathlib
import subprocess

import h5py
import numpy as np

folder = pathlib.Path(__file__).parent / "files" / "hdf5"
folder.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(18)

CONFIG = json.dumps({"class_name": "Sequential", "config": "é € 😀" + "x" * 300}, ensure_ascii=False)

ATTRIBUTES = {
    "model_config": CONFIG,
    "backend": np.bytes_("tensorflow"),
    "layer_names": ["lstm", "dénse", ""],
    "weight_names": np.array([b"lstm/kernel:0", b"lstm/bias:0"]),
    "no_names": np.zeros(0),
    "nothing": h5py.Empty("f4"),
    "step": np.int64(-7),
    "scale": np.array([0.5, -2], "<f4"),
    "trained": np.bool_(True),
}

ARRAYS = {
    "lstm/kernel": random.standard_normal((3, 8)).astype("<f4"),
    "lstm/bias": random.standard_normal(8).astype(">f4"),
    "lstm/half": np.array([1, -0.5, 6e-8, np.inf], "<f2"),
    "lstm/double": np.array([[0.1], [-3e30]], "<f8"),
    "types/i1": np.array([-128, 127], "i1"),
    "types/i2": np.array([-2, 300], "<i2"),
    "types/i4": np.array([-3, 70000], ">i4"),
    "types/i8": np.array([-4, 2**60], "<i8"),
    "types/u1": np.array([0, 255], "u1"),
    "types/u2": np.array([1, 65535], ">u2"),
    "types/u4": np.array([1, 2**32 - 1], "<u4"),
    "types/u8": np.array([1, 2**64 - 1], "<u8"),
    "types/bool": np.array([[True, False, True]]),
    "types/f2": np.array([1.5, 2], ">f2"),
    "types/f8": np.array([1.5, 2], ">f8"),
    "scalar": np.float32(0.25),
    "empty": np.zeros((0, 3), "<f4"),
    "__proto__": np.array([1, 2], "<f4"),
}


def write(name, libver=None, filters=None, many=0, **options):
    """The content; filters hold for the arrays of the group lstm, `many` adds attributes and links."""
    with h5py.File(folder / name, "w", libver=libver, **options) as file:
        for group in ["lstm", "types"]:
            file.create_group(group, track_order=options.get("track_order"))
        for path, array in ARRAYS.items():
            own = dict(filters or {}) if path.startswith("lstm") else {}
            if own.get("chunks") == "whole":
                own["chunks"] = array.shape
            if own.get("chunks") == "ones":
                own["chunks"] = tuple(min(size, 3) for size in array.shape)
            file.create_dataset(path, data=array, **own)
        for key, value in ATTRIBUTES.items():
            file.attrs[key] = value
        file["lstm"].attrs["name"] = "lstm"
        file["alias"] = h5py.SoftLink("/lstm/kernel")
        file["types/up"] = h5py.SoftLink("i1")
        file["types/root"] = file["/"]
        for index in range(many):
            file.attrs[f"more{index}"] = index
            file["types"][f"link{index}"] = file["scalar"]


write("earliest.h5", "earliest")
write("v108.h5", ("v108", "v108"), track_order=True)
write("v110.h5", ("v110", "v110"))
write("latest.h5", "latest")
write("userblock.h5", userblock_size=512)
write("dense.h5", "latest", many=30)
write("gzip.h5", filters={"chunks": "ones", "compression": "gzip", "shuffle": True, "fletcher32": True})
write("gzip-latest.h5", "latest", {"chunks": "whole", "compression": "gzip"})
write("shuffle.h5", "latest", {"chunks": "ones", "shuffle": True})
write("lzf.h5", filters={"compression": "lzf"})

repack = os.environ.get("H5REPACK", "h5repack")
for name, arguments in {
    "repack-chunks.h5": ["-l", "lstm/kernel:CHUNK=2x3", "-f", "lstm/kernel:FLET"],
    "repack-compact.h5": ["-l", "COMPA"],
    "repack-latest.h5": ["-L", "-l", "lstm/kernel,lstm/double:CHUNK=2x1", "-f", "lstm/kernel:SHUF", "-f", "lstm/kernel:GZIP=9"],
}.items():
    (folder / name).unlink(missing_ok=True)
    subprocess.run([repack, *arguments, str(folder / "earliest.h5"), str(folder / name)], check=True)


def plain(value):
    if isinstance(value, (str, bytes, np.bytes_)):
        return value.decode() if isinstance(value, bytes) else value
    if isinstance(value, list):
        return value
    if isinstance(value, h5py.Empty):
        return {"shape": [0], "dtype": "float32", "data": []}
    if value.dtype.kind == "S":
        return [text.decode() for text in value.tolist()]
    return {
        "shape": list(value.shape),
        "dtype": value.dtype.name,
        "data": [str(number) for number in np.atleast_1d(value).ravel().tolist()],
    }


expected = {
    "attributes": {key: plain(value) for key, value in ATTRIBUTES.items()},
    "arrays": {path: plain(array) for path, array in ARRAYS.items()},
}
(folder / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")
