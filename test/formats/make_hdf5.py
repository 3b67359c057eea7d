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


# Every file has these; types.h5 has all of them.
FEW = ["lstm/kernel", "lstm/bias", "lstm/half", "scalar", "empty", "__proto__"]


def write(name, libver=None, filters=None, paths=FEW, many=0, **options):
    """The content; filters hold for the arrays of the group lstm, `many` adds attributes and links."""
    with h5py.File(folder / name, "w", libver=libver, **options) as file:
        file.create_group("lstm", track_order=options.get("track_order"))
        for path in paths:
            array = ARRAYS[path]
            own = dict(filters or {}) if path.startswith("lstm") else {}
            if own.get("chunks") == "whole":
                own["chunks"] = array.shape
            if own.get("chunks") == "threes":
                own["chunks"] = tuple(min(size, 3) for size in array.shape)
            file.create_dataset(path, data=array, **own)
        for key, value in ATTRIBUTES.items():
            file.attrs[key] = value
        file["lstm"].attrs["name"] = "lstm"
        file["alias"] = h5py.SoftLink("/lstm/kernel")
        file["lstm/up"] = h5py.SoftLink("./kernel")
        file["lstm/whole"] = file["/"]
        for index in range(many):
            file.attrs[f"more{index}"] = index
            file["lstm"][f"link{index}"] = file["scalar"]
        if many:
            file.attrs["huge"] = np.array([b"%08d" % index for index in range(600)])


def write_chunks(name, libver):
    """A set for each index that chunks may have, and chunks that reach past the shape."""
    with h5py.File(folder / name, "w", libver=libver) as file:
        for path, (chunks, most, filters) in CHUNKED.items():
            file.create_dataset(path, data=BOX, chunks=chunks, maxshape=most, **filters)
        # Storage that is taken at once needs no index.
        settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        settings.set_chunk((2, 3))
        settings.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        space = h5py.h5s.create_simple(BOX.shape)
        h5py.h5d.create(file.id, b"implicit", h5py.h5t.IEEE_F32LE, space, settings)
        file["implicit"][...] = BOX
        if libver == "latest":
            file.create_dataset("pages", data=PAGES, chunks=(1,))
        else:
            # So many chunks that their array has blocks of blocks.
            file.create_dataset("rows", data=PAGES[:ROWS], chunks=(1,), maxshape=(None,))


GZIP = {"compression": "gzip", "shuffle": True, "fletcher32": True}
BOX = random.standard_normal((5, 7)).astype("<f4")
PAGES = (np.arange(1030) % 251).astype("u1")
ROWS = 260
CHUNKED = {
    "single": ((5, 7), None, {}),
    "single-larger": ((8, 8), (8, 8), GZIP),
    "fixed": ((2, 3), None, {}),
    "fixed-larger": ((2, 3), (9, 11), GZIP),
    "growing": ((1, 2), (None, 7), {}),
    "growing-last": ((1, 2), (9, None), {}),
    "growing-filtered": ((2, 3), (None, 7), GZIP),
    "tree": ((1, 2), (None, None), {}),
    "tree-filtered": ((2, 3), (None, None), GZIP),
}

write("types.h5", paths=list(ARRAYS))
write("earliest.h5", "earliest")
write("v108.h5", ("v108", "v108"), track_order=True)
write("latest.h5", "latest")
write("userblock.h5", userblock_size=512)
write("dense.h5", "latest", many=20)
write("gzip.h5", filters={"chunks": "threes", "compression": "gzip", "shuffle": True, "fletcher32": True})
write("gzip-latest.h5", "latest", {"chunks": "whole", "compression": "gzip"})
write("shuffle.h5", "latest", {"chunks": "threes", "shuffle": True})
write_chunks("chunks.h5", "latest")
write_chunks("chunks-v110.h5", ("v110", "v110"))

# What is refused by name.
with h5py.File(folder / "refused.h5", "w") as file:
    file.create_dataset("lzf", data=BOX, compression="lzf")
    file.create_dataset("scaleoffset", data=PAGES, scaleoffset=0, chunks=(1030,))
    file.create_dataset("compound", data=np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
    file.create_dataset("opaque", data=np.array([b"ab"], dtype="V2"))
    file.create_dataset("text", data="abc")
    file.create_dataset("lists", (1,), dtype=h5py.vlen_dtype("f4"))
    file.create_dataset("reference", data=file.ref, dtype=h5py.ref_dtype)
    file.create_dataset("complex", data=np.zeros(2, "c8"))
    file.create_dataset("quad", data=np.zeros(2, np.longdouble))
    file.create_dataset("unwritten", (3,), "f4")
    file.create_dataset("unwritten-chunks", (3,), "f4", chunks=(1,))
    file.create_dataset("outside", (2,), "f4", external=[("other.bin", 0, 8)])
    layout = h5py.VirtualLayout((2,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (2,))
    file.create_virtual_dataset("virtual", layout)
    file["external"] = h5py.ExternalLink("other.h5", "/x")
    file["loop"] = h5py.SoftLink("loop")
    file["dangling"] = h5py.SoftLink("/nothing/here")
    file["type"] = np.dtype("<f4")
    file.create_dataset("named", data=np.arange(3), dtype=file["type"])
    file["named"].attrs.create("typed", np.float32(3), dtype=file["type"])
    file.attrs["grid"] = np.array([[b"a", b"b"]])
    file.attrs["pair"] = np.zeros((), dtype=[("a", "<f4")])
    file.attrs["spaces"] = np.bytes_("fixed")

repack = os.environ.get("H5REPACK", "h5repack")
for name, arguments in {
    "repack-chunks.h5": ["-l", "lstm/kernel:CHUNK=2x3", "-f", "lstm/kernel:FLET"],
    "repack-compact.h5": ["-l", "COMPA"],
    "repack-latest.h5": ["-L", "-l", "lstm/kernel:CHUNK=2x1", "-f", "lstm/kernel:SHUF", "-f", "lstm/kernel:GZIP=9"],
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
    "chunked": [*CHUNKED, "implicit"],
    "box": plain(BOX),
    "pages": plain(PAGES),
    "attributes": {key: plain(value) for key, value in ATTRIBUTES.items()},
    "few": FEW,
    "arrays": {path: plain(array) for path, array in ARRAYS.items()},
}
(folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n")
