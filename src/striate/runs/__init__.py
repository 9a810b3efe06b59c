"""The run folder: its paths, its manifest, metrics and tensors, all written whole or not at all."""

from striate.runs.atomic import put_aside, sweep, write_bytes, write_json, write_text
from striate.runs.begun import begun
from striate.runs.digest import digest_of_bytes
from striate.runs.figure import figure_html, figure_png, save_figure
from striate.runs.folder import RunFolder, new_folder, runs_root
from striate.runs.launch import Launch, launch_of
from striate.runs.lock import held
from striate.runs.manifest import DataFacts, Energy, Manifest, Origin, Results, State, now, versions
from striate.runs.run import Run, write_metrics
from striate.runs.tensors import read_tensors, write_tensors

__all__ = [
    "DataFacts",
    "Energy",
    "Launch",
    "Manifest",
    "Origin",
    "Results",
    "Run",
    "RunFolder",
    "State",
    "begun",
    "digest_of_bytes",
    "figure_html",
    "figure_png",
    "held",
    "launch_of",
    "new_folder",
    "now",
    "put_aside",
    "read_tensors",
    "runs_root",
    "save_figure",
    "sweep",
    "versions",
    "write_bytes",
    "write_json",
    "write_metrics",
    "write_tensors",
    "write_text",
]
