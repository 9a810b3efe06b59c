"""What is searched: values of the recipe and the width of the network, each within bounds that are usual."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from striate.core import UnknownNameError, UsageError
from striate.graph import Network, surgery
from striate.train import Recipe

if TYPE_CHECKING:
    from optuna.trial import Trial

_BATCHES = (32, 64, 128, 256, 512)
# Of fewer steps an epoch consists of hardly any that learn.
_FEWEST_STEPS = 4
WIDTH = "width"


@dataclass(frozen=True)
class Space:
    """The names that are searched; `batches` are those that the training rows are enough for.

    A `turn` that is given holds, whatever rate is tried.
    """

    names: tuple[str, ...]
    batches: tuple[int, ...]
    turn: float | None = None

    def ask(self, trial: "Trial", network: Network, recipe: Recipe) -> tuple[Network, Recipe]:
        """A network and a recipe for a trial, within the bounds; what isn't searched stays."""
        found = {name: SEARCHED[name](trial, self) for name in SEARCHED if name in self.names}
        width = found.pop(WIDTH, 1.0)
        times = found.pop("lr", None)
        recipe = recipe.changed(**found)
        if times is not None:
            # A rate is good for its optimizer alone, so that its multiple is what can be learnt about.
            recipe = recipe.changed(lr=recipe.rate * times, turn=self.turn)
        return (network if width == 1 else surgery.widen(network, width).network), recipe

    def to_dict(self) -> dict[str, Any]:
        return {"names": list(self.names), "batches": list(self.batches)}


SEARCHED: dict[str, Callable[["Trial", Space], Any]] = {
    "optimizer": lambda trial, _: trial.suggest_categorical(
        "optimizer", ["adamw", "momentum", "muon", "rmsprop"]
    ),
    "lr": lambda trial, _: trial.suggest_float("lr_factor", 0.1, 10, log=True),
    "batch": lambda trial, space: trial.suggest_categorical("batch", space.batches),
    "schedule": lambda trial, _: trial.suggest_categorical("schedule", ["onecycle", "cosine", "linear"]),
    "weight_decay": lambda trial, _: trial.suggest_float("weight_decay", 1e-5, 0.3, log=True),
    "smoothing": lambda trial, _: trial.suggest_float("smoothing", 0.0, 0.2),
    WIDTH: lambda trial, _: trial.suggest_float(WIDTH, 0.5, 2.0, log=True),
}


def space_of(
    names: tuple[str, ...] | None, fixed: dict[str, Any], network: Network, recipe: Recipe, rows: int
) -> Space:
    """The space of these names, or of all that aren't `fixed` and that fit the network and its data.

    Raises UnknownNameError for a name that can't be searched, and UsageError when one is fixed as well or
    nothing is left.
    """
    chosen = {name.replace("-", "_") for name in names or ()}
    for name in chosen:
        if name not in SEARCHED:
            raise UnknownNameError("searched value", name, SEARCHED)
        if name in fixed:
            raise UsageError(
                f"{name} is given as {fixed[name]} and so not searched; leave one of the two out"
            )
    if not chosen:
        chosen = set(SEARCHED) - set(fixed)
        if set(network.tasks) == {"regression"}:
            chosen.discard("smoothing")  # only labels can be smoothed
    batches = tuple(batch for batch in _BATCHES if rows // batch >= _FEWEST_STEPS) or (recipe.batch,)
    if not chosen:
        raise UsageError("every value is given, so there is nothing to search; leave one out")
    return Space(tuple(name for name in SEARCHED if name in chosen), batches, fixed.get("turn"))
