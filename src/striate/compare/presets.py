"""Comparisons that a course asks for: a question, the designs that answer it, and what is made equal."""

from dataclasses import dataclass
from typing import Any

from striate.compare.design import Design
from striate.compare.matching import Match
from striate.core import DataError, UsageError
from striate.data import load


@dataclass(frozen=True)
class Preset:
    """A named comparison; the first design is what the others are held against."""

    question: str
    designs: tuple[Design, ...]
    match: Match | None = None


def _same_network(network: str, **recipes: dict[str, Any]) -> tuple[Design, ...]:
    return tuple(
        Design(name.replace("_", "-"), network, changes=changes) for name, changes in recipes.items()
    )


def _padded(name: str, words: str) -> Design:
    def conv(depth: int) -> str:
        return f"conv {depth} 3 {words} relu"

    # Global pooling, so that larger volumes bring no weights of their own.
    return Design(
        name, f"{conv(32)} | maxpool 2 | {conv(64)} | maxpool 2 | {conv(128)} | globalavgpool | dense"
    )


def _deep(convs: int) -> Design:
    steps = f"(conv 32 3 same relu)*{convs}"
    return Design(
        f"deep-{3 * convs}",
        f"{steps} | maxpool 2 | {steps} | maxpool 2 | {steps} | globalavgpool | dense",
    )


_NO_AUGMENTATION = {"shift": 0, "flip": False, "crop": 1.0, "mixup": 0.0, "cutmix": 0.0}

PRESETS: dict[str, Preset] = {
    "pooling": Preset(
        "Does max-pooling cost accuracy, and what does it save?",
        (Design("lecture", "lecture"), Design("lecture-nopool", "lecture-nopool")),
    ),
    "cnn-vs-dense": Preset(
        "Are convolutions worth more than a dense layer with as many parameters?",
        (Design("lecture", "lecture"), Design("dense", "mlp")),
        match="parameters",
    ),
    "padding": Preset(
        "Does padding matter, and what it is filled with?",
        (
            _padded("valid", ""),
            _padded("zero", "same"),
            _padded("replicate", "same replicate"),
            _padded("reflect", "same reflect"),
            _padded("circular", "same circular"),
        ),
    ),
    "depth": Preset(
        "Does a deeper network of the same width know more, and what does it cost?",
        (_deep(1), _deep(2), _deep(3)),
    ),
    "local-vs-shared": Preset(
        "Do filters of its own at every place beat one filter for all places?",
        (
            Design("shared", "conv 8 3 stride=2 relu | conv 16 3 stride=2 relu | flatten | dense"),
            Design("local", "local 8 3 stride=2 relu | local 16 3 stride=2 relu | flatten | dense"),
        ),
    ),
    "augmentation": Preset(
        "Which augmentation helps the lecture network?",
        _same_network(
            "lecture",
            none=_NO_AUGMENTATION,
            shift=_NO_AUGMENTATION | {"shift": 2},
            crop=_NO_AUGMENTATION | {"crop": 0.8},
            mixup=_NO_AUGMENTATION | {"mixup": 0.2},
            cutmix=_NO_AUGMENTATION | {"cutmix": 1.0},
        ),
    ),
}


def default_data() -> str:
    """The data of presets where none are named: mnist or, where it can't be had, mnist-5k."""
    for name in ("mnist", "mnist-5k"):
        try:
            load(name)
        except (DataError, UsageError):
            continue
        return name
    raise UsageError(
        "neither mnist nor mnist-5k is there; pip install 'striate[demo]', or name data with --data"
    )
