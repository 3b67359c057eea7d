"""Writes ONNX's own backend cases of the operators that the graph runner has: models, inputs and outputs.

Usage: python write_cases.py FOLDER OPERATORS.json
Needs onnx 1.23.2 from PyPI. FOLDER gets cases.json, and for each case its model and the raw numbers of its tensors;
it lies outside the repository. Floats of all widths are written as float32, every other type as it is.
OPERATORS.json is a list of operator names, as test/onnx/run.js writes it.
"""

import glob
import json
import os
import sys
import warnings

warnings.filterwarnings("ignore")

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

KINDS = ["node", "simple", "pytorch-converted", "pytorch-operator"]
TYPES = ["float32", "float16", "float64", "bfloat16", "int64", "int32", "uint8", "int8", "bool"]
# The types whose cases all have to pass.
WANTED = [name for name in TYPES if name != "bfloat16"]


def nodes_of(graph):
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                yield from nodes_of(inner)


def operators_of(model):
    own = {(function.domain, function.name) for function in model.functions}
    nodes = list(nodes_of(model.graph))
    for function in model.functions:
        nodes.extend(function.node)
    for node in nodes:
        domain = "" if node.domain == "ai.onnx" else node.domain
        if (node.domain, node.op_type) not in own:
            yield node.op_type if domain == "" else f"{domain}.{node.op_type}"


def data_sets_of(case, model):
    if case.data_sets is not None:
        return case.data_sets
    sets = []
    for folder in sorted(glob.glob(os.path.join(case.model_dir, "test_data_set_*"))):
        lists = []
        for kind, values in [("input", model.graph.input), ("output", model.graph.output)]:
            files = glob.glob(os.path.join(folder, f"{kind}_*.pb"))
            tensors = []
            for at in range(len(files)):
                with open(os.path.join(folder, f"{kind}_{at}.pb"), "rb") as file:
                    if values[at].type.WhichOneof("value") != "tensor_type":
                        tensors.append(None)
                        continue
                    tensors.append(onnx.TensorProto.FromString(file.read()))
            lists.append(tensors)
        sets.append(lists)
    return sets


def described(value, folder, name):
    """A tensor's entry in cases.json, after its numbers are written; None for what is no tensor of a known type."""
    if isinstance(value, onnx.TensorProto):
        value = numpy_helper.to_array(value)
    if not isinstance(value, (np.ndarray, np.generic, int, float, bool)):
        return None
    array = np.asarray(value)
    dtype = str(array.dtype)
    if dtype not in TYPES:
        return None
    shape = list(array.shape)
    if "float" in dtype:
        array = array.astype(np.float32)
    np.ascontiguousarray(array).tofile(os.path.join(folder, name))
    return {"dtype": dtype, "shape": shape, "file": name}


def types_are_wanted(model, sets):
    known = {onnx.helper.np_dtype_to_tensor_dtype(np.dtype(name)) for name in WANTED}
    for value in [*model.graph.input, *model.graph.output]:
        kind = value.type.WhichOneof("value")
        if kind is not None and (kind != "tensor_type" or value.type.tensor_type.elem_type not in known):
            return False
    for node in nodes_of(model.graph):
        for attribute in node.attribute:
            if attribute.name == "to" and node.op_type == "Cast" and attribute.i not in known:
                return False
            if attribute.HasField("t") and attribute.t.data_type not in known:
                return False
    return all(value is not None for lists in sets for tensors in lists for value in tensors)


def main(folder, operators):
    os.makedirs(folder, exist_ok=True)
    with open(operators, encoding="utf-8") as file:
        known = set(json.load(file))
    cases = []
    for kind in KINDS:
        for case in load_model_tests(kind=kind):
            model = case.model
            if model is None:
                with open(os.path.join(case.model_dir, "model.onnx"), "rb") as file:
                    model = onnx.ModelProto.FromString(file.read())
            used = sorted(set(operators_of(model)))
            if not set(used) <= known:
                continue
            name = f"{kind}_{case.name}"
            with open(os.path.join(folder, f"{name}.onnx"), "wb") as file:
                file.write(model.SerializeToString())
            sets = data_sets_of(case, model)
            written = [
                [
                    [described(value, folder, f"{name}_{number}_{part}_{at}.bin") for at, value in enumerate(tensors)]
                    for part, tensors in enumerate(lists)
                ]
                for number, lists in enumerate(sets)
            ]
            cases.append(
                {
                    "name": name,
                    "operators": used,
                    "wanted": types_are_wanted(model, sets),
                    "inputs": [value.name for value in model.graph.input],
                    "outputs": [value.name for value in model.graph.output],
                    "sets": [{"inputs": inputs, "outputs": outputs} for inputs, outputs in written],
                }
            )
    with open(os.path.join(folder, "cases.json"), "w", encoding="utf-8") as file:
        json.dump(cases, file)
    print(f"{len(cases)} cases, {sum(case['wanted'] for case in cases)} of types that have to pass")


if __name__ == "__main__":
    main(*sys.argv[1:])
