"""One of many pictures opened and worked on, where some may be unreadable."""

from collections.abc import Callable
from typing import TypeVar

from PIL import Image

from striate.core import DataError
from striate.data.images import Pictures
from striate.data.picture import PICTURE_ERRORS, RawPicture, reason

Result = TypeVar("Result")


def attempt(pictures: Pictures, index: int, work: Callable[[RawPicture], Result]) -> Result | str:
    """What `work` makes of a picture, or the reason, part of a sentence, why it can't be read.

    Raises DataError, naming the picture, for whatever no unreadable picture should raise.
    """
    try:
        picture = pictures.open(index)
        if not isinstance(picture, Image.Image):
            return work(picture)
        with picture:
            return work(picture)
    except PICTURE_ERRORS as error:
        return reason(error)
    except Exception as error:
        raise DataError(
            f"reading {pictures.name(index)} failed as no picture should "
            f"({type(error).__name__}: {reason(error)}); leave it out"
        ) from error
