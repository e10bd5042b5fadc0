"""Convolutions, poolings, upsamplings and borders over pictures as Keras computes them in double precision.

    pip install keras jax && python pictures.py

writes pictures.txt beside it. Batches are (n, rows, columns, channels), which in memory is one column per sample here.
Every layer NAME has NAME/x, NAME/y, the upstream gradient NAME/dy and what follows from it, NAME/dx; and its weights, if
it has any, NAME/kernel and NAME/bias, NAME/dkernel and NAME/dbias. The names say the sizes: k kernel, s stride, d
dilation, f filters, g groups, then input channels x rows x columns.
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
random = np.random.default_rng(6)
tensors = {}


def normal(*shape):
    """In sixteenths: sums and products then have few digits, and are exact."""
    return np.round(16 * random.normal(size=shape)) / 16


def layer(name, layer, channels, *extents, samples=2):
    x = normal(samples, *extents, channels)
    layer.build(x.shape)
    weights = [normal(*weight.shape) for weight in layer.trainable_weights]
    y, pull = jax.vjp(lambda x, weights: layer.stateless_call(weights, [], x)[0], x, weights)
    dy = normal(*y.shape)
    dx, dweights = pull(dy)
    tensors.update({f"{name}/x": x, f"{name}/y": y, f"{name}/dy": dy, f"{name}/dx": dx})
    for key, weight, gradient in zip(("kernel", "bias"), weights, dweights):
        tensors.update({f"{name}/{key}": weight, f"{name}/d{key}": gradient})


for padding in ("valid", "same"):
    layer(f"conv_f2k3_{padding}", layers.Conv2D(2, 3, padding=padding), 1, 5, 7)
    layer(f"conv_f3k3x2s2x1_{padding}", layers.Conv2D(3, (3, 2), strides=(2, 1), padding=padding), 2, 5, 7)
    layer(f"conv_f2k3x2s2_{padding}", layers.Conv2D(2, (3, 2), strides=2, padding=padding), 2, 4, 6)
    layer(f"conv_f2k2x3d2x1_{padding}", layers.Conv2D(2, (2, 3), dilation_rate=(2, 1), padding=padding), 2, 5, 4)
    layer(f"conv_f4k3x2g2_{padding}", layers.Conv2D(4, (3, 2), groups=2, padding=padding), 6, 4, 5)
    layer(f"transpose_f2k3_{padding}", layers.Conv2DTranspose(2, 3, padding=padding), 1, 4, 3)
    layer(
        f"transpose_f3k3x2s2x1_{padding}", layers.Conv2DTranspose(3, (3, 2), strides=(2, 1), padding=padding), 2, 3, 4
    )
    layer(f"transpose_f2k2x3s1x3_{padding}", layers.Conv2DTranspose(2, (2, 3), strides=(1, 3), padding=padding), 2, 3, 2)
    layer(f"transpose_f1k3s2_{padding}", layers.Conv2DTranspose(1, 3, strides=2, padding=padding), 2, 3, 2)
    for short, kind in (("max", layers.MaxPooling2D), ("average", layers.AveragePooling2D)):
        layer(f"{short}_p2_{padding}", kind(2, padding=padding), 2, 7, 5)
        layer(f"{short}_p3x2s2x1_{padding}", kind((3, 2), strides=(2, 1), padding=padding), 2, 4, 5)
layer("conv_f2k9x7_same", layers.Conv2D(2, (9, 7), padding="same", use_bias=False), 1, 3, 4)
layer("conv1d_f4k3s2g2_same", layers.Conv1D(4, 3, strides=2, groups=2, padding="same"), 6, 7)
layer("up_2x3", layers.UpSampling2D((2, 3)), 2, 3, 2)
layer("bilinear_2x3", layers.UpSampling2D((2, 3), interpolation="bilinear"), 2, 3, 2)
layer("bilinear_4x1", layers.UpSampling2D((4, 1), interpolation="bilinear"), 1, 2, 3)
layer("global_average", layers.GlobalAveragePooling2D(), 3, 4, 2)
layer("zeros_1d", layers.ZeroPadding1D((1, 2)), 2, 3)
layer("zeros_2d", layers.ZeroPadding2D(((1, 2), (0, 3))), 2, 3, 2)
layer("cropping_1d", layers.Cropping1D((1, 2)), 2, 5)
layer("cropping_2d", layers.Cropping2D(((1, 2), (0, 3))), 2, 5, 5)

frozen.write(pathlib.Path(__file__).parent / "pictures.txt", f"pictures.py, Keras {keras.__version__} on JAX", tensors)
