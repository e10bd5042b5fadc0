"""The variational autoencoder of PyTorch's examples, 784-400-20, trained on Fashion-MNIST: Adam 1e-3, batches of 128, three
epochs, cross-entropy summed over pixels plus divergence, per sample. Prints the objective on the test images, with one
draw of each code as that program does, for sixteen seeds, and their mean and standard deviation.

    python3 vae.py [folder of Fashion-MNIST]

Figures in tests/published/variational.cpp are its output under PyTorch 1.13. It takes five minutes.
"""

import gzip
import sys

import numpy
import torch
from torch import nn

folder = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/datasets/fashion-mnist"


def images(name):
    with gzip.open(f"{folder}/{name}-images-idx3-ubyte.gz") as file:
        values = numpy.frombuffer(file.read(), numpy.uint8, offset=16)
    return torch.tensor(values.reshape(-1, 784).astype(numpy.float32) / 255)


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.mean, self.log_variance = nn.Linear(784, 400), nn.Linear(400, 20), nn.Linear(400, 20)
        self.back, self.out = nn.Linear(20, 400), nn.Linear(400, 784)

    def objective(self, x):
        h = torch.relu(self.hidden(x))
        mean, log_variance = self.mean(h), self.log_variance(h)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        y = torch.sigmoid(self.out(torch.relu(self.back(z))))
        cross_entropy = nn.functional.binary_cross_entropy(y, x, reduction="sum")
        divergence = -0.5 * torch.sum(1 + log_variance - mean**2 - log_variance.exp())
        return cross_entropy + divergence


train, test = images("train"), images("t10k")
torch.set_num_threads(1)
objectives = []
for seed in range(1, 17):
    torch.manual_seed(seed)
    model = Vae()
    adam = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(3):
        for batch in torch.randperm(len(train)).split(128):
            adam.zero_grad()
            # The gradient of the sum over the batch, as in that program; Adam does not see the scale.
            model.objective(train[batch]).backward()
            adam.step()
    with torch.no_grad():
        objectives.append(model.objective(test).item() / len(test))
    print(seed, round(objectives[-1], 3), flush=True)
print(f"{len(objectives)} seeds: mean {numpy.mean(objectives):.3f}, standard deviation {numpy.std(objectives, ddof=1):.3f}")
