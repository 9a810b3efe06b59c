"""What nodes of a trained network say of new pictures: features, one forward pass for all nodes.

Legend: N pictures, F features, C depth, H height, W width.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from striate.build import NetworkModule
from striate.core import DataError, UsageError
from striate.data import Images, SubsetPictures, class_names, depth, prepare_split, prepare_targets, target_of
from striate.graph import InputLayer
from striate.train import Source, fitted, require_scale

# So few that volumes stay in the processor's cache.
_ROWS_ON_CPU, _ROWS = 16, 128
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Described:
    """Pictures by what nodes say of them: `features[split][node]` (N, F), and `labels[split]` (N,).

    `rows` are the pictures' places in their split.
    """

    source: str
    data: str
    classes: tuple[str, ...]
    rows: dict[str, NDArray[np.int64]]
    labels: dict[str, NDArray[np.int64]]
    features: dict[str, dict[str, NDArray[np.float32]]]

    @property
    def held(self) -> str | None:
        """The split that answers are judged on; None without one."""
        return next((name for name in ("test", "val") if name in self.labels), None)


def describe(
    source: Source,
    images: Images,
    nodes: Sequence[str],
    *,
    most: int | None = None,
    progress: Progress | None = None,
) -> Described:
    """The features that nodes of a trained network have for `train` and for the split that is judged.

    Pictures are prepared as the network's own input prepares them. A volume with places counts by the mean of
    each channel over them. Of a split are taken at most so many rows, evenly spread. `progress(done, count)`
    is told of the pictures.

    Raises UsageError when the data have no pictures with classes, GraphError when the network can't be made
    to take their depth, and DataError when they have no `train`.
    """
    network = source.module.network
    target = target_of(images, images.columns, alone=images.has_pictures)
    if not images.has_pictures or target is None:
        raise UsageError(
            f"{images.name} has no pictures with classes, which probes tell apart; name other data"
        )
    if "train" not in images.splits:
        raise DataError(f"{images.name} has no split 'train' to fit a probe to; add one")
    if most is not None and most < 2:
        raise UsageError(f"{most} rows tell no classes apart; take 2 or more")
    layer = cast("InputLayer", network[network.inputs[0]].layer)
    module = fitted(source.module, (*layer.axes[:-1], depth(images)))
    classes = class_names(images, target)
    layer = cast("InputLayer", module.network[network.inputs[0]].layer)
    held = next((name for name in ("test", "val") if name in images.splits), None)
    rows, labels, pixels = {}, {}, {}
    for split in ("train", *([held] if held else [])):
        told = prepare_targets(images, split, target, len(classes))
        count = len(told) if most is None else min(most, len(told))
        rows[split] = np.arange(count) * len(told) // count
        labels[split] = told[rows[split]]
        pictures = images.split(split).pictures
        # All of a split are prepared, and kept, once for every use.
        some = pictures if count == len(told) else SubsetPictures(pictures, rows[split], shared=False)
        pixels[split] = prepare_split(some, layer.shape, layer.fit)
    require_scale(images, module.network, {split: (array,) for split, array in pixels.items()})
    total, before = sum(map(len, pixels.values())), 0
    features: dict[str, dict[str, NDArray[np.float32]]] = {}
    for split, array in pixels.items():

        def tell(done: int, before: int = before) -> None:
            if progress is not None:
                progress(before + done, total)

        features[split] = pooled(module, array, nodes, tell)
        before += len(array)
    return Described(source.name, images.name, classes, rows, labels, features)


def pooled(
    module: NetworkModule,
    pixels: NDArray[np.generic],
    nodes: Sequence[str],
    told: Callable[[int], None] = lambda done: None,
) -> dict[str, NDArray[np.float32]]:
    """What each node says of prepared pictures (N, C, H, W): (N, F), of a volume the means over its places.

    The module is put in evaluation mode and left in the mode it was in.
    """
    weights = next(module.parameters(), None)
    device = torch.device("cpu") if weights is None else weights.device
    size = _ROWS_ON_CPU if device.type == "cpu" else _ROWS
    network = module.network
    found = {node: np.empty((len(pixels), network[node].shape.depth), np.float32) for node in nodes}
    was_training = module.training
    module.eval()
    try:
        with torch.inference_mode():
            for start in range(0, len(pixels), size):
                part = slice(start, min(start + size, len(pixels)))
                batch = torch.from_numpy(np.ascontiguousarray(pixels[part])).to(device)
                _, kept = module(batch.contiguous(memory_format=torch.channels_last), keep=list(nodes))
                for node in nodes:
                    volume = kept[node].float()
                    mean = volume.flatten(2).mean(dim=2) if volume.ndim > 2 else volume
                    found[node][part] = mean.cpu().numpy()
                told(part.stop)
    finally:
        module.train(was_training)
    return found
