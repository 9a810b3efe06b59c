"""From a person's words to what a training needs: data in splits, a prepared network, a settled recipe."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from striate.core import DataError, RunError, UsageError, units
from striate.data import NAMED_SETS, Images, channel_statistics, load, prepare_split, with_held_out
from striate.graph import BatchNorm, InputLayer, Network
from striate.runs import Run
from striate.train.defaults import default_axes, default_recipe, default_words
from striate.train.objective import Objective, objective_of
from striate.train.recipe import Recipe, checked, recipe_of
from striate.train.watching import Quiet
from striate.zoo import ZOO, resolve

_MOST_LISTED = 8


@dataclass(frozen=True)
class Setup:
    """What is trained on what, and how; `pixels` holds each split's pictures, (N, C, H, W)."""

    spec: str
    images: Images
    network: Network
    network_name: str
    recipe: Recipe
    objective: Objective
    pixels: dict[str, NDArray[Any]]

    def labels(self, split: str) -> NDArray[Any]:
        """The labels of a split: (N,) classes or (N, K) targets."""
        return self.images.split(split).labels

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
) -> Setup:
    """Loads, splits and prepares; `changes` are recipe values that go over the recipe's own.

    Raises UsageError when network, data and recipe don't go together, and whatever reading them raises.
    """
    loaded, spec = loaded_images(images, watcher)
    _require_classes(loaded)
    if isinstance(network, Network):
        axes = cast("InputLayer", network[network.inputs[0]].layer).axes
    else:
        axes = default_axes(loaded)
    word = default_words(axes)[0] if network is None else network
    made = word if isinstance(word, Network) else _resolved(word, axes, loaded)
    objective = objective_of(made, loaded)
    axes = cast("InputLayer", made[made.inputs[0]].layer).axes
    named = default_recipe(axes) if recipe is None else recipe
    followed = (recipe_of(named) if isinstance(named, str) else named).changed(**changes)
    _require_batch(made, followed.batch)
    split = with_held_out(loaded, validation=followed.validation, seed=followed.split_seed)
    followed = followed.with_epochs_for(len(split.split("train")))
    pixels = prepared_pixels(split, made, watcher)
    layer = cast("InputLayer", made[made.inputs[0]].layer)
    if layer.mean is None and layer.deviation is None:
        floats = pixels["train"].dtype != np.uint8
        made = made.with_preparation(*channel_statistics(pixels["train"]), floats=floats)
    return Setup(spec, split, made, _name_of(word), followed, objective, pixels)


def loaded_images(images: Images | str | Path, watcher: Quiet | None = None) -> tuple[Images, str]:
    """The data set, and the word by which it can be loaded again from any folder."""
    if isinstance(images, Images):
        return images, images.name
    loaded, path = load(images, progress=(watcher or Quiet()).downloading), Path(images)
    is_path = images not in NAMED_SETS and path.exists()
    return loaded, str(path.resolve()) if is_path else str(images)


def images_of(run: Run, images: Images | None = None, watcher: Quiet | None = None) -> Images:
    """The data that a run was trained on, loaded again and split as they were then.

    Raises RunError when they are other data by now: another split would mix what was trained on with
    what is tested.
    """
    manifest = run.manifest
    recipe = checked(manifest.recipe, f"the recipe in {run.folder.manifest}")
    loaded, _ = loaded_images(manifest.data.spec if images is None else images, watcher)
    split = with_held_out(loaded, validation=recipe.validation, seed=recipe.split_seed)
    known, counts = manifest.data, {name: len(part) for name, part in split.splits.items()}
    if counts != known.counts:
        change = f"its splits were {listed_counts(known.counts)}, now they are {listed_counts(counts)}"
    elif list(split.classes) != known.classes:
        change = (
            f"its classes were {listed_classes(known.classes)}, now they are {listed_classes(split.classes)}"
        )
    elif digests_of(split) != known.digests:
        change = "some pictures or labels have changed since"
    else:
        return split
    raise RunError(f"{known.spec} isn't what {run.path} was trained on: {change}; restore the data")


def digests_of(images: Images) -> dict[str, str]:
    """A digest of each split's pictures and labels."""
    return {name: split.digest for name, split in images.splits.items()}


def listed_counts(counts: dict[str, int]) -> str:
    """The splits' sizes as a message shows them."""
    return ", ".join(f"{name} {units.count(count)}" for name, count in counts.items())


def listed_classes(names: Sequence[str]) -> str:
    """The first classes as a message shows them."""
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return (", ".join(names[:_MOST_LISTED]) + more) or "none"


def prepared_pixels(images: Images, network: Network, watcher: Quiet) -> dict[str, NDArray[Any]]:
    """The pictures of every split as the network's input takes them."""
    layer = cast("InputLayer", network[network.inputs[0]].layer)
    return {
        name: prepare_split(split, layer.shape, layer.fit, progress=watcher.reading)
        for name, split in images.splits.items()
    }


def _resolved(word: str, axes: tuple[int, ...], images: Images) -> Network:
    width = len(images.classes) or int(images.split("train").labels.shape[-1])
    made = resolve(word, axes=axes, classes=width)
    if word in ZOO and not images.classes:
        return Network.parse(f"{made.notation()} | regression")
    return made


def _require_classes(images: Images) -> None:
    if "train" not in images.splits:
        names = ", ".join(images.splits)
        raise DataError(f"{images.name} has only {names}, no 'train' split; training needs one")
    if len(images.classes) == 1:
        raise DataError(f"{images.name} has one class, '{images.classes[0]}'; training needs at least two")


def _require_batch(network: Network, batch: int) -> None:
    for node in network:
        if batch == 1 and isinstance(node.layer, BatchNorm) and node.shape.places == 1:
            raise UsageError(
                f"'{node.name}' is a batch norm of single numbers, which a batch of 1 gives no deviation; "
                f"give --batch 2 or more"
            )


def _name_of(word: Network | str) -> str:
    if isinstance(word, Network):
        return "network"
    stem = Path(word).stem if word.endswith((".json", ".txt")) else word
    return stem if len(stem) <= 40 and all(c.isalnum() or c in "-_." for c in stem) else "network"
