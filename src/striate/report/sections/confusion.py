"""Which classes are taken for which.

Legend: K classes.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.report.material import Answers, Material
from striate.report.pictures import Picture, heat
from striate.report.section import Section, section
from striate.train import Evaluation

# A table of more classes is no longer read number by number.
_MOST_IN_TABLE = 20
_PAIRS = 10
_MOST_CELLS = 40_000


@dataclass(frozen=True)
class Cell:
    """A number of the matrix: how strongly it is shaded (0…1), and whether the answer is right."""

    count: int
    share: float
    shade: float
    is_right: bool


@dataclass(frozen=True)
class Matrix:
    """The matrix of one output as a table of `cells` or, of many classes, as a `picture`."""

    name: str
    told: Evaluation
    classes: tuple[str, ...]
    cells: list[list[Cell]]
    picture: Picture | None
    facts: str
    pairs: list[tuple[str, str, int, float]]


def confusion(material: Material) -> Section | None:
    """A matrix for every output that tells classes, its most confused pairs, and every class's figures."""
    matrices = [
        _matrix(answer, answer.told, several=len(material.answers) > 1)
        for answer in material.answers
        if isinstance(answer.told, Evaluation)
    ]
    return section("confusion", "Confusion", matrices=matrices) if matrices else None


def _matrix(answer: Answers, told: Evaluation, *, several: bool) -> Matrix:
    counts, classes = told.confusion, answer.goal.classes
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    wrong = counts - np.diag(np.diag(counts))
    is_small = len(classes) <= _MOST_IN_TABLE
    return Matrix(
        name=answer.goal.output if several else "",
        told=told,
        classes=classes,
        cells=_cells(counts, shares, wrong) if is_small else [],
        picture=None if is_small else heat(np.sqrt(shares)),
        facts="" if is_small else _facts(counts, classes),
        pairs=_pairs(wrong, shares, classes),
    )


def _cells(counts: NDArray[Any], shares: NDArray[Any], wrong: NDArray[Any]) -> list[list[Cell]]:
    most = max(int(wrong.max()), 1)
    return [
        [
            Cell(int(n), float(shares[i, j]), float(shares[i, j] if i == j else n / most), i == j)
            for j, n in enumerate(row)
        ]
        for i, row in enumerate(counts)
    ]


def _facts(counts: NDArray[Any], classes: tuple[str, ...]) -> str:
    """The numbers behind the picture, for the script; none where they would swell the page."""
    rows, columns = np.nonzero(counts)
    if len(rows) > _MOST_CELLS:
        return ""
    cells = np.stack([rows, columns, counts[rows, columns]], axis=1).tolist()
    return json.dumps({"classes": classes, "cells": cells}, separators=(",", ":"))


def _pairs(
    wrong: NDArray[Any], shares: NDArray[Any], classes: tuple[str, ...]
) -> list[tuple[str, str, int, float]]:
    order = np.argsort(-wrong, axis=None, kind="stable")[:_PAIRS]
    places = [divmod(int(at), len(classes)) for at in order]
    return [(classes[i], classes[j], int(wrong[i, j]), float(shares[i, j])) for i, j in places if wrong[i, j]]
