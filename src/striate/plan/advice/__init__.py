"""Advice: rules of the literature that read a network, and the edits that mend what they find."""

from striate.plan.advice.finding import Edit, Finding
from striate.plan.advice.lint import Mended, lint, mend

__all__ = ["Edit", "Finding", "Mended", "lint", "mend"]
