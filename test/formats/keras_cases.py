"""What make_keras.py, make_keras_old.py and make_tfjs.py share: cases, their arrays and test/formats/files/keras/case.json.

A case is some files of one model. For each recurrent layer it has an input and what the framework's own layer makes of
it, called alone. It runs on Python 3.7 and later.
"""

import json
import os

import numpy as np

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files", "keras")
PATH = os.path.join(FOLDER, "case.json")


def path(name):
    return os.path.join(FOLDER, name)


def read_cases():
    if not os.path.exists(PATH):
        return []
    with open(PATH) as file:
        return json.load(file)["cases"]


def write_cases(cases):
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in sorted(cases, key=lambda case: case["id"]))
    with open(PATH, "w") as file:
        file.write('{"cases": [\n%s\n]}\n' % lines)


class Case:
    """A case of case.json. `data` is one raw little-endian float32 file for every case of a script."""

    def __init__(self, cases, id, **more):
        self.cases = cases
        self.value = dict(id=id, framework=cases.framework, **more)
        self.value.update(files=[], data=cases.data, arrays=[], layers=[])
        cases.values.append(self)

    def file(self, name, format, **more):
        self.value["files"].append(dict(file=name, format=format, **more))

    def array(self, role, name, value, **more):
        """An array of the case. `value` is given to the test as float32 numbers."""
        value = np.ascontiguousarray(value, dtype="<f4")
        assert np.isfinite(value).all(), (self.value["id"], name)
        entry = dict(role=role, name=name, shape=list(value.shape), offset=self.cases.place(value), **more)
        self.value["arrays"].append(entry)

    def layer(self, name, x, exact, approximate, **roles):
        """A recurrent layer: its input, and for each call its outputs in float64 and in float32."""
        self.value["layers"].append(name)
        self.array("input", name, x)
        for role, value in roles.items():
            self.array(role, name, value)
        for call, (outputs, rough) in enumerate(zip(exact, approximate)):
            for index, (output, other) in enumerate(zip(outputs, rough)):
                error = float("%.3g" % np.max(np.abs(output - other)))
                self.array("expected", name, output, index=index, call=call, float32_error=error)


class Cases:
    def __init__(self, framework, data):
        self.framework, self.data = framework, data
        self.values, self.bytes = [], b""
        self.places = {}

    def place(self, value):
        """Where the array stands in the data file, in floats. Equal ones stand there once."""
        data = value.tobytes()
        if data not in self.places:
            self.places[data] = len(self.bytes) // 4
            self.bytes += data
        return self.places[data]

    def write(self):
        """Puts the cases in the place of those that the same script wrote before."""
        others = [case for case in read_cases() if case["data"] != self.data]
        write_cases(others + [case.value for case in self.values])
        with open(path(self.data), "wb") as file:
            file.write(self.bytes)
