"""Every ONNX node test of the operations that `from_onnx` reads: run, or excluded with a reason.

The tests are those of the installed onnx; what isn't run is named in `onnx_nodes.json`.
"""

from collections import Counter
from fnmatch import fnmatchcase

import pytest

from onnx_nodes import nodes, outcomes, suite, table
from striate.build.importing.onnx.reader import HANDLERS
from striate.core import UsageError

# Operations without a node test that a network can say, with where they are tested.
_WITHOUT = {
    "Cast",  # test_from_onnx_layers
    "Erf",  # test_from_onnx_layers: GELU by its parts
    "Squeeze",  # test_from_onnx_layers
    "Unsqueeze",  # test_from_onnx_layers
}


def test_all_that_arent_excluded_give_the_suites_numbers() -> None:
    wrong: list[str] = []
    for node, reason in outcomes():
        if reason is None:
            try:
                node.check()
            except (AssertionError, UsageError) as error:
                wrong.append(f"{node.name}: {error}")
    assert not wrong


def test_those_excluded_are_refused_in_a_sentence() -> None:
    for node, reason in outcomes():
        if reason is not None:
            with pytest.raises(UsageError) as caught:
                node.check()
            assert "\n" not in str(caught.value), node.name


def test_every_exclusion_is_needed_and_has_one_reason() -> None:
    found = Counter(
        name
        for patterns in table()["excluded"].values()
        for pattern in patterns
        for name in nodes()
        if fnmatchcase(name, pattern)
    )
    assert [name for name, count in found.items() if count > 1] == []
    names = [pattern for patterns in table()["excluded"].values() for pattern in patterns]
    assert [pattern for pattern in names if not any(fnmatchcase(name, pattern) for name in nodes())] == []
    assert [name for name in table()["turned"] if name not in nodes()] == []


def test_every_operation_that_is_read_is_run() -> None:
    run = {operation for node, reason in outcomes() if reason is None for operation in node.operations}
    assert set(HANDLERS) - run == _WITHOUT


def test_the_families_are_whole() -> None:
    """No test of a layer's operation is left out by the selection itself."""
    families = (
        *("averagepool", "batchnorm", "conv_", "convtranspose", "gemm", "globalaveragepool", "globalmaxpool"),
        *("instancenorm", "layer_normalization_", "lppool", "lrn", "maxpool", "prelu"),
    )
    left_out = [
        case.name
        for case in suite()
        if case.name.removeprefix("test_").startswith(families)
        and "expanded" not in case.name
        and case.name not in nodes()
    ]
    assert left_out == []
