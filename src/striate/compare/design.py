"""What is compared: designs, each a network and how it is trained, by a name."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from striate.core import UsageError, quoted
from striate.data import Images
from striate.graph import Network
from striate.runs import Run
from striate.train import Recipe, default_recipe, named_network, recipe_of
from striate.zoo import ZOO

_LONGEST_NAME = 40
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# What of a recipe makes neither a design nor its results another.
_INDIFFERENT = ("seed", "save_every", "save_steps")


@dataclass(frozen=True)
class Design:
    """A network and the recipe that trains it; `changes` go over the recipe's values.

    `network` is a Network, a zoo name, a notation or a file, or None for the data's default; `recipe` a
    recipe, its name or a `.toml` file, or None for the comparison's.
    """

    name: str
    network: Network | str | None = None
    recipe: Recipe | str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Settled:
    """A design whose network and recipe are known; `note` says what matching changed of it.

    `word` is what a person called the network, unless matching made another of it.
    """

    name: str
    network: Network
    recipe: Recipe
    note: str = ""
    word: str | None = None

    @property
    def slug(self) -> str:
        """The name as a folder's."""
        return re.sub(r"[^A-Za-z0-9._-]+", "-", self.name).strip("-.") or "design"


@dataclass(frozen=True)
class Group:
    """A design's runs."""

    name: str
    runs: tuple[Run, ...]
    note: str = ""


def designs_of(words: Sequence[str | Path | Design | Run]) -> list[Design | Group]:
    """What a person's words name: networks to train, or groups of runs that are done.

    A network's word may say changes of the recipe after ` @ `: `lecture @ shift=2 optimizer=sgd`. Runs of the
    same network and recipe, apart from its seed, are one group.

    Raises UsageError when two designs have one name or a change can't be read.
    """
    runs: list[Run] = []
    found: list[Design | Group] = []
    for place, word in enumerate(words):
        if isinstance(word, Design):
            found.append(word)
        elif (run := _run_of(word)) is not None:
            runs.append(run)
        else:
            found.append(_design(str(word), _LETTERS[place % len(_LETTERS)]))
    # Runs come first where the first word is one, since the first design is what the others are held against.
    groups = list(_grouped(runs))
    is_first = bool(words) and _run_of(words[0]) is not None
    found = [*groups, *found] if is_first else [*found, *groups]
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"'{name}' is given twice; name each design once")
    return found


def settled(
    design: Design, images: Images, recipe: Recipe | str | None, changes: Mapping[str, Any]
) -> Settled:
    """The design for a data set, its own recipe and changes going over the comparison's.

    Raises UsageError when there is no such network or recipe or they break a rule.
    """
    network = design.network
    made, word = (network, None) if isinstance(network, Network) else named_network(network, images)
    named = design.recipe or recipe or default_recipe(made)
    followed = recipe_of(named) if isinstance(named, str) else named
    # A turn that is given holds, whatever rate a design has.
    own = {"turn": changes.get("turn"), **design.changes}
    return Settled(design.name, made, followed.changed(**changes).changed(**own), word=word)


def identity(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """What of a recipe's values must be equal for runs to be of one design."""
    return {name: value for name, value in recipe.items() if name not in _INDIFFERENT}


def _run_of(word: str | Path | Design | Run) -> Run | None:
    if isinstance(word, (Run, Design)):
        return word if isinstance(word, Run) else None
    if word in ZOO:
        return None
    with suppress(OSError):  # a notation may be longer than a path can be
        return Run.open(word) if Path(word, "run.json").is_file() else None
    return None


def _design(word: str, letter: str) -> Design:
    base, _, said = (part.strip() for part in word.partition(" @ "))
    stem = Path(base).stem if base.endswith((".json", ".txt")) else base
    is_name = len(stem) <= _LONGEST_NAME and all(c.isalnum() or c in "-_." for c in stem)
    name = stem if is_name else letter
    return Design(f"{name} {said}".strip(), base or None, changes=dict(map(_change, said.split())))


def _change(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    name = name.replace("-", "_")
    if not sign or name not in Recipe.model_fields:
        raise UsageError(
            f"{quoted(text)} changes no value of a recipe; after ' @ ' write such as shift=2 optimizer=sgd"
        )
    if name == "seed":
        raise UsageError("the seeds are what a comparison repeats a design by; take seed out")
    try:
        return name, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return name, value


def _grouped(runs: Sequence[Run]) -> Iterator[Group]:
    kinds: list[tuple[Network, dict[str, Any], list[Run]]] = []
    for run in runs:
        same = identity(run.manifest.recipe)
        for network, recipe, known in kinds:
            if network == run.network and recipe == same:
                known.append(run)
                break
        else:
            kinds.append((run.network, same, [run]))
    names = [_stem(known[0]) for _, _, known in kinds]
    for (_, _, known), name in zip(kinds, names, strict=True):
        group = Group(name if names.count(name) == 1 else known[0].path.name, tuple(known))
        seeds = [run.manifest.recipe["seed"] for run in known]
        if len(set(seeds)) < len(seeds):
            raise UsageError(
                f"two runs of {group.name} have the same seed and aren't two samples; leave one of them out"
            )
        yield group


def _stem(run: Run) -> str:
    """A run's folder without what numbers it."""
    return re.sub(r"-(seed)?\d+$", "", run.path.name) or run.path.name
