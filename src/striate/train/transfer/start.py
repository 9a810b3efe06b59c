"""What a training begins from that doesn't begin from new weights: a network with a head of its own.

A trained network is cut, gets a head for the new classes, and is frozen but for what is to be trained.
"""

import re
from collections.abc import Mapping
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
from striate.train.transfer.source import AUTO, best_present, source_of

HEAD, ALL = "head", "all"
_LAST = re.compile(r"last ([1-9][0-9]{0,2})")


@dataclass(frozen=True)
class Start:
    """The weights that a training begins with, by `node.weight`, and where they came from.

    Those of the head are drawn anew where they lack. `is_begun` says that they are a training's own, which
    has found its head already.
    """

    weights: Mapping[str, Tensor]
    origin: Origin
    is_begun: bool = False


@dataclass(frozen=True)
class Transfer:
    """The wish to begin with what the network `source` has learned (`source.source_of`).

    It is taken over up to the node `cut`, by default the one whose volume its own head takes, with a mean
    over all places and a new dense layer for the classes behind. Of this is trained what `tune` says: the
    `head`, the head and the `last N` stages before it (`graph.stages`), or `all`. Nobody asked for it where
    it `is_asked` isn't set: then it is for photographs alone.

    Raises UsageError when `tune` says nothing of this kind.
    """

    source: str
    cut: str | None = None
    tune: str = HEAD
    is_asked: bool = True

    def __post_init__(self) -> None:
        if self.tune not in (HEAD, ALL) and not _LAST.fullmatch(self.tune):
            raise UsageError(
                f"what is trained is head, last N (such as last 1) or all, not {quoted(self.tune)}; "
                f"choose one of them"
            )

    @property
    def recipe(self) -> str:
        """The recipe by which this is trained where nobody names one."""
        return "head" if self.tune == HEAD else "finetune"

    def suits(self, images: Images) -> bool:
        """Whether it is best where nobody says how: photographs in colour, and weights on this machine."""
        if not images.has_pictures or best_present() is None:
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
        require_depth(images, source.module.network)
        network, weights, at = self._operated(source.module, len(class_names(images, target)))
        return network, source.name, Start(weights, source.origin.model_copy(update={"cut": at}))

    def _operated(self, module: NetworkModule, classes: int) -> tuple[Network, dict[str, Tensor], str]:
        """The network with its new head and what is frozen, the weights taken over, and where it was cut."""
        at = feature_node(module.network) if self.cut is None else module.network[self.cut].name
        trained = operate(module, surgery.unfreeze)
        weights = weights_of(trained)
        network = surgery.with_head(trained.network, at, classes).network
        if (last := _last_frozen(network, at, self.tune)) is not None:
            network = surgery.freeze(network, last).network
        head = network.outputs[0]
        kept = {node.name for node in network} - {head}
        return network, {key: one for key, one in weights.items() if key.rpartition(".")[0] in kept}, at


def wished(
    source: str | Path | None, cut: str | None, tune: str | None, changes: Mapping[str, Any], *, is_free: bool
) -> Transfer | None:
    """What a training is to begin with; None being new weights. Without a `source` it `is_free` what.

    Raises UsageError when there is a `cut` or something to `tune` and nothing to begin with.
    """
    if source is None and (cut is not None or tune is not None):
        word = "cut" if tune is None else "tune"
        raise UsageError(
            f"{word} is of a network that has learned already; name it with --from, or take {word} out"
        )
    if source is None and not is_free:
        return None
    # The head alone takes seconds, so what is left of a time is for what stands before it.
    usual = HEAD if changes.get("time") is None else "last 1"
    return Transfer(AUTO if source is None else str(source), cut, tune or usual, is_asked=source is not None)


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


def require_depth(images: Images, network: Network) -> None:
    """Raises UsageError when pictures aren't as deep as those that the network was trained on."""
    layer = cast("InputLayer", network[network.inputs[0]].layer)
    if len(network.inputs) > 1 or layer.tokens or len(layer.shape.spatial) != 2:
        raise UsageError("a network to begin with takes one picture; name another")
    if layer.axes[-1] != depth(images):
        raise UsageError(
            f"{images.name} has pictures of depth {depth(images)} and the network takes {layer.axes[-1]}"
        )
