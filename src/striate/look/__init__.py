"""Looking inside: what filters see, why an answer was given, where a network fails."""

from striate.look.deconvnet import ReluRule, rectifiers, relu_rule
from striate.look.subject import Shown, Subject

__all__ = [
    "ReluRule",
    "Shown",
    "Subject",
    "rectifiers",
    "relu_rule",
]
