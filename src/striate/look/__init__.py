"""Looking inside: what filters see, why an answer was given, where a network fails.

from striate.look.deconvnet import ReluRule, rectifiers, relu_rule
from striate.look.embedding import EmbeddingMap, EmbeddingMethod, embedding, embedding_method
from striate.look.filters import Filters, LearnedFilter, filters
from striate.look.maps import FeatureMaps, feature_maps
from striate.look.maximize import MadePicture, Maxima, Maximum, maximize
from striate.look.mosaic import png_of
from striate.look.nodes import last_detector, node_with_maps
from striate.look.patches import Patch, Patches, ProjectedPatch, strongest_patches
from striate.look.sampling import Sample, sample
from striate.look.stats import ActivationStats, NodeStats, activation_stats
from striate.look.subject import Shown, Subject

__all__ = [
    "ActivationStats",
    "EmbeddingMap",
    "EmbeddingMethod",
    "FeatureMaps",
    "Filters",
    "LearnedFilter",
    "MadePicture",
    "Maxima",
    "Maximum",
    "NodeStats",
    "Patch",
    "Patches",
    "ProjectedPatch",
    "ReluRule",
    "Sample",
    "Shown",
    "Subject",
    "
from importlib import import_module
from typing import TYPE_CHECKING, Any
if TYPE_CHECKING:
    from striate.look.arithmetic import MOST_WRITTEN, Convolution, convolve
    from striate.look.kernel_sheet import KernelSheet, apply_kernels
    from striate.look.matrices import named_kernel, read_kernel, read_matrix, read_pixels
    from striate.look.subject import Shown, Subject
    from striate.look.xo_comparison import XOComparison, compare_xo
    from striate.look.xo_learning import LearnedXO, learn_xo
    from striate.look.xo_matching import XO_FILTERS, Votes, match_maps, votes_of
    ",
    ",
    ",
    "activation_stats",
    "embedding",
    "embedding_method",
    "feature_maps",
    "filters",
    "last_detector",
    "maximize",
    "node_with_maps",
    "png_of",
    "rectifiers",
    "relu_rule",
    "sample",
    "strongest_patches",
]

_MODULES = {
    "arithmetic": ("MOST_WRITTEN", "Convolution", "convolve"),
    "kernel_sheet": ("KernelSheet", "apply_kernels"),
    "matrices": ("named_kernel", "read_kernel", "read_matrix", "read_pixels"),
    "subject": ("Shown", "Subject"),
    "xo_comparison": ("XOComparison", "compare_xo"),
    "xo_learning": ("LearnedXO", "learn_xo"),
    "xo_matching": ("XO_FILTERS", "Votes", "match_maps", "votes_of"),
}


def __getattr__(name: str) -> Any:
    module = next((module for module, names in _MODULES.items() if name in names), None)
    if module is None:
        raise AttributeError(f"module 'striate.look' has no attribute '{name}'")
    return getattr(import_module(f"striate.look.{module}"), name)
