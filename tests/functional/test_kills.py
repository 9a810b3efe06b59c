"""SIGKILL in and between saves, again and again: the short form of `make faults`."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sklearn")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")

HARNESS = Path(__file__).parents[2] / "benchmarks" / "faults.py"


def test_killed_trainings_come_to_what_those_left_alone_do(tmp_path):
    told = subprocess.run(
        [sys.executable, str(HARNESS), "--kills", "10", "--seed", "3", "--no-report"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"STRIATE_CACHE": str(tmp_path)},
    )
    assert told.returncode == 0, told.stderr
    assert "| in all | 10 |" in told.stdout
    assert re.search(r"\| in a save, .+ \| [1-9]", told.stdout)
    assert "ended with the SHA-256 of the one left alone" in told.stdout
