"""Trains two convolutional autoencoders of Fashion-MNIST in PyTorch and prints their test losses, which stand in
tests/published/r14_picture_models.cpp.

The nets are those of benchmarks/step: the blog net of Keras (Chollet 2016) on the first 12 000 pictures, and the strided net of the
variational autoencoder in TensorFlow's and Keras's examples, without sampling, on the first 4 000; ten epochs, binary
cross-entropy, Adam with Keras's defaults, batches of 128, Keras's first values and its padding.

Needs PyTorch (1.13, Debian's python3-torch) and Debian's dataset-fashion-mnist; takes a quarter of an hour on one core.
"""

import gzip
import pathlib

import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
FOLDER = pathlib.Path("/usr/share/datasets/fashion-mnist")


def pictures(name):
    with gzip.open(FOLDER / f"{name}-images-idx3-ubyte.gz") as file:
        data = np.frombuffer(file.read(), np.uint8, offset=16)
    return torch.from_numpy(data.reshape(-1, 1, 28, 28).astype(np.float32) / 255)


class CutEnd(nn.Module):
    """Keras cuts a transposed convolution of stride 2 at the end."""

    def forward(self, x):
        return x[:, :, :-1, :-1]


def conv(inputs, outputs, padding=1):
    return nn.Conv2d(inputs, outputs, 3, padding=padding)


def down(inputs, outputs):
    return nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(inputs, outputs, 3, stride=2))


def up(inputs, outputs):
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 3, stride=2), CutEnd())


def blog():
    pool, relu = nn.MaxPool2d(2, ceil_mode=True), nn.ReLU()
    larger = nn.Upsample(scale_factor=2)
    return nn.Sequential(
        conv(1, 16), relu, pool, conv(16, 8), relu, pool, conv(8, 8), relu, pool,
        conv(8, 8), relu, larger, conv(8, 8), relu, larger, conv(8, 16, 0), relu, larger, conv(16, 1), nn.Sigmoid(),
    )  # fmt: skip


def strided():
    relu = nn.ReLU()
    return nn.Sequential(
        down(1, 32), relu, down(32, 64), relu, nn.Flatten(), nn.Linear(3136, 16), nn.Linear(16, 3136), relu,
        nn.Unflatten(1, (64, 7, 7)), up(64, 64), relu, up(64, 32), relu, nn.ConvTranspose2d(32, 1, 3, padding=1),
        nn.Sigmoid(),
    )  # fmt: skip


def first_values(module):
    if hasattr(module, "weight"):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


def test_loss(net, count, seed):
    torch.manual_seed(seed)
    train, test = pictures("train")[:count], pictures("t10k")
    model = net()
    model.apply(first_values)
    adam = torch.optim.Adam(model.parameters(), 1e-3, eps=1e-7)
    loss = nn.BCELoss()
    for _ in range(10):
        for batch in torch.randperm(count).split(128):
            x = train[batch]
            adam.zero_grad()
            loss(model(x), x).backward()
            adam.step()
    with torch.no_grad():
        losses = [loss(model(x), x).item() * len(x) for x in test.split(500)]
    print(net.__name__, seed, sum(losses) / len(test), flush=True)
    return sum(losses) / len(test)


for net, count in ((strided, 4000), (blog, 12000)):
    losses = [test_loss(net, count, seed) for seed in range(6)]
    parameters = sum(p.numel() for p in net().parameters())
    print(f"{net.__name__}: {parameters} parameters, mean {np.mean(losses):.6f}, deviation {np.std(losses, ddof=1):.6f}")
