"""Networks with the weights that others have published, read as numbers and never as code."""

from striate.build.pretrained.load import has_weights, pretrained, pretrained_from
from striate.build.pretrained.published import PUBLISHED, Published
from striate.build.pretrained.sources import Source

__all__ = ["PUBLISHED", "Published", "Source", "has_weights", "pretrained", "pretrained_from"]
