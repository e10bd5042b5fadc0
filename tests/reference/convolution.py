"""Convolutions, poolings and layer normalisation as Keras computes them in double precision.

    pip install keras jax && python convolution.py

writes convolution.txt beside it. Batches are (n, length, channels), which in memory is one column per sample here. Every
layer NAME has NAME/x, NAME/y, the upstream gradient NAME/dy and what follows from it, NAME/dx; and its weights, if it has
any, NAME/kernel and NAME/bias (layer normalisation: gamma and beta under these names), NAME/dkernel and NAME/dbias. The
names say the sizes: k kernel, s stride, d dilation, f filters, then input channels x length.
"""

import os
import pathlib

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import jax
import keras
import numpy as np
from keras import layers

import frozen

keras.config.set_floatx("float64")
random = np.random.default_rng(5)
tensors = {}


def normal(*shape):
    """In sixteenths: sums and products then have few digits, and are exact."""
    return np.round(16 * random.normal(size=shape)) / 16


def record(name, forward, x, weights):
    y, pull = jax.vjp(forward, x, weights)
    dy = normal(*y.shape)
    dx, dweights = pull(dy)
    tensors.update({f"{name}/x": x, f"{name}/y": y, f"{name}/dy": dy, f"{name}/dx": dx})
    for key, weight, gradient in zip(("kernel", "bias"), weights, dweights):
        tensors.update({f"{name}/{key}": weight, f"{name}/d{key}": gradient})


def layer(name, layer, channels, length, x=None):
    x = normal(2, length, channels) if x is None else x
    layer.build(x.shape)
    weights = [normal(*weight.shape) for weight in layer.trainable_weights]
    record(name, lambda x, weights: layer.stateless_call(weights, [], x)[0], x, weights)


def normalization(name, epsilon, channels, length):
    """Keras's own has only single precision on JAX; this is JAX's."""

    def forward(x, weights):
        return jax.nn.standardize(x, axis=-1, epsilon=epsilon) * weights[0] + weights[1]

    x = normal(2, length, channels)
    record(name, forward, x, [normal(channels), normal(channels)])


def convolution(kind, f, k, s, padding, d, channels, length, **options):
    short = {layers.Conv1D: "conv", layers.Conv1DTranspose: "transpose"}[kind]
    name = f"{short}_f{f}k{k}s{s}{padding}d{d}_{channels}x{length}"
    layer(name, kind(f, k, strides=s, padding=padding, dilation_rate=d, **options), channels, length)


for kind in (layers.Conv1D, layers.Conv1DTranspose):
    for padding in ("valid", "same"):
        convolution(kind, 2, 3, 1, padding, 1, 1, 7)
        convolution(kind, 3, 3, 2, padding, 1, 2, 7)
        convolution(kind, 3, 3, 2, padding, 1, 2, 8)
        convolution(kind, 2, 4, 2, padding, 1, 3, 8)
        convolution(kind, 5, 7, 3, padding, 1, 2, 11)
        convolution(kind, 2, 2, 3, padding, 1, 2, 9)
        convolution(kind, 2, 1, 2, padding, 1, 3, 6)
        convolution(kind, 3, 3, 1, padding, 2, 2, 9)
        convolution(kind, 2, 4, 1, padding, 2, 1, 8)
    convolution(kind, 2, 9, 1, "same", 1, 2, 5)
    convolution(kind, 2, 9, 2, "same", 1, 2, 4)
    convolution(kind, 17, 3, 2, "same", 1, 5, 12, use_bias=False)

for short, kind in (("max", layers.MaxPooling1D), ("average", layers.AveragePooling1D)):
    for pool, s, padding, length in (
        (2, 2, "valid", 8),
        (2, 2, "valid", 7),
        (3, 2, "valid", 8),
        (2, 3, "valid", 8),
        (2, 2, "same", 7),
        (3, 2, "same", 8),
        (3, 2, "same", 7),
        (4, 1, "same", 6),
    ):
        layer(f"{short}_p{pool}s{s}{padding}_2x{length}", kind(pool, strides=s, padding=padding), 2, length)
ties = np.array([1.0, 1.0, 0.5, 2.0, -1.0, -1.0, -3.0, -2.0]).reshape(1, 8, 1)
layer("max_ties", layers.MaxPooling1D(2), 1, 8, ties)
layer("up_2", layers.UpSampling1D(2), 2, 3)
layer("up_3", layers.UpSampling1D(3), 1, 4)
normalization("normalization_5", 1e-3, 5, 3)
normalization("normalization_1", 0.1, 1, 3)
for f, k, s, d, channels, length in ((3, 3, 1, 1, 2, 7), (3, 3, 2, 1, 2, 7), (2, 4, 2, 1, 3, 8), (5, 7, 3, 1, 2, 11), (3, 3, 1, 2, 2, 9),
                                     (2, 4, 1, 3, 1, 8), (2, 9, 1, 1, 2, 5)):
    convolution(layers.Conv1D, f, k, s, "causal", d, channels, length)

frozen.write(
    pathlib.Path(__file__).parent / "convolution.txt", f"convolution.py, Keras {keras.__version__} on JAX", tensors
)
