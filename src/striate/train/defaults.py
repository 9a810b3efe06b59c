"""What is trained, and how, when a person says no more than which pictures."""

from striate.core import DataError
from striate.data import Images, common_size, depth, median_size
from striate.train.recipe import RECIPES, Recipe

_SMALL = 48
_PHOTO = 128
_STEP = 32


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
    """The zoo's network and the recipe for pictures of these axes, by name."""
    if max(axes[:-1]) > _SMALL:
        return "photo", "photo"
    if axes[-1] == 1:
        # Its three unpadded convolutions and two pools need a picture of at least 18 places.
        return ("lecture", "small-grey") if min(axes[:-1]) >= 18 else ("tiny", "tiny")
    return "small-color", "small-color"


def default_recipe(axes: tuple[int, ...]) -> Recipe:
    """The recipe for pictures of these axes."""
    return RECIPES[default_words(axes)[1]]
