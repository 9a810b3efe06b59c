"""Surgery: operations that make another legal network of one, and take its trained weights over.

Each takes a network and, if there are any, its weights by `node.name`; each returns a `Surgery`. A node
that keeps its weights keeps its name; one that stands for a node without weights is called by its own
word and the first number that is free.
"""

from striate.graph.surgery.convolving import dense_to_conv
from striate.graph.surgery.cutting import cut, freeze, tail, unfreeze, with_input
from striate.graph.surgery.draft import Surgery
from striate.graph.surgery.folding import fold_batchnorm
from striate.graph.surgery.heads import replace_head, with_head
from striate.graph.surgery.lean import lean
from striate.graph.surgery.picturing import for_pictures, with_depth
from striate.graph.surgery.resizing import resized
from striate.graph.surgery.striding import pool_to_stride
from striate.graph.surgery.unrolling import conv_to_dense
from striate.graph.surgery.widening import widen

__all__ = [
    "Surgery",
    "conv_to_dense",
    "cut",
    "dense_to_conv",
    "fold_batchnorm",
    "for_pictures",
    "freeze",
    "lean",
    "pool_to_stride",
    "replace_head",
    "resized",
    "tail",
    "unfreeze",
    "widen",
    "with_depth",
    "with_head",
    "with_input",
]
