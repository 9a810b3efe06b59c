"""The zoo: networks by name, and the one way from a person's word to a network."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from striate.core import GraphError, UnknownNameError, UsageError, read_small_file
from striate.graph import LAYERS, Network


@dataclass(frozen=True)
class Entry:
    """A named network: its notation, the axes and classes it was made for, and its source."""

    notation: str
    axes: tuple[int, ...]
    classes: int
    source: str


ZOO: dict[str, Entry] = {
    "lecture": Entry(
        "conv 32 3 relu | maxpool 2 | conv 64 3 relu | maxpool 2 | conv 128 3 relu | flatten | dense",
        (28, 28, 1),
        10,
        "the convolutional network of Chollet, Deep Learning with Python (2nd ed., 2021), section 8.1",
    ),
    "lecture-nopool": Entry(
        "conv 32 3 relu | conv 64 3 relu | conv 128 3 relu | flatten | dense",
        (28, 28, 1),
        10,
        "the same section's network without its two max-poolings",
    ),
    "tiny": Entry(
        "conv 32 3 same relu | conv 32 3 same relu | maxpool 2 same | conv 64 3 same relu | flatten | dense",
        (8, 8, 1),
        10,
        "Striate's default for grey pictures too small for the lecture network",
    ),
    "small-color": Entry(
        "conv 32 3 same nobias | batchnorm | relu | conv 32 3 same nobias | batchnorm | relu | maxpool 2 same"
        " | conv 64 3 same nobias | batchnorm | relu | conv 64 3 same nobias | batchnorm | relu"
        " | maxpool 2 same"
        " | conv 128 3 same nobias | batchnorm | relu | add[ ; conv 128 3 same nobias | batchnorm | relu ]"
        " | globalavgpool | dropout 0.2 | dense",
        (32, 32, 3),
        10,
        "Striate's default for small pictures in colour",
    ),
    "photo": Entry(
        "conv 32 3 stride=2 same nobias | batchnorm | relu"
        " | conv 64 3 same nobias | batchnorm | relu | maxpool 2 same"
        " | conv 96 3 same nobias | batchnorm | relu | maxpool 2 same"
        " | conv 128 3 same nobias | batchnorm | relu | maxpool 2 same"
        " | conv 192 3 same nobias | batchnorm | relu | globalavgpool | dropout 0.3 | dense",
        (128, 128, 3),
        1000,
        "Striate's default for photographs",
    ),
}


def named(name: str, *, axes: Sequence[int] | None = None, classes: int | None = None) -> Network:
    """The zoo's network of that name, for its own axes and classes unless others are given.

    Raises UnknownNameError with the nearest name when there is none.
    """
    if name not in ZOO:
        raise UnknownNameError("network", name, ZOO)
    entry = ZOO[name]
    return Network.parse(
        entry.notation,
        axes=entry.axes if axes is None else axes,
        classes=entry.classes if classes is None else classes,
    )


def resolve(word: str, *, axes: Sequence[int] | None = None, classes: int | None = None) -> Network:
    """The network that a person means by a word: a zoo name, a `.json` or `.txt` file, or a notation.

    Raises UnknownNameError, UsageError when a file can't be read, or GraphError when what is found
    breaks a rule.
    """
    if word in ZOO:
        return named(word, axes=axes, classes=classes)
    path = Path(word)
    if path.suffix in (".json", ".txt"):
        try:
            text = read_small_file(path).decode("utf-8-sig")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it isn't text"
            raise UsageError(f"can't read the network file {word}: {reason}; check the path") from None
        try:
            if path.suffix == ".json":
                return Network.from_json(text)
            return Network.parse(text, axes=axes, classes=classes)
        except GraphError as error:
            raise GraphError(f"{word}: {error}") from None
    is_one_word = not any(sign in word for sign in " |[(\n")
    if is_one_word and "/" in word:
        raise UsageError(f"'{word}' is no network file; name one that ends in .json or .txt")
    if is_one_word and word not in LAYERS and not word[:1].isdigit():
        raise UnknownNameError("network", word, ZOO)
    return Network.parse(word, axes=axes, classes=classes)
