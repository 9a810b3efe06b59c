"""Designs compared fairly, and searched: several seeds, and verdicts that say no more than was shown."""

from striate.compare.comparison import Comparison, Line, judge
from striate.compare.design import Design, Group, designs_of
from striate.compare.few_shot import FewShot, ShotLine
from striate.compare.matching import Match, matched
from striate.compare.presets import PRESETS, Preset, default_data
from striate.compare.running import SEEDS, compare
from striate.compare.searching import Sweep, Tried, sweep
from striate.compare.shots import compare_transfer
from striate.compare.statistics import Difference, difference, holm
from striate.compare.verdict import Verdict

__all__ = [
    "PRESETS",
    "SEEDS",
    "Comparison",
    "Design",
    "Difference",
    "FewShot",
    "Group",
    "Line",
    "Match",
    "Preset",
    "ShotLine",
    "Sweep",
    "Tried",
    "Verdict",
    "compare",
    "compare_transfer",
    "default_data",
    "designs_of",
    "difference",
    "holm",
    "judge",
    "matched",
    "sweep",
]
