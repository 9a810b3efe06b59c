"""The references of the notation and of recipes against what they tell of."""

import re
from pathlib import Path

import pytest

from striate.graph import LAYERS, PHRASES, Network
from striate.train import Recipe

REFERENCE = (Path(__file__).parents[2] / "docs/notation.md").read_text(encoding="utf-8")
EXAMPLES = [
    line for block in re.findall(r"```\n(.*?)```", REFERENCE, re.DOTALL) for line in block.splitlines()
]
STEPS = [
    step
    for row in re.findall(r"^\| (`.*?) \|", REFERENCE, re.MULTILINE)
    for step in re.findall("`(.*?)`", row)
]


@pytest.mark.parametrize("line", EXAMPLES)
def test_every_example_is_legal(line: str) -> None:
    network = Network.parse(line)
    assert Network.parse(network.notation()) == network


@pytest.mark.parametrize("step", [step for step in STEPS if len(step.split()) < 6])
def test_every_step_is_legal_somewhere(step: str) -> None:
    inputs = {"dense": "16", "embedding": "80x1 tokens"}
    assert len(Network.parse(f"{inputs.get(step.split()[0], '8x8x32')} | {step}")) > 1


def test_every_word_is_told() -> None:
    words = set(re.findall(r"[a-z0-9-]+", " ".join(re.findall("`(.*?)`", REFERENCE))))
    assert (LAYERS.keys() | PHRASES.keys()) - {"input"} <= words


def test_every_value_of_a_recipe_is_told() -> None:
    page = (Path(__file__).parents[2] / "docs/training.md").read_text(encoding="utf-8")
    told = set(re.findall("`([a-z_]+)`", page))
    assert Recipe.model_fields.keys() <= told


def test_every_value_of_a_recipe_is_an_option() -> None:
    from striate.cli.recipe_options import RecipeOptions

    assert vars(RecipeOptions()).keys() == Recipe.model_fields.keys()
