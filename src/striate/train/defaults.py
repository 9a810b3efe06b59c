"""What is trained, and how, when a person says no more than which pictures."""

from contextlib import suppress
from typing import cast

from striate.core import DataError, StriateError, UsageError
from striate.data import (
    Images,
    class_names,
    common_size,
    depth,
    median_size,
    row_width,
    target_of,
    wants_pictures,
)
from striate.graph import InputLayer, Layer, Network
from striate.train.recipe import RECIPES, Recipe
from striate.zoo import ZOO, named, resolve

_SMALL = 48
_PHOTO = 128
_STEP = 32
# airnet's first convolution and three pools leave nothing of smaller pictures.
_LEAST_FOR_POOLS = 9


def default_axes(images: Images) -> tuple[int, int, int]:
    """Height, width and depth of the input that pictures ask for.

    The pictures' own size where all have one that isn't large; else a square of about their shorter
    side, at most 128, so that photographs train in minutes on a laptop.

    Raises DataError when no picture can be read.
    """
    channels = depth(images)
    size = common_size(images)
    if size is not None and max(size) <= _PHOTO:
        return (*size, channels)
    median = median_size(images)
    if median is None:
        raise DataError(f"none of {images.name}'s pictures can be read; 'striate data check' tells why")
    side = min(_PHOTO, max(_STEP, min(median) // _STEP * _STEP))
    return (side, side, channels)


def default_words(axes: tuple[int, ...]) -> tuple[str, str]:
    """By name a network of the zoo for pictures of these axes, and a recipe for any such network."""
    if max(axes[:-1]) > _SMALL:
        return "photo", "photo"
    if axes[-1] == 1:
        # Its three unpadded convolutions and two pools need a picture of at least 18 places.
        return ("lecture", "small-grey") if min(axes[:-1]) >= 18 else ("tiny", "tiny")
    return "small-color", "small-color"


def default_network(axes: tuple[int, ...], *, of_classes: bool) -> str:
    """By name the network of the zoo that trains best on pictures of these axes."""
    name = default_words(axes)[0]
    # Its first layer has filters for the directions of a patch of three colours, and no more.
    if name == "small-color" and axes[-1] == 3 and of_classes and min(axes[:-1]) >= _LEAST_FOR_POOLS:
        return "airnet"
    return name


def default_recipe(network: Network) -> Recipe:
    """The recipe for the pictures that a network takes; for other inputs it is that of the smallest pictures.

    `airnet`, whatever it is called, has its own, which alone tells its frozen first layer something.
    """
    if _is_airnet(network) and "regression" not in network.tasks:
        return RECIPES["fast-color"]
    pictures = next((node for node in network.inputs if wants_pictures(network, node)), None)
    if pictures is None:
        return RECIPES["tiny"]
    return RECIPES[default_words(cast("InputLayer", network[pictures].layer).axes)[1]]


def _is_airnet(network: Network) -> bool:
    axes = cast("InputLayer", network[network.inputs[0]].layer).axes
    with suppress(StriateError):  # there is none for such pictures
        airnet = named("airnet", axes=axes, classes=network[network.outputs[0]].shape.depth)
        return _layers(airnet) == _layers(network)
    return False


def _layers(network: Network) -> list[tuple[Layer, list[int]]]:
    """The layers and the places of what they take, without names and the pictures' preparation."""
    places = {node.name: place for place, node in enumerate(network)}
    taken = [(node, [places[name] for name in node.inputs]) for node in network]
    return [(node.layer, places) for node, places in taken if places]


def named_network(word: str | None, images: Images) -> tuple[Network, str]:
    """The network that a word means for a data set, and what it is called; None is the default for pictures.

    Raises UsageError when there is no word and no picture, DataError when there is no column to take, and
    whatever finding the network raises.
    """
    axes = default_axes(images) if images.has_pictures else None
    target = target_of(images, images.columns, alone=images.has_pictures)
    if word is None:
        if axes is None:
            raise UsageError(
                f"{images.name} has no pictures, for which a network would be known; name one with --network"
            )
        word = default_network(axes, of_classes=target is not None and is_of_classes(images, target))
    made = _made(word, images, axes, target)
    # Only the network can say that its output tells another column than the likeliest.
    named = next((node for node in made.outputs if node in images.columns and node != target), None)
    return made if named is None else _made(word, images, axes, named), word


def _made(word: str, images: Images, axes: tuple[int, ...] | None, target: str | None) -> Network:
    """The network that a word means for inputs of these axes, or for rows of all columns but the target."""
    if axes is None and (width := row_width(images, target)) is not None:
        if not width:
            raise DataError(
                f"{images.name} has no column of numbers, beside the one to predict, that every split has; "
                f"give all splits the same columns"
            )
        axes = (width,)
    made = resolve(word, axes=axes, classes=None if target is None else _width(images, target))
    if word in ZOO and target is not None and not is_of_classes(images, target):
        made = Network.parse(f"{made.notation()} | regression")
    return made


def _width(images: Images, target: str) -> int:
    """How many numbers an output needs to tell a column."""
    if is_of_classes(images, target):
        return len(class_names(images, target))
    targets = images.split("train").numbers(target)
    return targets.shape[1] if targets.ndim > 1 else 1


def is_of_classes(images: Images, target: str) -> bool:
    """Whether a column holds classes, not amounts."""
    return images.split("train").numbers(target).dtype.kind != "f"
