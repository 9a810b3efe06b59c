"""Looking inside: what filters see, why an answer was given, where a network fails."""

from striate.look.deconvnet import ReluRule, rectifiers, relu_rule
from striate.look.embedding import EmbeddingMap, EmbeddingMethod, embedding, embedding_method
from striate.look.filters import Filters, LearnedFilter, filters
from striate.look.maps import FeatureMaps, feature_maps
from striate.look.maximize import MadePicture, Maxima, Maximum, maximize
from striate.look.mosaic import png_of
from striate.look.nodes import last_detector, node_with_maps
from striate.look.patches import Patch, Patches, ProjectedPatch, strongest_patches
from striate.look.sample import Sample, sample
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
