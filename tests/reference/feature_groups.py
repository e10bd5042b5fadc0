"""Writes feature_groups.txt: losses by torch.nn.functional in double, with their gradients.

A column is a sample; missing targets are NaN, written as 99. Masked losses are a mean over what is there of each sample,
mean over all samples.
"""

import torch
from frozen import write
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

torch.manual_seed(2)
tensors = {}
nan = float("nan")


def case(name, x, target, loss):
    x.requires_grad_()
    value = loss(x, target)
    value.backward()
    tensors.update({name + "/x": x.detach(), name + "/target": target.nan_to_num(99), name + "/value": value.detach(),
                    name + "/dx": x.grad})


def random(*shape):
    return 2 * torch.randn(shape, dtype=torch.float64)


def one_hot(*classes):
    return torch.nn.functional.one_hot(torch.tensor(classes), 3).double()


def masked(terms, x, target):
    """terms(x, target): one for each feature; of those there, the mean in each sample."""
    there = ~target.isnan()
    each = torch.where(there, terms(x, torch.where(there, target, torch.zeros_like(target))), torch.zeros_like(x))
    return (each.sum(1) / there.sum(1).clamp(min=1)).mean()


def squares(x, target):
    return (x - target) ** 2


def binary(x, target):
    return binary_cross_entropy_with_logits(x, target, reduction="none")


weights = torch.tensor([0.5, 2, 1.25], dtype=torch.float64)
kinds = one_hot(0, 2, 1, 1, 0)
case("class_weights", random(5, 3), kinds, lambda x, t: cross_entropy(x, t, weight=weights))
case("class_weights_smoothed", random(5, 3), kinds,
     lambda x, t: cross_entropy(x, t, weight=weights, label_smoothing=0.1))

gaps = random(5, 4)
gaps[0, 1], gaps[2, :], gaps[3, 0], gaps[3, 1] = nan, nan, nan, nan
case("masked_squares", random(5, 4), gaps, lambda x, t: masked(squares, x, t))

numbers, answers = random(5, 2), torch.tensor([[1, 0], [0, 0], [1, nan], [nan, nan], [0, 1]], dtype=torch.float64)
numbers[1, 0] = nan
present = kinds.clone()
present[3, :] = nan


def groups(x, target):
    sure = [0, 1, 2, 4]  # samples whose category is known
    return (masked(squares, x[:, :2], target[:, :2])
            + 0.5 * cross_entropy(x[sure, 2:5], target[sure, 2:5], label_smoothing=0.1) * len(sure) / len(x)
            + 2 * masked(binary, x[:, 5:], target[:, 5:]))


case("groups", random(5, 7), torch.cat([numbers, present, answers], 1), groups)
write("feature_groups.txt", f"feature_groups.py, PyTorch {torch.__version__}", tensors)
