"""Writes code_distances.txt: sklearn.covariance.LedoitWolf and sklearn.neighbors.NearestNeighbors on made-up codes.

Also scores combined by their rarity, Fisher's sum of -ln p with Hill's tail, written down once more with numpy alone.
"""

import numpy as np
import sklearn
from frozen import write
from sklearn.covariance import LedoitWolf
from sklearn.neighbors import NearestNeighbors

generator = np.random.default_rng(1)
mixed = generator.normal(size=(6, 6))
train = (generator.normal(size=(150, 6)) @ mixed + 3).round(3)
test = (2 * generator.normal(size=(9, 6)) @ mixed + 3).round(3)
tensors = {"train": train, "test": test}

estimate = LedoitWolf().fit(train)
tensors.update({"mean": estimate.location_, "covariance": estimate.covariance_, "shrinkage": estimate.shrinkage_,
                "mahalanobis": np.sqrt(estimate.mahalanobis(test))})
few = LedoitWolf().fit(train[:4])  # fewer samples than values
tensors.update({"few/shrinkage": few.shrinkage_, "few/mahalanobis": np.sqrt(few.mahalanobis(test))})

neighbors = NearestNeighbors(n_neighbors=4, algorithm="brute").fit(train)
for name, (distances, indices) in {"neighbors": neighbors.kneighbors(test), "own": neighbors.kneighbors()}.items():
    tensors.update({f"{name}/distances": distances, f"{name}/indices": indices})


def rarity(normal, scores):
    n, count = len(normal), round(len(normal) / 10)
    u = np.sort(normal)[-count - 1]
    exponent = count / np.log(normal[normal > u] / u).sum()
    p = [((normal > s).sum() + (normal == s).sum() / 2) / n if s <= u else count / n * (s / u) ** -exponent for s in scores]
    return -np.log(p)


kinds = [np.sqrt(estimate.mahalanobis(train)), neighbors.kneighbors()[0].mean(axis=1)]
scores = [np.sqrt(estimate.mahalanobis(test)), neighbors.kneighbors(test)[0].mean(axis=1)]
tensors["combined"] = sum(rarity(*pair) for pair in zip(kinds, scores))
tensors["combined/train"] = sum(rarity(kind, kind) for kind in kinds)
write("code_distances.txt", f"code_distances.py, scikit-learn {sklearn.__version__}", tensors)
