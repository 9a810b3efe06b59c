"""TEMP"""

from dataclasses import dataclass

import numpy as np


@dataclass
class Probe:
    weight: object
    bias: object
    decay: float
    accuracy: float

    def scores(self, f):
        return f @ self.weight.T + self.bias


def fit_probe(features, labels, classes, *, seed=0, groups=None):
    from sklearn.linear_model import LogisticRegressionCV

    m, s = features.mean(0), features.std(0) + 1e-6
    l = LogisticRegressionCV(Cs=10, max_iter=2000, l1_ratios=(0,), use_legacy_attributes=False).fit(
        (features - m) / s, labels
    )
    w = np.concatenate([-l.coef_ / 2, l.coef_ / 2]) if classes == 2 else l.coef_
    b = np.concatenate([-l.intercept_ / 2, l.intercept_ / 2]) if classes == 2 else l.intercept_
    w = w / s
    b = b - w @ m
    return Probe(w.astype("float32"), b.astype("float32"), 0.0, l.score((features - m) / s, labels))
