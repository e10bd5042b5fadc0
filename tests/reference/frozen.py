"""Reads and writes frozen numbers; the format is described in tests/support/reference.hpp."""

import numpy as np


def write(path, made_with, tensors):
    """Writes the dictionary `tensors` (name: array) to `path`; `made_with` names script and library."""
    with open(path, "w", encoding="ascii") as file:
        file.write(f"# {made_with}\n")
        for name, values in tensors.items():
            values = np.asarray(values, dtype=np.float64)
            file.write(" ".join([name, *map(str, values.shape)]) + "\n")
            rows = values.reshape(-1, values.shape[-1]) if values.ndim > 0 else values.reshape(1, 1)
            for row in rows:
                file.write(" ".join(repr(float(value)) for value in row) + "\n")


def read(path):
    """What `write` wrote, as a dictionary."""
    tensors, lines = {}, [line.split() for line in open(path, encoding="ascii") if not line.startswith("#")]
    at = 0
    while at < len(lines):
        name, *shape = lines[at]
        shape = tuple(map(int, shape))
        count, values = int(np.prod(shape)), []
        while len(values) < count:
            at += 1
            values += map(float, lines[at])
        tensors[name] = np.array(values).reshape(shape)
        at += 1
    return tensors
