"""Reads model.safetensors, which write_model.cpp wrote, with nothing but Python's own modules, and checks all of it.

    python3 read_model.py model.safetensors
"""

import array
import json
import struct
import sys

SIZES = {"F64": 8, "F32": 4, "I32": 4}


def read(path):
    """The metadata, and for each tensor in the order of its bytes: name, type, shape, offset in the file, values."""
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length].decode("utf-8"))
    begin, metadata = 8 + length, header.pop("__metadata__")
    tensors, at = [], 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        first, last = entry["data_offsets"]
        assert first == at, (name, first, at)
        at = last
        values = array.array({"F64": "d", "F32": "f", "I32": "i"}[entry["dtype"]])
        values.frombytes(data[begin + first : begin + last])
        count = 1
        for extent in entry["shape"]:
            count *= extent
        assert len(values) == count, name
        tensors.append((name, entry["dtype"], entry["shape"], begin + first, list(values)))
    assert begin + at == len(data), (begin + at, len(data))
    assert list(header) == [tensor[0] for tensor in tensors], "the header is in the order of the bytes"
    return metadata, tensors


metadata, tensors = read(sys.argv[1])

# In the order of the parameters; a kernel is (taps, channels, filters), (in, out) and (taps, filters, channels).
parameters = [("encoder.0.kernel", [2, 2, 3]), ("encoder.0.bias", [3]), ("encoder.1.gamma", [3]), ("encoder.1.beta", [3]),
              ("encoder.4.kernel", [9, 4]), ("encoder.4.bias", [4]), ("decoder.0.kernel", [4, 9]), ("decoder.0.bias", [9]),
              ("decoder.2.kernel", [2, 2, 3]), ("decoder.2.bias", [2])]
state = [("encoder.1.moving_mean", [3]), ("encoder.1.moving_variance", [3])]
expected = {}
for arrays, value in (parameters, lambda i: i / 8 - 3), (state, lambda i: i / 4 + 1):
    number = 0
    for name, shape in arrays:
        count = 1
        for extent in shape:
            count *= extent
        expected[name] = ("F32", shape, [value(number + i) for i in range(count)])
        number += count
expected["standard_scaler.mean"] = ("F64", [2], [0.1, -2.0])
expected["standard_scaler.scale"] = ("F64", [2], [3.0, 1 / 3])
expected["threshold"] = ("F64", [], [0.7])
expected["epochs"] = ("I32", [], [12])

assert {tensor[0] for tensor in tensors} == set(expected), [tensor[0] for tensor in tensors]
for name, kind, shape, offset, values in tensors:
    assert (kind, shape, values) == expected[name], (name, kind, shape, values)
    assert offset % SIZES[kind] == 0, (name, offset)
# Larger elements first, then by name.
order = [(-SIZES[kind], name) for name, kind, *_ in tensors]
assert order == sorted(order), order

assert metadata["format"] == "hourglass 1"
assert metadata["model"].splitlines()[0] == "encoder.0 Conv1D, window 2, stride 2: 2 x 6 to 3 x 3, 15 parameters"
assert metadata["standard_scaler"] == "StandardScaler"
hyperparameters = json.loads(metadata["model.hyperparameters"])
assert hyperparameters == {"encoder.1.momentum": 0.99, "encoder.1.epsilon": 0.001, "L1.weight": 0.25}, hyperparameters
print(len(tensors), "tensors are as they should be")
