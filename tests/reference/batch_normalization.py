"""Batch normalisation as Keras computes it on JAX, in double precision. (PyPI: keras, jax.)

    KERAS_BACKEND=jax JAX_ENABLE_X64=1 python3 batch_normalization.py

writes batch_normalization.txt beside it: three training steps with Keras's defaults on batches of (n, length, channels).
Step STEP has STEP/x, STEP/y, the upstream gradient STEP/dy and what follows from it, STEP/dx, STEP/dgamma, STEP/dbeta; and
the moving averages after it, STEP/mean and STEP/variance. gamma and beta are those of all steps; `evaluated` is step 2's
x in evaluation, with the averages after that step. What goes in is exact in single precision too.
"""

import pathlib

import jax
import keras
import numpy as np
from keras.src import backend

import frozen

# Keras casts what it normalises to single precision, which would put its own rounding into the reference.
backend.result_type = lambda *types: "float64"

random = np.random.default_rng(7)
layer = keras.layers.BatchNormalization(dtype="float64")
layer.build((None, 4, 3))
gamma, beta = layer.trainable_variables
gamma.assign(np.float32(random.normal(size=3)))
beta.assign(np.float32(random.normal(size=3)))
tensors = {"gamma": np.asarray(gamma.value), "beta": np.asarray(beta.value)}
weights = [gamma.value, beta.value]
state = [variable.value for variable in layer.non_trainable_variables]
for step in range(3):
    x = np.float64(np.float32(random.normal(size=(5, 4, 3)) * [1, 4, 0.2] + [0, 2, -3]))
    dy = np.float64(np.float32(random.normal(size=(5, 4, 3))))

    def forward(x, weights):
        return layer.stateless_call(weights, state, x, training=True)

    y, back, after = jax.vjp(forward, x, weights, has_aux=True)
    dx, (dgamma, dbeta) = back(dy)
    state = after
    found = {"x": x, "y": y, "dy": dy, "dx": dx, "dgamma": dgamma, "dbeta": dbeta, "mean": state[0], "variance": state[1]}
    tensors.update({f"{step}/{name}": np.asarray(value) for name, value in found.items()})
tensors["evaluated"] = np.asarray(layer.stateless_call(weights, state, x, training=False)[0])
frozen.write(
    pathlib.Path(__file__).with_suffix(".txt"),
    f"batch_normalization.py, Keras {keras.__version__} on JAX {jax.__version__}",
    tensors,
)
