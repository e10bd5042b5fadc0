"""Writes categorical_cross_entropy.txt: torch.nn.functional.cross_entropy in double, with its gradients.

−Σ t ln p over the classes, p = softmax(z) or p = q / Σ q, mean over positions and batch.
"""

import torch
from frozen import write

torch.manual_seed(1)
tensors = {}


def case(name, x, target, prediction):
    x.requires_grad_()
    value = -(target * torch.log(prediction(x))).sum(-1).mean()
    expected = torch.nn.functional.cross_entropy(torch.log(prediction(x)).flatten(0, -2), target.flatten(0, -2))
    assert abs(value - expected) < 1e-14
    value.backward()
    tensors.update({name + "/x": x.detach(), name + "/target": target, name + "/value": value.detach(),
                    name + "/dx": x.grad})


def softmax(z):
    return torch.softmax(z, -1)


def normalised(q):
    return q / q.sum(-1, keepdim=True)


def random(*shape):
    return 3 * torch.randn(shape, dtype=torch.float64)


one_hot = torch.nn.functional.one_hot(torch.tensor([3, 0, 4, 1, 1, 2, 4]), 5).double()
case("logits", random(7, 5), one_hot, softmax)
case("sequence", random(6, 4, 3), softmax(random(6, 4, 3)), softmax)
case("probabilities", torch.rand(7, 5, dtype=torch.float64) + 0.01, one_hot, normalised)
write("categorical_cross_entropy.txt", f"categorical_cross_entropy.py, PyTorch {torch.__version__}", tensors)
