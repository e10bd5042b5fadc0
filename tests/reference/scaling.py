"""Writes scaling.txt: sklearn.preprocessing.StandardScaler on features that are constant, or nearly so.

Features are the first extent of data here, as they are rows in the library. What is constant up to rounding has a scale
of 1 by scikit-learn's bound, var <= n eps var + (n mean eps)^2 with the eps of double.
"""

import numpy as np
import sklearn
from frozen import write
from sklearn.preprocessing import StandardScaler

generator = np.random.default_rng(1)
n = 100
a, b = generator.uniform(0, 50, n), generator.uniform(0, 50, n)
wave = np.sin(np.arange(n))
eps = np.finfo(np.float64).eps
data = np.stack([
    a + b + (100 - a - b),              # 100 up to rounding
    a,                                  # an ordinary feature
    np.full(n, 0.1),
    1e6 + (a + b) - a - b,              # a coarser rounding
    1e9 + wave,                         # a small spread around a large mean is none
    1 + 2 * n * eps * np.round(wave),   # just above the bound ...
    1 + 0.5 * n * eps * np.round(wave),  # ... and just below it
    1e-200 * wave,                      # tiny, and all spread
    wave * 0,
])
assert np.unique(data[0]).size > 1 and np.unique(data[3]).size > 1
rows = np.array([[100.5, 20, 0.2, 1e6 + 1, 1e9 + 1, 1, 1, 1e-200, 3]])
tensors = {"data": data.T}
scaler = StandardScaler().fit(data.T)
tensors.update({"mean": scaler.mean_, "scale": scaler.scale_, "other": rows, "scaled": scaler.transform(rows)})
in_float = data[:4].T.astype(np.float32)
tensors["float/data"] = in_float
tensors["float/scale"] = StandardScaler().fit(in_float).scale_
write("scaling.txt", f"scaling.py, scikit-learn {sklearn.__version__}", tensors)
