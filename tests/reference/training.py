"""Ten training steps of two small autoencoders in double precision. (Debian: python3-torch.)

    python3 training.py

writes training.txt beside it: for each net NAME the data NAME/x, the initial weights NAME/kernel1, NAME/bias1, …, the loss
NAME/loss before each of the ten steps on the whole of x, and the weights after them, NAME/kernel1_after, …

Gradients are PyTorch's. The optimisers are Keras's formulas, written out here (PyTorch places Adam's epsilon elsewhere)
and compared with Keras's own ten steps in optimizers.txt first.
"""

import pathlib

import numpy as np
import torch
from torch.nn import functional as F

import frozen

here = pathlib.Path(__file__).parent
random = np.random.default_rng(3)


class Adam:
    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
        self.rate, self.beta_1, self.beta_2, self.epsilon = learning_rate, beta_1, beta_2, epsilon
        self.t, self.m, self.v = 0, 0, 0

    def step(self, theta, g):
        self.t += 1
        self.m = self.m + (g - self.m) * (1 - self.beta_1)
        self.v = self.v + (g * g - self.v) * (1 - self.beta_2)
        alpha = self.rate * np.sqrt(1 - self.beta_2**self.t) / (1 - self.beta_1**self.t)
        return theta - alpha * self.m / (self.v**0.5 + self.epsilon)


class Sgd:
    def __init__(self, learning_rate, momentum):
        self.rate, self.momentum, self.m = learning_rate, momentum, 0

    def step(self, theta, g):
        self.m = self.m * self.momentum - g * self.rate
        return theta + self.m


def compare_with_keras():
    keras = frozen.read(here / "optimizers.txt")
    for name, optimizer in {"adam": Adam(), "sgd_momentum": Sgd(0.1, 0.9)}.items():
        theta = keras["start"]
        for g, after in zip(keras["gradient"], keras[name]):
            theta = optimizer.step(theta, g)
            assert np.abs(theta - after).max() < 1e-14, name


def train(tensors, name, sizes, activations, loss, x, optimizer):
    """Dense layers sizes[0], sizes[1], …, an activation after each."""
    weights = {}
    for k, (inputs, outputs) in enumerate(zip(sizes, sizes[1:]), start=1):
        limit = np.sqrt(6 / (inputs + outputs))
        weights[f"kernel{k}"] = torch.tensor(random.uniform(-limit, limit, size=(inputs, outputs)))
        weights[f"bias{k}"] = torch.tensor(random.uniform(-0.1, 0.1, size=outputs))
    tensors[f"{name}/x"] = x
    tensors.update({f"{name}/{key}": weight.clone() for key, weight in weights.items()})
    optimizers, losses = {key: optimizer() for key in weights}, []
    for _ in range(10):
        for weight in weights.values():
            weight.grad = None
            weight.requires_grad_(True)
        y = x
        for k, activation in enumerate(activations, start=1):
            y = activation(y @ weights[f"kernel{k}"] + weights[f"bias{k}"])
        value = loss(y, x)
        value.backward()
        losses.append(value.item())
        weights = {key: optimizers[key].step(weight.detach(), weight.grad) for key, weight in weights.items()}
    tensors[f"{name}/loss"] = losses
    tensors.update({f"{name}/{key}_after": weight for key, weight in weights.items()})


def main():
    compare_with_keras()
    tensors = {}
    x = torch.tensor(random.uniform(size=(8, 6)))
    train(tensors, "adam", [6, 4, 6], [F.relu, torch.sigmoid], F.binary_cross_entropy, x, lambda: Adam(0.01))
    train(tensors, "sgd_momentum", [6, 5, 3, 5, 6], [torch.sigmoid] * 4, F.mse_loss, x, lambda: Sgd(0.5, 0.9))
    frozen.write(here / "training.txt", f"training.py, PyTorch {torch.__version__}", tensors)


main()
