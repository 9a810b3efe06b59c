"""The zoo: networks by name, and the one way from a person's word to a network."""

from collections.abc import Sequence
from pathlib import Path

from striate.core import GraphError, NotationError, UnknownNameError, UsageError, read_small_file
from striate.graph import LAYERS, Network
from striate.zoo.branching import BRANCHING
from striate.zoo.defaults import DEFAULTS
from striate.zoo.entry import Entry
from striate.zoo.residual import RESIDUAL
from striate.zoo.separable import SEPARABLE
from striate.zoo.stacked import STACKED
from striate.zoo.teaching import TEACHING

ZOO: dict[str, Entry] = TEACHING | DEFAULTS | STACKED | BRANCHING | RESIDUAL | SEPARABLE


def named(name: str, *, axes: Sequence[int] | None = None, classes: int | None = None) -> Network:
    """The zoo's network of that name, for its own axes and classes unless others are given.

    Raises UnknownNameError with the nearest name when there is none, and GraphError when it can't be made
    for such axes or classes.
    """
    if name not in ZOO:
        raise UnknownNameError("network", name, ZOO)
    entry = ZOO[name]
    try:
        return entry.network(axes=axes, classes=classes)
    except NotationError as error:
        # The notation is the zoo's: neither a column of it nor a change to it helps who named it.
        reason = error.reason.partition(";")[0]
        asked = _said(entry.axes if axes is None else axes, entry.classes if classes is None else classes)
        raise GraphError(
            f"{name} can't be made for {asked}: {reason}; it was made for {_said(entry.axes, entry.classes)}"
        ) from None


def _said(axes: Sequence[int], classes: int) -> str:
    return f"{'x'.join(map(str, axes))} and {classes} classes"


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
