"""Layers and losses as PyTorch computes them in double precision. (Debian: python3-torch.)

    python3 layers.py

writes layers.txt, losses.txt and more_layers.txt beside it. Batches are (n, channels) or (n, length, channels), which in memory is one
column per sample here. Every layer NAME has NAME/x, NAME/y, the upstream gradient NAME/dy and what follows from it,
NAME/dx; dense layers also NAME/kernel (in, out), NAME/bias, NAME/dkernel, NAME/dbias. Every loss NAME has the prediction
NAME/x, NAME/target, the value NAME/value (mean over batch and features) and NAME/dx.
"""

import pathlib

import numpy as np
import torch
from torch.nn import functional as F

import frozen

here = pathlib.Path(__file__).parent
made_with = f"layers.py, PyTorch {torch.__version__}"
random = np.random.default_rng(2)


def normal(*shape, scale=1.0):
    return torch.tensor(random.normal(size=shape) * scale, dtype=torch.float64)


def layer(tensors, name, function, x, **weights):
    x.requires_grad_(True)
    for weight in weights.values():
        weight.requires_grad_(True)
    y = function(x, **weights)
    dy = normal(*y.shape)
    y.backward(dy)
    tensors[f"{name}/x"] = x.detach()
    for key, weight in weights.items():
        tensors[f"{name}/{key}"] = weight.detach()
        tensors[f"{name}/d{key}"] = weight.grad
    tensors.update({f"{name}/y": y.detach(), f"{name}/dy": dy, f"{name}/dx": x.grad})


def loss(tensors, name, function, x, target):
    x.requires_grad_(True)
    value = function(x, target)
    value.backward()
    tensors.update({f"{name}/x": x.detach(), f"{name}/target": target, f"{name}/value": value.detach(), f"{name}/dx": x.grad})


def layers():
    tensors = {}

    def dense(x, kernel, bias=0):  # on the channels, at every position of a sequence
        return x @ kernel + bias

    layer(tensors, "dense", dense, normal(5, 4), kernel=normal(4, 3), bias=normal(3))
    layer(tensors, "dense_without_bias", dense, normal(5, 4), kernel=normal(4, 3))
    layer(tensors, "dense_sequence", dense, normal(2, 4, 3), kernel=normal(3, 5), bias=normal(5))
    layer(tensors, "dense_sequence_without_bias", dense, normal(2, 4, 3), kernel=normal(3, 5))
    pointwise = {
        "relu": F.relu,
        "leaky_relu": lambda x: F.leaky_relu(x, 0.3),
        "elu": F.elu,
        "selu": F.selu,
        "gelu": F.gelu,
        "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
        "silu": F.silu,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "softplus": lambda x: F.softplus(x, threshold=1000),  # PyTorch's is linear from its threshold on
    }
    for name, function in pointwise.items():
        x = normal(3, 6, scale=2)
        x[0, 0], x[0, 1], x[0, 2], x[0, 3] = 12.0, -12.0, 30.0, -30.0
        layer(tensors, name, function, x)
    layer(tensors, "softmax", lambda x: F.softmax(x, dim=-1), normal(3, 6, scale=2))
    layer(tensors, "softmax_sequence", lambda x: F.softmax(x, dim=-1), normal(2, 4, 3, scale=2))
    frozen.write(here / "layers.txt", made_with, tensors)


def losses():
    tensors = {}
    shape = (4, 5)
    fraction = lambda: torch.tensor(random.uniform(size=shape), dtype=torch.float64)
    loss(tensors, "mean_squared_error", F.mse_loss, normal(*shape), normal(*shape))
    loss(tensors, "mean_absolute_error", F.l1_loss, normal(*shape), normal(*shape))
    loss(tensors, "huber", F.huber_loss, normal(*shape), normal(*shape))
    loss(tensors, "huber_half", lambda x, t: F.huber_loss(x, t, delta=0.5), normal(*shape), normal(*shape))
    target = fraction()
    target[0, 0], target[0, 1] = 0.0, 1.0
    loss(tensors, "binary_cross_entropy", F.binary_cross_entropy, fraction(), target)
    x = normal(*shape, scale=3)
    x[1, 0], x[1, 1] = 40.0, -40.0
    loss(tensors, "binary_cross_entropy_from_logits", F.binary_cross_entropy_with_logits, x, target)
    frozen.write(here / "losses.txt", made_with, tensors)


def more_layers():
    tensors = {}
    for name, function in {"mish": F.mish, "hard_swish": F.hardswish}.items():
        x = normal(3, 6, scale=2)
        x[0, 0], x[0, 1], x[0, 2], x[0, 3] = 12.0, -12.0, 30.0, -30.0
        layer(tensors, name, function, x)

    def channels_first(function):
        return lambda x, kernel, bias=None: function(x.transpose(1, -1), kernel, bias).transpose(1, -1)

    def group_norm(groups, epsilon):
        return channels_first(lambda x, kernel, bias: F.group_norm(x, groups, kernel, bias, epsilon))

    prelu = channels_first(lambda x, kernel, bias: F.prelu(x, kernel))
    layer(tensors, "prelu", lambda x, kernel: F.prelu(x, kernel), normal(3, 6), kernel=normal(6))
    layer(tensors, "prelu_sequence", prelu, normal(2, 4, 3), kernel=normal(3))
    layer(tensors, "groups_1", group_norm(1, 1e-3), normal(2, 4, 6), kernel=normal(6), bias=normal(6))
    layer(tensors, "groups_3", group_norm(3, 1e-3), normal(2, 4, 6), kernel=normal(6), bias=normal(6))
    layer(tensors, "groups_6", group_norm(6, 0.1), normal(2, 4, 6), kernel=normal(6), bias=normal(6))
    layer(tensors, "groups_vector", group_norm(2, 1e-3), normal(3, 6), kernel=normal(6), bias=normal(6))
    frozen.write(here / "more_layers.txt", made_with, tensors)


layers()
losses()
more_layers()
