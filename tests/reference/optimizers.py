"""Ten steps of every optimiser, as Keras computes them in double precision.

    pip install keras jax && python optimizers.py

writes optimizers.txt beside it. Every trajectory starts at `start` and sees the rows of `gradient`
one after the other; its own rows are the parameters after each step. The first four parameters are one Keras variable,
the last three another, called the bias.
"""

import os
import pathlib

os.environ["KERAS_BACKEND"] = "jax"  # Keras's optimisers are in double throughout only there
os.environ["JAX_ENABLE_X64"] = "1"

import keras
import numpy as np
from keras import optimizers

import frozen

here = pathlib.Path(__file__).parent
keras.config.set_floatx("float64")
random = np.random.default_rng(1)
start = random.normal(size=7)
# Magnitudes from 1e-4 to 10; the third parameter has no gradient at first, the last one never has.
gradient = random.normal(size=(10, 7)) * np.array([1, 10, 1, 1e-2, 1e-4, 1, 0])
gradient[:4, 2] = 0


def ten_steps(optimizer, without_bias=False):
    kernel, bias = keras.Variable(start[:4]), keras.Variable(start[4:])
    if without_bias:
        optimizer.exclude_from_weight_decay(var_list=[bias])
    optimizer.build([kernel, bias])
    rows = []
    for g in gradient:
        optimizer.apply([keras.ops.array(g[:4]), keras.ops.array(g[4:])])
        rows.append(np.concatenate([np.asarray(kernel.value), np.asarray(bias.value)]))
    return np.stack(rows)


def moving_average(momentum):
    # Of a variable that takes the rows of `gradient` as its values: gradient descent at the rate 1.
    variable = keras.Variable(np.zeros(7))
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=momentum)
    optimizer.build([variable])
    rows = []
    for g in gradient:
        optimizer.apply([variable - keras.ops.array(g)])
        rows.append(np.asarray(optimizer._model_variables_moving_average[0].value).copy())
    return np.stack(rows)


def main():
    tensors = {
        "start": start,
        "gradient": gradient,
        "sgd": ten_steps(optimizers.SGD()),
        "sgd_momentum": ten_steps(optimizers.SGD(0.1, momentum=0.9)),
        "sgd_nesterov": ten_steps(optimizers.SGD(0.1, momentum=0.9, nesterov=True)),
        "sgd_nesterov_alone": ten_steps(optimizers.SGD(0.1, nesterov=True)),
        "sgd_decay": ten_steps(optimizers.SGD(0.1, weight_decay=0.05)),
        "adam": ten_steps(optimizers.Adam()),
        "adam_options": ten_steps(optimizers.Adam(0.1, beta_1=0.8, beta_2=0.95, epsilon=1e-3)),
        "adam_tiny_epsilon": ten_steps(optimizers.Adam(0.1, epsilon=1e-30)),
        "adam_decay": ten_steps(optimizers.Adam(0.1, weight_decay=0.05)),
        "adam_amsgrad": ten_steps(optimizers.Adam(0.1, amsgrad=True)),
        "adam_exponential": ten_steps(optimizers.Adam(optimizers.schedules.ExponentialDecay(0.1, 4, 0.5))),
        "adamw": ten_steps(optimizers.AdamW()),
        "adamw_tiny_epsilon": ten_steps(optimizers.AdamW(0.1, weight_decay=0.5, epsilon=1e-30)),
        "adamw_without_bias": ten_steps(optimizers.AdamW(0.1, weight_decay=0.5), without_bias=True),
        "adamw_amsgrad": ten_steps(optimizers.AdamW(0.1, beta_2=0.5, epsilon=1e-30, amsgrad=True, weight_decay=0.5)),
        "adadelta": ten_steps(optimizers.Adadelta()),
        "adadelta_options": ten_steps(optimizers.Adadelta(1.0, rho=0.9, epsilon=1e-6)),
        "adadelta_decay": ten_steps(optimizers.Adadelta(1.0, weight_decay=0.05)),
        "rmsprop": ten_steps(optimizers.RMSprop()),
        "rmsprop_momentum": ten_steps(optimizers.RMSprop(0.1, rho=0.8, momentum=0.5, epsilon=1e-4)),
        "rmsprop_centered": ten_steps(optimizers.RMSprop(0.1, centered=True, epsilon=1e-3)),
        "rmsprop_all": ten_steps(optimizers.RMSprop(0.1, momentum=0.5, centered=True, weight_decay=0.05)),
        "rmsprop_tiny_epsilon": ten_steps(optimizers.RMSprop(0.1, momentum=0.5, epsilon=1e-30)),
        "adagrad": ten_steps(optimizers.Adagrad()),
        "adagrad_options": ten_steps(optimizers.Adagrad(0.1, initial_accumulator_value=0.0, epsilon=1e-3)),
        "adagrad_decay": ten_steps(optimizers.Adagrad(0.1, weight_decay=0.05)),
        "adagrad_tiny_epsilon": ten_steps(optimizers.Adagrad(0.1, epsilon=1e-30)),
        "moving_average": moving_average(0.99),
    }
    frozen.write(here / "optimizers.txt", f"optimizers.py, Keras {keras.__version__}", tensors)


main()
