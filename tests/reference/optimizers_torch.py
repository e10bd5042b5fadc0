"""Recomputes with PyTorch those trajectories of optimizers.txt whose formulas coincide, and fails if they differ.

PyTorch places epsilon elsewhere in Adam, RMSprop and Adagrad: those are compared with an epsilon that does not count.
Adadelta and gradient descent are the same as they stand. (Debian: python3-torch.)
"""

import pathlib
import sys

import numpy as np
import torch

import frozen

numbers = frozen.read(pathlib.Path(__file__).parent / "optimizers.txt")


def ten_steps(optimizer, *args, **options):
    theta = torch.tensor(numbers["start"], dtype=torch.float64, requires_grad=True)
    stepper = optimizer([theta], *args, **options)
    rows = []
    for g in numbers["gradient"]:
        theta.grad = torch.tensor(g)
        stepper.step()
        rows.append(theta.detach().numpy().copy())
    return np.stack(rows)


optim = torch.optim
same = {
    "sgd": ten_steps(optim.SGD, lr=0.01),
    "sgd_momentum": ten_steps(optim.SGD, lr=0.1, momentum=0.9),
    "sgd_nesterov": ten_steps(optim.SGD, lr=0.1, momentum=0.9, nesterov=True),
    "adam_tiny_epsilon": ten_steps(optim.Adam, lr=0.1, eps=1e-30),
    "adamw_tiny_epsilon": ten_steps(optim.AdamW, lr=0.1, weight_decay=0.5, eps=1e-30),
    "adamw_amsgrad": ten_steps(optim.AdamW, lr=0.1, betas=(0.9, 0.5), eps=1e-30, amsgrad=True, weight_decay=0.5),
    "adadelta": ten_steps(optim.Adadelta, lr=0.001, rho=0.95, eps=1e-7),
    "adadelta_options": ten_steps(optim.Adadelta, lr=1.0, rho=0.9, eps=1e-6),
    "rmsprop_tiny_epsilon": ten_steps(optim.RMSprop, lr=0.1, alpha=0.9, momentum=0.5, eps=1e-30),
    "adagrad_tiny_epsilon": ten_steps(optim.Adagrad, lr=0.1, initial_accumulator_value=0.1, eps=1e-30),
}
differences = {name: np.abs(rows - numbers[name]).max() for name, rows in same.items()}
for name, difference in differences.items():
    print(f"{name:24} {difference:.1e}")
sys.exit(int(max(differences.values()) > 1e-12))
