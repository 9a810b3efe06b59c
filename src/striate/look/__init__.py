"""Looking inside: what filters see, why an answer was given, where a network fails.

Names are imported when they are first used: a convolution's arithmetic shouldn't wait for torch.
"""

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

__all__ = [
    "MOST_WRITTEN",
    "XO_FILTERS",
    "Convolution",
    "KernelSheet",
    "LearnedXO",
    "Shown",
    "Subject",
    "Votes",
    "XOComparison",
    "apply_kernels",
    "compare_xo",
    "convolve",
    "learn_xo",
    "match_maps",
    "named_kernel",
    "read_kernel",
    "read_matrix",
    "read_pixels",
    "votes_of",
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
