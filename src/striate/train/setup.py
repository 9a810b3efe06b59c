"""From a person's words to what a training needs: data in splits, a prepared network, a settled recipe."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from numpy.typing import NDArray

from striate.core import DataError
from striate.data import Images, channel_statistics, load, prepare_split, with_held_out
from striate.graph import InputLayer, Network
from striate.train.defaults import default_axes, default_recipe, default_words
from striate.train.objective import Objective, objective_of
from striate.train.recipe import Recipe, recipe_of
from striate.zoo import resolve

Reading = Callable[[int, int], None]


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
    reading: Reading,
) -> Setup:
    """Loads, splits and prepares; `changes` are recipe values that go over the recipe's own.

    Raises UsageError when network, data and recipe don't go together, and whatever reading them raises.
    """
    loaded, spec = loaded_images(images)
    _require_classes(loaded)
    if isinstance(network, Network):
        axes = cast("InputLayer", network[network.inputs[0]].layer).axes
    else:
        axes = default_axes(loaded)
    word = default_words(axes)[0] if network is None else network
    made = word if isinstance(word, Network) else _resolved(word, axes, loaded)
    axes = cast("InputLayer", made[made.inputs[0]].layer).axes
    named = default_recipe(axes) if recipe is None else recipe
    followed = (recipe_of(named) if isinstance(named, str) else named).changed(**changes)
    split = with_held_out(loaded, validation=followed.validation, seed=followed.split_seed)
    objective = objective_of(made, split)
    followed = followed.with_epochs_for(len(split.split("train")))
    pixels = prepared_pixels(split, made, reading)
    layer = cast("InputLayer", made[made.inputs[0]].layer)
    if layer.mean is None and layer.deviation is None:
        made = made.with_preparation(*channel_statistics(pixels["train"]))
    return Setup(spec, split, made, _name_of(word), followed, objective, pixels)


def loaded_images(images: Images | str | Path) -> tuple[Images, str]:
    """The data set, and the word by which it can be loaded again from any folder."""
    if isinstance(images, Images):
        return images, images.name
    path = Path(images)
    return load(images), str(path.resolve()) if path.exists() else str(images)


def prepared_pixels(images: Images, network: Network, reading: Reading) -> dict[str, NDArray[Any]]:
    """The pictures of every split as the network's input takes them."""
    layer = cast("InputLayer", network[network.inputs[0]].layer)
    return {
        name: prepare_split(split, layer.shape, layer.fit, progress=reading)
        for name, split in images.splits.items()
    }


def _resolved(word: str, axes: tuple[int, ...], images: Images) -> Network:
    width = len(images.classes) or int(images.split("train").labels.shape[-1])
    return resolve(word, axes=axes, classes=width)


def _require_classes(images: Images) -> None:
    if "train" not in images.splits:
        names = ", ".join(images.splits)
        raise DataError(f"{images.name} has only {names}, no 'train' split; training needs one")
    if images.classes and len(images.classes) < 2:
        raise DataError(f"{images.name} has one class, '{images.classes[0]}'; training needs at least two")


def _name_of(word: Network | str) -> str:
    if isinstance(word, Network):
        return "network"
    stem = Path(word).stem if word.endswith((".json", ".txt")) else word
    return stem if len(stem) <= 40 and all(c.isalnum() or c in "-_." for c in stem) else "network"
