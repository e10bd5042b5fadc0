"""Keras's tutorial "Timeseries anomaly detection using an Autoencoder" in PyTorch, 24 seeds: what the figures printed by
tests/published/r6_keras_timeseries.cpp are compared with. (Debian: python3-torch.)

    python3 series_model.py NAB

reads art_daily_small_noise.csv and art_daily_jumpsup.csv from the folder NAB and prints for each seed the best validation
loss, the number of epochs, the threshold, and how many of the windows 2702 … 3094, and of the others, are flagged; then the
median and the range of the validation losses. Padding, initial weights and Adam's epsilon are Keras's.
"""

import csv
import pathlib
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

LENGTH, FIRST, LAST = 288, 2702, 3094


class SameConv(nn.Conv1d):
    """Stride 2, kernel 7, even length: five zeros, two of them at the beginning."""

    def forward(self, x):
        return super().forward(F.pad(x, (2, 3)))


class SameTransposed(nn.ConvTranspose1d):
    def forward(self, x):
        length = x.shape[-1] * self.stride[0]
        y = super().forward(x)
        left = (y.shape[-1] - length) // 2
        return y[..., left : left + length]


def make_model():
    model = nn.Sequential(
        SameConv(1, 32, 7, 2), nn.ReLU(), nn.Dropout(0.2), SameConv(32, 16, 7, 2), nn.ReLU(),
        SameTransposed(16, 16, 7, 2), nn.ReLU(), nn.Dropout(0.2), SameTransposed(16, 32, 7, 2), nn.ReLU(),
        SameTransposed(32, 1, 7, 1),
    )
    for layer in model:
        if hasattr(layer, "weight"):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    assert sum(p.numel() for p in model.parameters()) == 9505
    return model


def read(path):
    with open(path, encoding="ascii") as file:
        return np.array([float(row["value"]) for row in csv.DictReader(file)])


def windows(series):
    cut = np.lib.stride_tricks.sliding_window_view(series, LENGTH)
    return torch.tensor(cut[:, None, :].astype(np.float32))


def rebuild(model, x):
    with torch.no_grad():
        return torch.cat([model(part) for part in x.split(512)])


def run(x, unseen, seed):
    torch.manual_seed(seed)
    model = make_model()
    train, validation = x[: len(x) * 9 // 10], x[len(x) * 9 // 10 :]
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
    best, waited, epochs = np.inf, 0, 0
    while epochs < 50 and waited < 5:
        epochs += 1
        model.train()
        for batch in torch.randperm(len(train)).split(128):
            adam.zero_grad()
            F.mse_loss(model(train[batch]), train[batch]).backward()
            adam.step()
        model.eval()
        loss = F.mse_loss(rebuild(model, validation), validation).item()
        best, waited = (loss, 0) if loss < best else (best, waited + 1)
    threshold = (rebuild(model, x) - x).abs().mean(dim=(1, 2)).max()
    flagged = (rebuild(model, unseen) - unseen).abs().mean(dim=(1, 2)) > threshold
    inside = int(flagged[FIRST : LAST + 1].sum())
    print(f"seed {seed}: val loss {best:.4f}, {epochs} epochs, threshold {threshold:.4f}, "
          f"{inside} of {LAST - FIRST + 1} windows, {int(flagged.sum()) - inside} others", flush=True)
    return best


def main():
    folder = pathlib.Path(sys.argv[1])
    series = read(folder / "art_daily_small_noise.csv")
    mean, std = series.mean(), series.std()
    x = windows((series - mean) / std)
    unseen = windows((read(folder / "art_daily_jumpsup.csv") - mean) / std)
    losses = sorted(run(x, unseen, seed) for seed in range(1, 25))
    print(f"val loss: median {np.median(losses):.4f}, {losses[0]:.4f} to {losses[-1]:.4f}")


main()
