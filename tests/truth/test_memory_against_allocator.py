"""The planned peak of training steps against what PyTorch's allocator gives out, by the benchmark's means.

`make truth` measures many more networks, each in a process of its own: `benchmarks/memory.py`.
"""

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import memory

    yield memory
    for name in ("memory", "common"):
        sys.modules.pop(name, None)


def test_the_plan_is_within_a_twentieth_of_the_allocators_peak(benchmark) -> None:
    cases = [
        benchmark.Case("tiny", (8, 8, 1), 64, "momentum", "fp32"),
        benchmark.Case("lecture", (28, 28, 1), 16, "adamw", "fp32"),
        benchmark.Case("small-color", (32, 32, 3), 8, "rmsprop", "fp32"),
        benchmark.Case("lecture", (28, 28, 1), 16, "adamw", "fp32", "relu2"),
        benchmark.Case("resnet18", (64, 64, 3), 4, "adamw", "fp32", "relu9"),
    ]
    for case, peak in zip(cases, benchmark.measured(*cases), strict=True):
        assert benchmark.planned(case) == pytest.approx(peak, rel=0.05), case
