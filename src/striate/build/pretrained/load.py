"""From the name of a zoo network and a file of another library's weights to a module that holds them."""

from collections.abc import Sequence
from pathlib import Path

import torch

from striate.build.module import NetworkModule, build
from striate.build.pretrained.files import find_weights, read_state
from striate.build.pretrained.matching import matched
from striate.build.pretrained.published import PUBLISHED
from striate.build.weights import load_weights
from striate.core import UnknownNameError, UsageError
from striate.zoo import ZOO, named


def pretrained(
    name: str,
    weights: Path | str | None = None,
    *,
    axes: Sequence[int] | None = None,
    classes: int | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> NetworkModule:
    """The zoo's network of that name with published weights, prepared as they expect (on ImageNet).

    `weights` is a `.safetensors`, `.pth` or `.pt` file as torchvision or timm save it; without one, an
    installed package and the caches of PyTorch's and Hugging Face's hubs are searched, and nothing is
    downloaded or run. With `classes` other than the file's, the last layer's weights are drawn from `seed`.

    Raises UnknownNameError, UsageError when no weights are known or found, GraphError when the network
    can't be made for `axes`, and RunError when the file is damaged or its weights don't fit.
    """
    if name not in ZOO:
        raise UnknownNameError("network", name, ZOO)
    if name not in PUBLISHED:
        raise UsageError(
            f"no published weights of {name} are known; train it, or choose one of {', '.join(PUBLISHED)}"
        )
    published = PUBLISHED[name]
    network = named(name, axes=axes, classes=classes)
    mean, deviation = published.preparation
    depth = network.nodes[0].shape.depth
    if depth != len(mean):
        raise UsageError(
            f"the published weights of {name} take pictures of depth {len(mean)}, not {depth}; "
            f"give axes such as {ZOO[name].axes}"
        )
    path = find_weights(name, published) if weights is None else Path(weights)
    state = read_state(path)
    module = build(network.with_preparation(mean, deviation), seed=seed)
    load_weights(
        module,
        matched(
            module,
            published,
            state,
            network=name,
            file=str(path),
            may_redraw_head=classes is not None,
        ),
    )
    return module.to(device)
