"""Looking inside: what filters see, why an answer was given, where a network fails."""

from striate.look.subject import Shown, Subject

__all__ = [
    "Shown",
    "Subject",
]
