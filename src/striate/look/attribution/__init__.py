"""Why an answer was given: attributions by ten methods, and measures of which can be trusted."""

from striate.look.attribution.attribution import Attribution
from striate.look.attribution.cam import cam_node, grad_cam, grad_cam_plus_plus
from striate.look.attribution.curves import Curves, curves, random_curves
from striate.look.attribution.explanation import Explanation, explain
from striate.look.attribution.faithfulness import faithfulness
from striate.look.attribution.gradients import (
    deconvnet,
    guided_backpropagation,
    input_times_gradient,
    integrated_gradients,
    saliency,
    smoothgrad,
)
from striate.look.attribution.methods import METHODS, attribute
from striate.look.attribution.occlusion import occlusion
from striate.look.attribution.overlay import on_original, overlay, row_at_its_size
from striate.look.attribution.randomising import randomised
from striate.look.attribution.ranks import agreement, spearman
from striate.look.attribution.relevance import relevance
from striate.look.attribution.verdict import Faithfulness, Mean, MethodFaithfulness

__all__ = [
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
]
