"""Other people's tensors to our nodes' weights: by name, each shape checked, nothing left over."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from torch import Tensor

from striate.build.module import NetworkModule
from striate.build.pretrained.published import Published
from striate.build.weights import weight_shapes
from striate.core import RunError, quoted


class _Wanted(NamedTuple):
    """A weight: its node, its name there, what the file calls it, and the axes of its tensor."""

    node: str
    weight: str
    key: str
    axes: tuple[int, ...]


def matched(
    module: NetworkModule,
    published: Published,
    state: Mapping[str, Tensor],
    *,
    network: str,
    file: str,
    may_redraw_head: bool,
) -> dict[str, Tensor]:
    """The tensors of `state` under our own names, for `load_weights`; `network` and `file` name them.

    With `may_redraw_head` the last node with weights keeps its own where the file's are for another
    number of classes.

    Raises RunError, which names the node and both shapes, when a tensor is missing, left over, of
    another shape or of whole numbers.
    """
    wanted = list(_wanted(module, published, state))
    head = wanted[-1].node
    weights: dict[str, Tensor] = {}
    for node, weight, key, axes in wanted:
        if key not in state:
            raise RunError(
                f"{file} lacks '{key}' of the shape {axes}, which {node} of {network} takes; "
                f"it belongs to another network"
            )
        if not state[key].is_floating_point():
            raise RunError(
                f"'{key}' of {file} holds {state[key].dtype}, no real numbers; "
                f"give weights that aren't quantized"
            )
        found = tuple(state[key].shape)
        if found == axes:
            weights[f"{node}.{weight}"] = state[key]
        elif may_redraw_head and node == head and len(found) == len(axes) and found[1:] == axes[1:]:
            weights[f"{node}.{weight}"] = getattr(module[node], weight).detach()
        else:
            raise RunError(
                f"'{key}' of {file} has the shape {found} but {node} of {network} takes {axes}; "
                f"give the axes and classes that the file was made for, or another file"
            )
    known = {weight.key for weight in wanted}
    for key in state:
        if (
            key not in known
            and not key.endswith("num_batches_tracked")
            and not key.startswith(published.ignored)
        ):
            raise RunError(
                f"{file} has {quoted(key)}, for which {network} has no node; it belongs to another network"
            )
    return weights


def _wanted(module: NetworkModule, published: Published, state: Mapping[str, Tensor]) -> Iterator[_Wanted]:
    network = module.network

    def known(names: list[str]) -> int:
        return sum(f"{name}.weight" in state for name in names)

    own = [node.name for node in network if node.layer.weights(*network.input_shapes(node))]
    # The authors' names that the file knows best, so that an error tells of the file as it is.
    theirs = max((list(naming(network)) for naming in published.namings), key=known)
    module_of = dict(zip(own, theirs, strict=True))
    for node, weight, axes in weight_shapes(module):
        yield _Wanted(node, weight, f"{module_of[node]}.{weight}", axes)
