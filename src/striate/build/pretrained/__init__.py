"""The zoo's networks with the weights that others have published, read as numbers and never as code."""

from striate.build.pretrained.load import pretrained
from striate.build.pretrained.published import PUBLISHED, Published

__all__ = ["PUBLISHED", "Published", "pretrained"]
