"""Writes the cases by which ONNX describes its operators, as far as the layers of the library compute the same.

operators.py FOLDER: needs the package `onnx`, which carries the cases. Each becomes <case>.safetensors with "x" and "y",
samples × values with the channels last, "weights" (a kernel as Keras has it, then what else the layer learns) and "state".
Prints the operators' cases that are left out, with the reason.
"""

import json
import pathlib
import struct
import sys
import warnings

import numpy as np
import onnx
from onnx.backend.test.case.node import collect_testcases

OPERATORS = {
    "Conv",
    "ConvTranspose",
    "MaxPool",
    "AveragePool",
    "GlobalAveragePool",
    "BatchNormalization",
    "LayerNormalization",
    "Resize",
    "Upsample",
}

# What the library has no layer for: the first reason whose words are in a case's name holds.
LEFT_OUT = [
    ("pool_3d", "three axes of positions"),
    ("transpose_3d", "three axes of positions"),
    ("_uint8", "integers"),
    ("argmax", "gives positions, not values"),
    ("pool_2d_dilations", "poolings have no dilation"),
    ("pool_2d_same_lower", "of an odd number of positions that stick out the larger half lies behind, as in Keras"),
    ("maxpool_2d_pads", "more sticks out than Padding::Same has, and zeros are not what a maximum leaves out"),
    ("averagepool_2d_pads", "more sticks out than Padding::Same has, and zeros would count"),
    ("cubic", "interpolates between sixteen positions"),
    ("downsample", "makes pictures smaller by interpolation"),
    ("crop_and_resize", "cuts a part out by numbers of its own"),
    ("align_corners", "corners on corners, not centres on centres"),
    ("half_pixel_symmetric", "no whole number of times as large"),
    ("upsample_sizes_nearest_round_prefer_ceil_asymmetric", "repeats a position that lies half-way beyond"),
    ("upsample_sizes_nearest_ceil_half_pixel", "repeats the position behind"),
    ("upsample_sizes_nearest", "no whole number of times as large"),
]

EXPRESSED = {"test_averagepool_2d_pads_count_include_pad", "test_resize_upsample_sizes_nearest_not_smaller"}


def reason(name):
    if name in EXPRESSED:
        return ""
    return next((why for words, why in LEFT_OUT if words in name), "")


def channels_last(x):
    return np.moveaxis(x, 1, -1) if x.ndim > 2 else x


def arrays(op, inputs, outputs):
    x, y, weights, state = inputs[0], outputs[0], [], []
    if op in ("Conv", "ConvTranspose"):
        kernel = inputs[1]  # filters, channels, taps: of the transposed one the input's channels first
        weights = [np.moveaxis(kernel, (0, 1), (-1, -2))]
    if op == "BatchNormalization":
        weights, state = inputs[1:3], inputs[3:5]
    if op == "LayerNormalization":  # what is normalised together is one position here, channels last already
        values = inputs[1].size
        n = 1 if values == x.size else len(x)
        return x.reshape(n, -1), y.reshape(n, -1), [inputs[1], inputs[2]], []
    n = len(x)
    return channels_last(x).reshape(n, -1), channels_last(y).reshape(n, -1), weights, state


def write(path, named):
    header, data = {"__metadata__": {}}, b""
    for name, values in named.items():
        values = np.ascontiguousarray(values, "<f4")
        header[name] = {
            "dtype": "F32",
            "shape": list(values.shape),
            "data_offsets": [len(data), len(data) + values.nbytes],
        }
        data += values.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main(folder):
    warnings.filterwarnings("ignore")
    written, left_out = 0, {}
    for case in collect_testcases(None):
        nodes = case.model.graph.node
        if len(nodes) != 1 or nodes[0].op_type not in OPERATORS:
            continue
        if why := reason(case.name):
            left_out.setdefault(why, []).append(case.name[5:])
            continue
        inputs, outputs = case.data_sets[0]
        x, y, weights, state = arrays(nodes[0].op_type, inputs, outputs)
        named = {"x": x, "y": y}
        if weights:
            named["weights"] = np.concatenate([w.ravel() for w in weights])
        if state:
            named["state"] = np.concatenate([s.ravel() for s in state])
        if "training_mode" in case.name:
            named["state_behind"] = np.concatenate([s.ravel() for s in outputs[1:3]])
        write(pathlib.Path(folder) / f"{case.name[5:]}.safetensors", named)
        written += 1
    for why, names in left_out.items():
        print(f"left out, {why}: {', '.join(names)}")
    print(f"{written} cases written, {sum(map(len, left_out.values()))} left out")


main(sys.argv[1])
