"""Named networks, each a notation and a sentence of where it comes from."""

from striate.zoo.entry import Entry
from striate.zoo.networks import ZOO, named, resolve

__all__ = ["ZOO", "Entry", "named", "resolve"]
