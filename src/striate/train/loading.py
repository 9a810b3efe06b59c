"""A run's network with its weights, ready to answer."""

import torch

from striate.build import NetworkModule, build, load_weights
from striate.graph import Network
from striate.runs import Run
from striate.train.compute import choose_compute


def load_module(
    run: Run, *, weights: str = "best", device: str = "cpu", network: Network | None = None
) -> NetworkModule:
    """The run's network with the weights of its `best` or `last` epoch, ready to answer.

    `network` stands in for one that computes the same with weights of the same names.
    """
    module = build(run.network if network is None else network)
    arrays = run.weights(weights)
    load_weights(module, {name: torch.from_numpy(array) for name, array in arrays.items()})
    return module.to(choose_compute(device, "fp32").device).eval()
