"""Has ONNX Runtime compute the graphs that export.cpp has left in a folder, and compares.

compare.py FOLDER: prints each graph's largest deviation from the library, relative to the largest value, and fails for
one above the bound, or for a graph that does not say the shapes it has. With the package `onnx` at hand its checker looks
at every graph too.
"""

import json
import pathlib
import struct
import sys

import numpy as np
import onnxruntime

try:
    import onnx
except ImportError:
    onnx = None

BOUNDS = {"F32": 1e-5, "F64": 1e-7}  # attributes, such as a normalisation's epsilon, are float in either


def arrays(path):
    """The arrays of a safetensors file, and the type of their elements."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__")
    found = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        kind = {"F32": "<f4", "F64": "<f8"}[entry["dtype"]]
        found[name] = np.frombuffer(data[begin:end], kind).reshape(entry["shape"])
    return found, entry["dtype"]


def deviation(path):
    batch, kind = arrays(path.with_suffix(".safetensors"))
    if onnx:
        onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (output,) = session.get_outputs()
    wanted = batch.pop(output.name)
    assert np.abs(wanted).max() > 0, f"{path.stem}: all of it is 0, which shows nothing"
    for samples in (len(wanted), 1):
        inputs = {}
        for declared in session.get_inputs():
            assert declared.shape[0] == "n", declared.shape
            values = batch[declared.name][:samples]
            inputs[declared.name] = values.reshape([samples] + declared.shape[1:])
        assert inputs.keys() == batch.keys(), (inputs.keys(), batch.keys())
        (got,) = session.run(None, inputs)
        assert list(got.shape[1:]) == output.shape[1:] and output.shape[0] == "n", (got.shape, output.shape)
        difference = np.abs(got.reshape(samples, -1) - wanted[:samples]).max() / np.abs(wanted).max()
        if samples > 1:
            largest = difference
        elif not difference <= BOUNDS[kind]:
            return difference, kind
    return largest, kind


def main(folder):
    onnxruntime.set_default_logger_severity(3)
    graphs = sorted(pathlib.Path(folder).glob("*.onnx"))
    wrong = []
    for path in graphs:
        found, kind = deviation(path)
        print(f"{path.stem:32} {found:.1e}")
        if not found <= BOUNDS[kind]:
            wrong.append(path.stem)
    if len(graphs) < 100:
        sys.exit(f"only {len(graphs)} graphs in {folder}")
    if wrong:
        sys.exit("too far from the library: " + " ".join(wrong))
    print(f"{len(graphs)} graphs compared" + ("" if onnx else ", without the package onnx, which checks them"))


main(sys.argv[1])
