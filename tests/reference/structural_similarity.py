"""Structural similarity of pictures and of parts of noise, as scikit-image computes it, in double precision.

Needs scikit-image and numpy: python3 structural_similarity.py writes structural_similarity.txt.
"""

import pathlib

import frozen
import numpy as np
import skimage
from skimage.metrics import structural_similarity

random = np.random.default_rng(11)
tensors = {}


def case(name, shape, spread, noise):
    x = spread * random.random(shape)
    x[: shape[0] // 2] *= 0.2  # one half is nearly flat
    y = x + noise * spread * random.standard_normal(shape)
    value = structural_similarity(
        x, y, data_range=spread, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=-1
    )
    tensors.update({f"{name}/x": x, f"{name}/y": y, f"{name}/value": value})


case("smallest", (11, 11, 1), 1.0, 0.1)
case("wide", (12, 17, 1), 1.0, 0.5)
case("channels", (15, 13, 3), 255.0, 0.05)

frozen.write(
    pathlib.Path(__file__).parent / "structural_similarity.txt",
    f"structural_similarity.py, scikit-image {skimage.__version__}",
    tensors,
)
