"""Pictures and numbers: where they come from, how they are prepared, split, batched, looked at and checked.

Batches and their augmentation, which alone need torch, are imported when they are first used: looking at
pictures shouldn't wait for it.
"""

from typing import TYPE_CHECKING, Any

from striate.data.binding import Binding, bind, row_width, target_of, wants_pictures
from striate.data.cache import LARGEST_CACHE, wait_for_writing
from striate.data.catalogue import NAMED_SETS
from striate.data.check import Finding, check
from striate.data.deal import WHOLE, Deal
from striate.data.display import displayed
from striate.data.fit import placement
from striate.data.folder import pictures_below
from striate.data.images import IMAGE, LABEL, ArrayPictures, EncodedPictures, Images, Numbers, Pictures, Split
from striate.data.inspection import Inspection, common_size, depth, inspect, median_size
from striate.data.keeping import kept_array
from striate.data.load import load
from striate.data.numbers import class_names, prepare_numbers, prepare_targets
from striate.data.picture import coloured, prepare_picture, read_picture
from striate.data.prepare import prepare_split
from striate.data.readable import LeftOut, without_rows, without_unreadable
from striate.data.shards import rows_of_part
from striate.data.sheet import contact_sheet, examples
from striate.data.splits import SubsetPictures, part, with_held_out
from striate.data.statistics import channel_statistics
from striate.data.xo import XO_CLASSES, xo_symbol

if TYPE_CHECKING:
    from striate.data.augment import Augmentation
    from striate.data.batches import Batches

__all__ = [
    "IMAGE",
    "LABEL",
    "LARGEST_CACHE",
    "NAMED_SETS",
    "WHOLE",
    "XO_CLASSES",
    "ArrayPictures",
    "Augmentation",
    "Batches",
    "Binding",
    "Deal",
    "EncodedPictures",
    "Finding",
    "Images",
    "Inspection",
    "LeftOut",
    "Numbers",
    "Pictures",
    "Split",
    "SubsetPictures",
    "bind",
    "channel_statistics",
    "check",
    "class_names",
    "coloured",
    "common_size",
    "contact_sheet",
    "depth",
    "displayed",
    "examples",
    "inspect",
    "kept_array",
    "load",
    "median_size",
    "part",
    "pictures_below",
    "placement",
    "prepare_numbers",
    "prepare_picture",
    "prepare_split",
    "prepare_targets",
    "read_picture",
    "row_width",
    "rows_of_part",
    "target_of",
    "wait_for_writing",
    "wants_pictures",
    "with_held_out",
    "without_rows",
    "without_unreadable",
    "xo_symbol",
]


def __getattr__(name: str) -> Any:
    if name == "Batches":
        from striate.data.batches import Batches

        return Batches
    if name == "Augmentation":
        from striate.data.augment import Augmentation

        return Augmentation
    raise AttributeError(f"module 'striate.data' has no attribute '{name}'")
