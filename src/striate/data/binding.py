"""Which column of a data set feeds which input of a network, and which is what an output is to tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from striate.core import UsageError
from striate.data.images import LABEL, ArrayPictures, Images, Split
from striate.data.splits import SubsetPictures
from striate.graph import InputLayer, Network


@dataclass(frozen=True)
class Binding:
    """For each input the columns that it takes, side by side, and for each output its column, by node."""

    inputs: Mapping[str, tuple[str, ...]]
    outputs: Mapping[str, str]

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is used, each once."""
        taken = [name for columns in self.inputs.values() for name in columns]
        return tuple(dict.fromkeys([*taken, *self.outputs.values()]))


def bind(
    network: Network,
    images: Images,
    *,
    answers: bool = True,
    known: Mapping[str, Sequence[str]] | None = None,
) -> Binding:
    """Finds each input's and each output's column by its name, and what has no name by what is left.

    A column with the name of an input or output belongs to it. Of the rest, the only output without a
    column takes `label`, or the only column that can be meant; the only input of pictures without one
    the first column of pictures; the only other input all columns of numbers but `label`, side by side, or,
    when it isn't a row, arrays that were read as pictures, such as signals (N, L, C). `answers` False leaves
    the outputs out. `known` are the columns that inputs took in training: several are taken again by their
    names, so that another order in another file swaps none.

    Raises UsageError when an input or output is left without a column, or one of several known is missing.
    """
    left = dict.fromkeys(images.columns)
    inputs: dict[str, tuple[str, ...]] = {node: (node,) for node in network.inputs if node in left}
    inputs = _taken_again(images, known or {}) | inputs
    outputs = {node: node for node in network.outputs if answers and node in left}
    for name in [*(name for columns in inputs.values() for name in columns), *outputs]:
        left.pop(name, None)
    unfed = [node for node in network.inputs if node not in inputs]
    unasked = [node for node in network.outputs if answers and node not in outputs]
    if len(unasked) == 1:
        takes_numbers = any(not wants_pictures(network, node) for node in unfed)
        column = target_of(images, tuple(left), alone=not takes_numbers)
        if column is not None:
            outputs[unasked[0]] = column
            left.pop(column)
    for node in (node for node in network.outputs if answers and node not in outputs):
        raise _without_column(f"output '{node}'", node, images)
    for of_pictures in (True, False):
        nodes = [node for node in unfed if wants_pictures(network, node) == of_pictures]
        columns = [name for name in left if _is_array(images, name) != of_pictures and name != LABEL]
        if not columns and not of_pictures and len(nodes) == 1 and network[nodes[0]].shape.spatial:
            columns = [name for name in left if _is_decoded(images, name)][:1]
        if len(nodes) == 1 and columns:
            inputs[nodes[0]] = tuple(columns[:1] if of_pictures else columns)
            for name in inputs[nodes[0]]:
                del left[name]
    _require_fed(network, images, inputs, tuple(left))
    # In the network's order, which is that in which its module takes them.
    return Binding(
        {node: inputs[node] for node in network.inputs},
        {node: outputs[node] for node in network.outputs} if answers else {},
    )


def target_of(images: Images, columns: tuple[str, ...], *, alone: bool) -> str | None:
    """The column among these that an output without a name is to tell; None when several could be meant.

    It is `label`, or the only array of one number a row, or, where no input takes numbers (`alone`), the
    only array.
    """
    if LABEL in columns:
        return LABEL
    arrays = [name for name in columns if _is_array(images, name)]
    single = [name for name in arrays if _axes(images, name) == ()]
    for candidates in (single, arrays if alone else []):
        if len(candidates) == 1:
            return candidates[0]
    return None


def row_width(images: Images, target: str | None) -> int | None:
    """How many numbers a row has beside its target, for a network that doesn't say; None for pictures."""
    widths = [_axes(images, name) for name in images.columns if name != target]
    if images.has_pictures or any(len(axes) > 1 for axes in widths):
        return None
    return sum(axes[0] if axes else 1 for axes in widths)


def wants_pictures(network: Network, node: str) -> bool:
    """Whether an input takes pictures: whatever has a height and a width and isn't tokens."""
    layer = network[node].layer
    return isinstance(layer, InputLayer) and len(layer.shape.spatial) == 2 and not layer.tokens


def _taken_again(images: Images, known: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The known columns of each input; a lone one that has another name now is left to be found anew."""
    taken: dict[str, tuple[str, ...]] = {}
    for node, columns in known.items():
        missing = [name for name in columns if name not in images.columns]
        if not missing:
            taken[node] = tuple(columns)
        elif len(columns) > 1:
            raise UsageError(
                f"input '{node}' was trained on {', '.join(columns)}, but {images.name} has no "
                f"'{missing[0]}', only {', '.join(images.columns)}; give it all of these columns"
            )
    return taken


def _require_fed(
    network: Network, images: Images, inputs: Mapping[str, tuple[str, ...]], left: tuple[str, ...]
) -> None:
    for node in network.inputs:
        if node in inputs:
            continue
        shape = network[node].shape
        is_unread = node in images.unread
        if len(network.inputs) == 1 and left and not is_unread and not wants_pictures(network, node):
            raise UsageError(
                f"the network's input is {shape}, but pictures are height×width×depth; "
                f"begin with a size such as 28x28x1"
            )
        raise _without_column(f"input '{node}' of {shape}", node, images)


def _without_column(what: str, node: str, images: Images) -> UsageError:
    if node in images.unread:
        return UsageError(f"{what} can't take the column '{node}' of {images.name}: it {images.unread[node]}")
    unread = f" ({', '.join(images.unread)} can't be used)" if images.unread else ""
    return UsageError(
        f"{what} has no column in {images.name}, which has {', '.join(images.columns)}{unread}; "
        f"give the {what.split()[0]} the name of its column"
    )


def _is_array(images: Images, name: str) -> bool:
    return isinstance(_sample(images).columns[name], np.ndarray)


def _axes(images: Images, name: str) -> tuple[int, ...]:
    """The axes of a row's entry in a column of numbers."""
    column = _sample(images).columns[name]
    return column.shape[1:] if isinstance(column, np.ndarray) else ()


def _is_decoded(images: Images, name: str) -> bool:
    """Whether a column is an array that was read as pictures."""
    column = _sample(images).columns[name]
    return isinstance(column.base if isinstance(column, SubsetPictures) else column, ArrayPictures)


def _sample(images: Images) -> Split:
    return next(iter(images.splits.values()))
