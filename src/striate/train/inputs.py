"""What a network's inputs take and its outputs are to tell, as arrays, split by split.

Legend: N rows, C depth, K targets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from striate.core import DataError
from striate.data import (
    Binding,
    Images,
    channel_statistics,
    prepare_numbers,
    prepare_split,
    prepare_targets,
    wants_pictures,
    without_unreadable,
)
from striate.graph import Embedding, InputLayer, Network
from striate.train.objective import Objective
from striate.train.watching import Quiet

Arrays: TypeAlias = tuple[NDArray[Any], ...]

_MOST_NAMED = 3


def prepared_inputs(images: Images, network: Network, binding: Binding, watcher: Quiet) -> dict[str, Arrays]:
    """For every split an array for each input: pictures (N, C, H, W), numbers or tokens (N, C, *spatial).

    Raises DataError when a column can't be what its input takes.
    """
    return {
        split: tuple(
            _input(images, split, network, node, binding.inputs[node], watcher) for node in network.inputs
        )
        for split in images.splits
    }


def readable(
    images: Images, network: Network, binding: Binding, watcher: Quiet
) -> tuple[Images, dict[str, list[int]]]:
    """The data set without the rows whose pictures can't be read, and these rows by split; says which.

    Raises DataError when nothing is left of a split.
    """
    columns = {
        binding.inputs[node][0]: cast("InputLayer", network[node].layer)
        for node in network.inputs
        if wants_pictures(network, node)
    }
    shapes = {column: (layer.shape, layer.fit) for column, layer in columns.items()}
    rest, left_out = without_unreadable(images, shapes, progress=watcher.reading)
    rows: dict[str, list[int]] = {}
    for one in left_out:
        rows.setdefault(one.split, []).append(one.row)
    if left_out:
        more = f" and {len(left_out) - _MOST_NAMED} more" if len(left_out) > _MOST_NAMED else ""
        watcher.say(
            f"rows left out whose pictures can't be read: {len(left_out)}: "
            f"{', '.join(map(str, left_out[:_MOST_NAMED]))}{more}"
        )
    return rest, rows


def targets_of(images: Images, split: str, objective: Objective) -> Arrays:
    """What the outputs are to tell of a split: class indices (N,) or numbers (N, K) for each."""
    return tuple(prepare_targets(images, split, goal.column, len(goal.classes)) for goal in objective.goals)


def with_preparations(network: Network, inputs: Sequence[NDArray[Any]]) -> Network:
    """The network with the training split's mean and deviation in every input that brings none of its own.

    An input that brings both says from then on whether it was trained on floats beyond 0 to 1.
    """
    for node, array in zip(network.inputs, inputs, strict=True):
        layer = cast("InputLayer", network[node].layer)
        if layer.mean is None and layer.deviation is None and not layer.tokens:
            mean, deviation = channel_statistics(array)
            floats = array.dtype != np.uint8
            network = network.with_preparation(mean, deviation, floats=floats, input=node)
        elif layer.mean is not None and layer.deviation is not None and _exceeds_bytes(array):
            network = network.with_preparation(layer.mean, layer.deviation, floats=True, input=node)
    return network


def require_scale(images: Images, network: Network, inputs: Mapping[str, Arrays]) -> None:
    """Raises DataError when pictures are of other numbers than those that gave the network its mean.

    Bytes count as 0 to 1, so floats of that range may stand in for them.
    """
    for split, arrays in inputs.items():
        for node, array in zip(network.inputs, arrays, strict=True):
            layer = cast("InputLayer", network[node].layer)
            if not wants_pictures(network, node) or layer.mean is None or layer.deviation is None:
                continue
            where = f"'{node}' of split '{split}' of {images.name}"
            if layer.floats and array.dtype == np.uint8:
                raise DataError(
                    f"{where} holds bytes, but the network was trained on floats, whose scale they don't "
                    f"tell; give floats of the same scale"
                )
            if not layer.floats and _exceeds_bytes(array):
                raise DataError(
                    f"{where} holds floats from {array.min():g} to {array.max():g}, but the network was "
                    f"trained on bytes; give bytes, or floats from 0 to 1"
                )


def with_variances(objective: Objective, images: Images) -> Objective:
    """The objective of several outputs, which weighs each regression target by its variance in `train`.

    A target that doesn't vary counts as it is.
    """
    if objective.only is not None:
        return objective
    goals = [
        replace(goal, variances=tuple(float(v) or 1.0 for v in targets.astype(np.float64).var(axis=0)))
        if goal.is_regression
        else goal
        for goal, targets in zip(objective.goals, targets_of(images, "train", objective), strict=True)
    ]
    return replace(objective, goals=tuple(goals))


def _input(
    images: Images, split: str, network: Network, node: str, columns: Sequence[str], watcher: Quiet
) -> NDArray[Any]:
    layer = cast("InputLayer", network[node].layer)
    pictures = images.split(split).columns[columns[0]]
    if wants_pictures(network, node) and not isinstance(pictures, np.ndarray):
        return prepare_split(pictures, layer.shape, layer.fit, progress=watcher.reading)
    return prepare_numbers(images, split, columns, layer, _vocabulary(network, node))


def _exceeds_bytes(array: NDArray[Any]) -> bool:
    """Whether these are other numbers than bytes, which count as 0 to 1, could say."""
    return array.dtype != np.uint8 and bool(array.min() < 0 or array.max() > 1)


def _vocabulary(network: Network, input: str) -> int | None:
    """How many tokens every embedding that reads an input knows; None where none reads it."""
    readers = [node.layer for node in network if input in node.inputs]
    return min((layer.vocabulary for layer in readers if isinstance(layer, Embedding)), default=None)
