"""The work of hourglass_time_to_quality done by PyTorch of today: see there for the net and for what is printed.

    time_to_quality.py [--compile] [--target ERROR] [--epochs MOST] [--threads N] [--seed N] [--data DIR]

Weights, rate, batches and Adam's epsilon are the same rules; random numbers are PyTorch's own. `--compile` is
torch.compile, whose compiling is on no clock.
"""

import argparse
import gzip
import os
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--compile", action="store_true")
parser.add_argument("--target", type=float, default=12)
parser.add_argument("--epochs", type=int, default=30)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
arguments = parser.parse_args()

os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(arguments.threads)  # read when torch is loaded

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

WIDTHS = [784, 1000, 500, 250, 30, 250, 500, 1000, 784]
BATCH, CHECKS = 256, 5


def pictures(name):
    path = os.path.join(arguments.data, name)
    with gzip.open(path + ".gz") if os.path.exists(path + ".gz") else open(path, "rb") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16)
    return torch.from_numpy(pixels.reshape(-1, 784).astype(np.float32) / 255)


def net():
    layers = []
    for place, (inputs, outputs) in enumerate(zip(WIDTHS, WIDTHS[1:])):
        dense = nn.Linear(inputs, outputs)
        nn.init.xavier_uniform_(dense.weight)
        nn.init.zeros_(dense.bias)
        layers.append(dense)
        if outputs != 30:
            layers.append(nn.Sigmoid() if place == len(WIDTHS) - 2 else nn.ReLU())
    return nn.Sequential(*layers)


def main():
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    train, test = pictures("train-images-idx3-ubyte"), pictures("t10k-images-idx3-ubyte")
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, eps=1e-7)
    forward = torch.compile(model) if arguments.compile else model
    if arguments.compile:
        F.mse_loss(forward(train[:BATCH]), train[:BATCH]).backward()
        F.mse_loss(forward(train[: len(train) % BATCH]), train[: len(train) % BATCH]).backward()

    batches = -(-len(train) // BATCH)
    on_clock = on_processor = 0
    steps, error = 0, float("inf")
    while error > arguments.target and steps < arguments.epochs * batches:
        clock, processor = time.perf_counter(), time.process_time()
        order = torch.randperm(len(train))
        for begin in range(0, len(train), BATCH):
            x = train[order[begin : begin + BATCH]]
            optimizer.zero_grad()
            F.mse_loss(forward(x), x).backward()
            optimizer.step()
            steps += 1
            if steps % (batches // CHECKS) == 0:
                on_clock += time.perf_counter() - clock
                on_processor += time.process_time() - processor
                with torch.inference_mode():
                    error = 784 * F.mse_loss(model(test), test).item()
                if error <= arguments.target:
                    break
                clock, processor = time.perf_counter(), time.process_time()

    reached = error <= arguments.target
    print(f"test_error {error:.3f} a picture{'' if reached else ': NOT REACHED'}")
    print(f"time_to_quality {on_clock:.2f} s")
    print(f"processor_time_to_quality {on_processor:.2f} s")
    print(f"epochs_to_quality {steps / batches:.2f} epochs")
    sys.exit(0 if reached else 1)


main()
