"""What a training begins from that doesn't begin from new weights: a network with a head of its own.

A trained network is cut, gets a head for the new classes, and is frozen but for what is to be trained.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from striate.build import NetworkModule, operate, weights_of
from striate.core import DownloadProgress, UsageError, quoted
from striate.data import Images, class_names, depth, target_of
from striate.graph import InputLayer, Network, feature_node, stages, surgery
from striate.runs import Origin
from striate.train.defaults import default_axes, default_words, is_of_classes
from striate.train.transfer.source import AUTO, source_of

HEAD, ALL = "head", "all"
_LAST = re.compile(r"last ([1-9][0-9]{0,2})")
_SIZE = re.compile(r"([1-9][0-9]{0,4})(?:x([1-9][0-9]{0,4}))?")


@dataclass(frozen=True)
class Start:
    """The weights that a training begins with, by `node.weight`, and where they came from.

    Those of the head are drawn anew where they lack. `is_begun` says that they are a training's own, which
    has found its head already, and `changed` how the network was made to fit the pictures.
    """

    weights: Mapping[str, Tensor]
    origin: Origin
    is_begun: bool = False
    changed: str = ""


@dataclass(frozen=True)
class Transfer:
    """The wish to begin with what the network `source` has learned (`source.source_of`).

    It is taken over up to the node `cut`, by default the one whose volume its own head takes, with a mean
    over all places and a new dense layer for the classes behind. Of this is trained what `tune` says: the
    `head`, the head and the `last N` stages before it (`graph.stages`), or `all`. Pictures are shown to it
    in `size`, such as `160` or `120x160`, by default in that which it has learned from. Where `is_asked`
    isn't set nobody has asked for it, and it is for photographs alone.

    Raises UsageError when `tune` says nothing of this kind.
    """

    source: str
    cut: str | None = None
    tune: str = HEAD
    size: str | None = None
    is_asked: bool = True

    def __post_init__(self) -> None:
        if self.tune not in (HEAD, ALL) and not _LAST.fullmatch(self.tune):
            raise UsageError(
                f"what is trained is head, last N (such as last 1) or all, not {quoted(self.tune)}; "
                f"choose one of them"
            )
        if self.size is not None and not _SIZE.fullmatch(self.size):
            raise UsageError(
                f"a size is a height and a width such as 160 or 120x160, not {quoted(self.size)}"
            )

    @property
    def recipe(self) -> str:
        """The recipe by which this is trained where nobody names one."""
        return "head" if self.tune == HEAD else "finetune"

    def suits(self, images: Images) -> bool:
        """Whether it is best where nobody says how and weights are at hand: for photographs in colour."""
        if not images.has_pictures:
            return False
        target = target_of(images, images.columns, alone=True)
        axes = default_axes(images)
        is_photo = default_words(axes)[0] == "photo" and axes[-1] == 3
        return is_photo and target is not None and is_of_classes(images, target)

    def begun(self, images: Images, progress: DownloadProgress | None = None) -> tuple[Network, str, Start]:
        """The network that is trained on a data set, what it is called, and what it begins with.

        Raises UsageError when the data have no pictures or classes, there are no weights, or not so many
        stages; UnknownNameError when `cut` is no node; RunError when the weights are damaged.
        """
        target = target_of(images, images.columns, alone=images.has_pictures)
        if not images.has_pictures or target is None or not is_of_classes(images, target):
            raise UsageError(
                f"{images.name} has no pictures with classes, which --from is for; train from new weights"
            )
        source = source_of(self.source, progress)
        axes = self._axes(images, source.module.network)
        changed = surgery.for_pictures(source.module.network, axes).changed
        module = fitted(source.module, axes)
        network, weights, at = self._operated(module, len(class_names(images, target)))
        start = Start(weights, source.origin.model_copy(update={"cut": at}), changed=changed)
        return network, source.name, start

    def _axes(self, images: Images, network: Network) -> tuple[int, ...]:
        """Height, width and depth of the pictures that the network is to take."""
        layer = cast("InputLayer", network[network.inputs[0]].layer)
        if len(network.inputs) > 1 or layer.tokens or len(layer.shape.spatial) != 2:
            raise UsageError("only a network that takes one picture can be begun with; name another")
        size = layer.shape.spatial
        if self.size is not None and (told := _SIZE.fullmatch(self.size)):
            size = (int(told[1]), int(told[2] or told[1]))
        return (*size, depth(images))

    def _operated(self, module: NetworkModule, classes: int) -> tuple[Network, dict[str, Tensor], str]:
        """The network with its new head and what is frozen, the weights taken over, and where it was cut."""
        at = feature_node(module.network) if self.cut is None else module.network[self.cut].name
        weights = weights_of(module)
        network = surgery.with_head(surgery.unfreeze(module.network).network, at, classes).network
        if (last := _last_frozen(network, at, self.tune)) is not None:
            network = surgery.freeze(network, last).network
        head = network.outputs[0]
        kept = {node.name for node in network} - {head}
        return network, {key: one for key, one in weights.items() if key.rpartition(".")[0] in kept}, at


def fitted(module: NetworkModule, axes: Sequence[int]) -> NetworkModule:
    """The module for pictures of other axes, or itself; raises GraphError when it can't be made to fit."""
    own = module.network[module.network.inputs[0]].layer
    if cast("InputLayer", own).axes == tuple(axes):
        return module
    return operate(module, surgery.for_pictures, tuple(axes))


def wished(
    source: str | Path | None,
    cut: str | None,
    tune: str | None,
    size: str | None,
    changes: Mapping[str, Any],
    *,
    is_free: bool,
) -> Transfer | None:
    """What a training is to begin with; None being new weights. Without a `source` it `is_free` what.

    Raises UsageError when there is a `cut`, a `size` or something to `tune` and nothing to begin with.
    """
    given = {"cut": cut, "tune": tune, "size": size}
    if source is None and (word := next((name for name, one in given.items() if one is not None), None)):
        raise UsageError(
            f"{word} is of a network that has learned already; name it with --from, or take {word} out"
        )
    if source is None and not is_free:
        return None
    # The head alone takes seconds, so what is left of a time is for what stands before it.
    usual = HEAD if changes.get("time") is None else "last 1"
    return Transfer(
        AUTO if source is None else str(source), cut, tune or usual, size, is_asked=source is not None
    )


def _last_frozen(network: Network, at: str, tune: str) -> str | None:
    """The last node that stays as it is; None when none does."""
    if tune == ALL:
        return None
    if tune == HEAD:
        return at
    count, found = int(tune.removeprefix("last ")), stages(network)
    if count >= len(found):
        raise UsageError(
            f"the network has {len(found)} stages before its head, so 'last {count}' leaves none frozen; "
            f"say all, or fewer"
        )
    return found[-count - 1].end
