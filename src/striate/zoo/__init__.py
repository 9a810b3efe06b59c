"""Named networks, each a notation and a sentence of where it comes from."""

from striate.zoo.networks import ZOO, Entry, named, resolve

__all__ = ["ZOO", "Entry", "named", "resolve"]
