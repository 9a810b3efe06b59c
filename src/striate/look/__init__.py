"""Looking inside: what filters see, why an answer was given, where a network fails.

Names are imported when they are first used: a convolution's arithmetic shouldn't wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from striate.look.arithmetic import MOST_WRITTEN, Convolution, convolve
    from striate.look.attribution import (
        METHODS,
        Attribution,
        Curves,
        Explanation,
        Faithfulness,
        Mean,
        MethodFaithfulness,
        agreement,
        attribute,
        cam_node,
        curves,
        deconvnet,
        explain,
        faithfulness,
        grad_cam,
        grad_cam_plus_plus,
        guided_backpropagation,
        input_times_gradient,
        integrated_gradients,
        occlusion,
        on_original,
        overlay,
        random_curves,
        randomised,
        relevance,
        row_at_its_size,
        saliency,
        smoothgrad,
        spearman,
    )
    from striate.look.changes import BORDERS, CHANGES, Change
    from striate.look.describing import Described, describe
    from striate.look.failing import Failures, Reliability, failures, fit_temperature, reliability, wilson
    from striate.look.feature_space import EmbeddingMap, EmbeddingMethod, embedding, embedding_method
    from striate.look.filter_bank import Filters, LearnedFilter, filters
    from striate.look.kernel_sheet import KernelSheet, apply_kernels
    from striate.look.maps import FeatureMaps, feature_maps
    from striate.look.matrices import named_kernel, read_kernel, read_matrix, read_pixels
    from striate.look.maximizing import MadePicture, Maxima, Maximum, maximize
    from striate.look.mosaic import around_grey, signed
    from striate.look.nodes import last_detector, node_with_maps
    from striate.look.patches import Patch, Patches, ProjectedPatch, strongest_patches
    from striate.look.relu_rules import ReluRule, rectifiers, relu_rule
    from striate.look.sampling import Sample, sample
    from striate.look.stats import ActivationStats, NodeStats, activation_stats
    from striate.look.stride_theory import ShiftTheory, shift_theory
    from striate.look.subject import Shown, Subject
    from striate.look.transferability import NodeProbe, Transferability, best_cut
    from striate.look.transferring import transfer
    from striate.look.varying import Invariance, invariance
    from striate.look.xo_comparison import XOComparison, compare_xo
    from striate.look.xo_learning import LearnedXO, learn_xo
    from striate.look.xo_matching import XO_FILTERS, Votes, match_maps, votes_of

__all__ = [
    "BORDERS",
    "CHANGES",
    "METHODS",
    "MOST_WRITTEN",
    "XO_FILTERS",
    "ActivationStats",
    "Attribution",
    "Change",
    "Convolution",
    "Curves",
    "Described",
    "EmbeddingMap",
    "EmbeddingMethod",
    "Explanation",
    "Failures",
    "Faithfulness",
    "FeatureMaps",
    "Filters",
    "Invariance",
    "KernelSheet",
    "LearnedFilter",
    "LearnedXO",
    "MadePicture",
    "Maxima",
    "Maximum",
    "Mean",
    "MethodFaithfulness",
    "NodeProbe",
    "NodeStats",
    "Patch",
    "Patches",
    "ProjectedPatch",
    "Reliability",
    "ReluRule",
    "Sample",
    "ShiftTheory",
    "Shown",
    "Subject",
    "Transferability",
    "Votes",
    "XOComparison",
    "activation_stats",
    "agreement",
    "apply_kernels",
    "around_grey",
    "attribute",
    "best_cut",
    "cam_node",
    "compare_xo",
    "convolve",
    "curves",
    "deconvnet",
    "describe",
    "embedding",
    "embedding_method",
    "explain",
    "failures",
    "faithfulness",
    "feature_maps",
    "filters",
    "fit_temperature",
    "grad_cam",
    "grad_cam_plus_plus",
    "guided_backpropagation",
    "input_times_gradient",
    "integrated_gradients",
    "invariance",
    "last_detector",
    "learn_xo",
    "match_maps",
    "maximize",
    "named_kernel",
    "node_with_maps",
    "occlusion",
    "on_original",
    "overlay",
    "random_curves",
    "randomised",
    "read_kernel",
    "read_matrix",
    "read_pixels",
    "rectifiers",
    "relevance",
    "reliability",
    "relu_rule",
    "row_at_its_size",
    "saliency",
    "sample",
    "shift_theory",
    "signed",
    "smoothgrad",
    "spearman",
    "strongest_patches",
    "transfer",
    "votes_of",
    "wilson",
]

_MODULES = {
    "arithmetic": (
        "MOST_WRITTEN",
        "Convolution",
        "convolve",
    ),
    "attribution": (
        "METHODS",
        "Attribution",
        "Curves",
        "Explanation",
        "Faithfulness",
        "Mean",
        "MethodFaithfulness",
        "agreement",
        "attribute",
        "cam_node",
        "curves",
        "deconvnet",
        "explain",
        "faithfulness",
        "grad_cam",
        "grad_cam_plus_plus",
        "guided_backpropagation",
        "input_times_gradient",
        "integrated_gradients",
        "occlusion",
        "on_original",
        "overlay",
        "random_curves",
        "randomised",
        "relevance",
        "row_at_its_size",
        "saliency",
        "smoothgrad",
        "spearman",
    ),
    "changes": (
        "BORDERS",
        "CHANGES",
        "Change",
    ),
    "relu_rules": (
        "ReluRule",
        "rectifiers",
        "relu_rule",
    ),
    "feature_space": (
        "EmbeddingMap",
        "EmbeddingMethod",
        "embedding",
        "embedding_method",
    ),
    "failing": (
        "Failures",
        "Reliability",
        "failures",
        "fit_temperature",
        "reliability",
        "wilson",
    ),
    "filter_bank": (
        "Filters",
        "LearnedFilter",
        "filters",
    ),
    "describing": (
        "Described",
        "describe",
    ),
    "transferability": (
        "NodeProbe",
        "Transferability",
        "best_cut",
    ),
    "transferring": ("transfer",),
    "varying": (
        "Invariance",
        "invariance",
    ),
    "kernel_sheet": (
        "KernelSheet",
        "apply_kernels",
    ),
    "maps": (
        "FeatureMaps",
        "feature_maps",
    ),
    "matrices": (
        "named_kernel",
        "read_kernel",
        "read_matrix",
        "read_pixels",
    ),
    "maximizing": (
        "MadePicture",
        "Maxima",
        "Maximum",
        "maximize",
    ),
    "mosaic": (
        "around_grey",
        "signed",
    ),
    "nodes": (
        "last_detector",
        "node_with_maps",
    ),
    "patches": (
        "Patch",
        "Patches",
        "ProjectedPatch",
        "strongest_patches",
    ),
    "sampling": (
        "Sample",
        "sample",
    ),
    "stride_theory": (
        "ShiftTheory",
        "shift_theory",
    ),
    "stats": (
        "ActivationStats",
        "NodeStats",
        "activation_stats",
    ),
    "subject": (
        "Shown",
        "Subject",
    ),
    "xo_comparison": (
        "XOComparison",
        "compare_xo",
    ),
    "xo_learning": (
        "LearnedXO",
        "learn_xo",
    ),
    "xo_matching": (
        "XO_FILTERS",
        "Votes",
        "match_maps",
        "votes_of",
    ),
}


def __getattr__(name: str) -> Any:
    module = next((module for module, names in _MODULES.items() if name in names), None)
    if module is None:
        raise AttributeError(f"module 'striate.look' has no attribute '{name}'")
    return getattr(import_module(f"striate.look.{module}"), name)
