"""Features: what the frozen body of a network says of every picture, computed once and kept."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from striate.build import NetworkModule, operate, weight_shapes
from striate.data import LARGEST_CACHE, kept_array
from striate.graph import Dropout, Network, SpatialDropout, Weighted, bottlenecks, surgery
from striate.train.distributed import Team
from striate.train.inputs import Arrays
from striate.train.recipe import Recipe
from striate.train.setup import Setup
from striate.train.transfer.body import Body
from striate.train.watching import Quiet

# Counts up when the same body would tell other numbers of the same pictures.
_VERSION = 1
# So few that a layer's volumes stay in the processor's cache; of 8 to 64 this was the fastest on two cores.
_ROWS_ON_CPU, _ROWS = 16, 128
Progress = Callable[[int, int], None]


def frozen_end(network: Network) -> str | None:
    """The last node that everything passes through with nothing but frozen or fixed layers before it.

    None where there is none with weights before it.
    """
    by_name = {node.name: place for place, node in enumerate(network)}
    passes, found, has_weights = set(bottlenecks(network)), None, False
    for node in network.nodes[: max((by_name[name] for name in passes), default=-1) + 1]:
        layer = node.layer
        if isinstance(layer, Weighted) and layer.weights(*network.input_shapes(node)):
            if not layer.frozen:
                break
            has_weights = True
        if isinstance(layer, Dropout | SpatialDropout):
            break
        if node.name in passes and has_weights and node.name not in network.outputs:
            found = node.name
    return found


def is_computed_once(recipe: Recipe) -> bool:
    """Whether a recipe shows each picture in one way, or mirrored, so that what is frozen tells each once."""
    varies = recipe.shift or recipe.crop < 1 or recipe.mixup or recipe.cutmix
    return not (varies or recipe.small < 1 or recipe.teacher)


def frozen_body(module: NetworkModule, setup: Setup, team: Team, watcher: Quiet) -> Body | None:
    """The frozen body of a network that has learned already, where each of its features is computed once.

    None where nothing is frozen, pictures are shown in several ways, or the features would fill the cache.
    """
    at = frozen_end(module.network)
    is_once = setup.start is not None and is_computed_once(setup.recipe) and team.size == 1
    if at is None or not is_once:
        return None
    rows = sum(len(arrays[0]) for arrays in setup.inputs.values())
    if 4 * rows * module.network[at].shape.size > LARGEST_CACHE:
        return None
    return body_of(module, setup, watcher.describing, at, is_mirrored=setup.recipe.flip)


def body_of(
    module: NetworkModule, setup: Setup, progress: Progress, at: str, *, is_mirrored: bool = False
) -> Body:
    """The body up to the node `at` and its features of every split, from the cache where it has them.

    Those of mirrored training pictures too where it `is_mirrored`.
    """
    images, inputs = setup.images, setup.inputs
    views = {name: (name, arrays, "") for name, arrays in inputs.items()}
    if is_mirrored:
        flipped = tuple(array[..., ::-1] if array.ndim == 4 else array for array in inputs["train"])
        views["mirrored"] = ("train", flipped, "mirrored ")
    body = operate(operate(module, surgery.cut, at), surgery.fold_batchnorm).eval()
    total, before = sum(len(arrays[0]) for _, arrays, _ in views.values()), 0
    features: dict[str, Arrays] = {}
    for name, (split, arrays, how) in views.items():
        started = before

        def told(rows: int, started: int = started) -> None:
            progress(started + rows, total)

        axes = (len(arrays[0]), *module.network[at].shape.tensor)
        key = f"{how}{_digest(body)} {images.split(split).digest} {_VERSION}"
        features[name] = (
            kept_array(
                "features", key, axes, lambda out, arrays=arrays, told=told: _fill(body, arrays, out, told)
            ),
        )
        before += len(arrays[0])
    mirrored = features.pop("mirrored", ())
    return Body(at, features, mirrored)


def _fill(body: NetworkModule, arrays: Arrays, out: NDArray[Any], told: Callable[[int], None]) -> None:
    device = next((weight.device for weight in body.parameters()), torch.device("cpu"))
    rows = _ROWS_ON_CPU if device.type == "cpu" else _ROWS
    if len(body.network[body.network.inputs[0]].shape.spatial) == 2:
        body = body.to(memory_format=torch.channels_last)
    with torch.inference_mode():
        for start in range(0, len(out), rows):
            batch = [torch.from_numpy(np.ascontiguousarray(array[start : start + rows])) for array in arrays]
            told_of = body(*(_sent(tensor, device) for tensor in batch))
            out[start : start + rows] = told_of.float().cpu().numpy()
            told(min(start + rows, len(out)))


def _sent(tensor: Tensor, device: torch.device) -> Tensor:
    tensor = tensor.to(device)
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor


def _digest(module: NetworkModule) -> str:
    """A digest of a network with its preparation and weights."""
    digest = sha256(module.network.to_json().encode())
    for node, name, _ in weight_shapes(module):
        tensor = getattr(module[node], name).detach().cpu().contiguous()
        digest.update(f"{node}.{name}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
