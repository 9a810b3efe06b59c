"""Whether a recipe can be followed with these data and this network; told before anything is trained."""

from typing import cast

from striate.core import UsageError
from striate.data import Images
from striate.graph import InputLayer, Network
from striate.train.beginning import first_convolution
from striate.train.growing import small_network
from striate.train.objective import Objective
from striate.train.recipe import Recipe


def require_agreement(recipe: Recipe, images: Images, network: Network, objective: Objective) -> None:
    """Raises UsageError when a value of the recipe can't be followed with this data set and network."""
    if recipe.patience and "val" not in images.splits:
        raise UsageError(
            f"patience waits for better validation scores, and {images.name} has no validation split; "
            f"give --validation 0.1, say, or take patience out"
        )
    if not any(goal.classes for goal in objective.goals):
        for word, is_asked in (("smoothing", recipe.smoothing > 0), ("balance", recipe.balance != "none")):
            if is_asked:
                raise UsageError(
                    f"{word} is for classes, and {images.name} has numbers to predict; take {word} out"
                )
    if recipe.balance == "sampling" and objective.only is None:
        raise UsageError(
            "rows can be sampled by the classes of one output, and the network has several; "
            "choose balance weights, which has weights for each"
        )
    if recipe.shards:
        for word, is_asked in (
            ("mixup", recipe.mixup > 0),
            ("cutmix", recipe.cutmix > 0),
            ("balance sampling", recipe.balance == "sampling"),
            ("teacher", recipe.teacher is not None),
        ):
            if is_asked:
                raise UsageError(
                    f"{word} needs all rows in every process, and shards leaves each its own; take one out"
                )
    _require_mixable(recipe, network)
    small_network(network, recipe)
    if recipe.initial == "whitening":
        first_convolution(network)


def _require_mixable(recipe: Recipe, network: Network) -> None:
    layers = [cast("InputLayer", network[node].layer) for node in network.inputs]
    if (recipe.mixup or recipe.cutmix) and any(layer.tokens for layer in layers):
        raise UsageError("tokens can't be mixed as pictures can; take mixup and cutmix out")
    if recipe.cutmix and not any(layer.shape.spatial for layer in layers):
        raise UsageError(
            "cutmix pastes parts of pictures, and the network takes rows of numbers; choose mixup instead"
        )
