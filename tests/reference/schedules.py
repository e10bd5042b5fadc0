"""Learning-rate schedules as Keras computes them in double precision: the rates of steps 0 to 13.

    pip install keras tensorflow-cpu && python schedules.py

writes schedules.txt beside it.
"""

import os
import pathlib

os.environ["KERAS_BACKEND"] = "tensorflow"  # Keras has a cosine in double only there

import keras
from keras.optimizers import schedules
from numpy import float64  # a schedule computes in the type of its rate

import frozen

keras.config.set_floatx("float64")
rate, low = float64(0.1), float64(0.02)
rates = {
    "step": schedules.ExponentialDecay(rate, 4, 0.5, staircase=True),
    "exponential": schedules.ExponentialDecay(rate, 4, 0.5),
    "cosine": schedules.CosineDecay(rate, 8, alpha=0.1),
    "cosine_warmup": schedules.CosineDecay(low, 8, alpha=0.1, warmup_target=rate, warmup_steps=3),
}
frozen.write(
    pathlib.Path(__file__).parent / "schedules.txt",
    f"schedules.py, Keras {keras.__version__}",
    {name: [float(schedule(step)) for step in range(14)] for name, schedule in rates.items()},
)
