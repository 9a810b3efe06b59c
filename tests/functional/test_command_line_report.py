"""`striate report`, and the page that a training makes when it is done."""

import json
import re
from pathlib import Path

import pytest

from striate.runs import Run

SMALL = ("--network", "conv 2 3 relu | flatten | dense", "--epochs", "1", "--quiet")


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings make their page, as they do for everybody."""
    monkeypatch.delenv("STRIATE_REPORT")


def test_a_page_goes_where_it_is_asked_for(striate, run: Path) -> None:
    told = striate("report", run, "--out", "pages/pets.html")
    assert (told.code, told.err) == (0, "")
    assert re.fullmatch(r"report  pages/pets\.html, \d+(\.\d+)? KiB\n", told.out)
    html = Path("pages/pets.html").read_text(encoding="utf-8")
    assert html.startswith("<!DOCTYPE html>")
    assert "pets-small" in html
    assert not (run / "report.html").exists()


def test_json_tells_what_the_page_holds(striate, run: Path) -> None:
    facts = json.loads(striate("report", run, "--out", "page.html", "--json").out)
    assert (facts["format"], facts["version"], facts["path"]) == ("striate.report", 1, "page.html")
    assert facts["bytes"] == Path("page.html").stat().st_size
    assert facts["bytes"] < 1_000_000
    assert facts["missing"] == {}
    names = [section["name"] for section in facts["sections"]]
    assert names[:4] == ["headline", "network", "cost", "curves"]
    assert {"confusion", "calibration", "mistakes", "why", "filters", "data"} <= set(names)


def test_other_data_are_shown_instead(striate, run: Path, pets: Path) -> None:
    for file in (pets / "test" / "cat").glob("[0-2].png"):
        file.unlink()
    assert striate("report", run, "--data", pets, "--out", "page.html").code == 0
    assert "of 7 rows" in Path("page.html").read_text(encoding="utf-8")


def test_what_is_missing_is_said_and_debug_raises(striate, pets: Path, reports: None) -> None:
    assert striate("train", "--data", pets, *SMALL, "--out", "run", "--no-report").code == 0
    pets.rename("elsewhere")
    told = striate("report", "run")
    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    assert lines[0].startswith("report  run/report.html, ")
    assert lines[1].startswith("missing  Mistakes: ")
    told = striate("report", "run", "--debug")
    assert told.code in (1, 2)
    assert "Traceback" in told.err


def test_a_folder_without_a_run_is_refused(striate, tmp_path: Path) -> None:
    told = striate("report", tmp_path)
    assert (told.code, told.out) == (2, "")
    assert told.err == f"striate: {tmp_path} is no run: it has no run.json; name a run's folder\n"


def test_a_training_makes_its_page(striate, pets: Path, reports: None) -> None:
    told = striate("train", "--data", pets, *SMALL, "--out", "run")
    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines()[-1] == "report  run/report.html"
    assert Path("run/report.html").stat().st_size > 10_000
    facts = json.loads(striate("train", "--data", pets, *SMALL, "--out", "second", "--json").out)
    assert facts["report"] == "second/report.html"


def test_no_report_makes_none(striate, pets: Path, reports: None, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = json.loads(striate("train", "--data", pets, *SMALL, "--out", "run", "--no-report", "--json").out)
    assert facts["report"] is None
    monkeypatch.setenv("STRIATE_REPORT", "no")
    assert striate("train", "--data", pets, *SMALL, "--out", "other").code == 0
    assert not list(Path().glob("*/report.html"))


def test_a_page_that_fails_fails_no_training(
    striate, pets: Path, reports: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(run: Run) -> None:
        raise ValueError("no\nink")

    monkeypatch.setattr("striate.report.report", broken)
    told = striate("train", "--data", pets, *SMALL, "--out", "run")
    assert told.code == 0
    assert told.err == "striate: the report couldn't be made: no ink; try: striate report run\n"
    assert "report" not in told.out
    assert Run.open("run").manifest.state == "done"


def test_a_run_that_goes_on_makes_its_page_in_the_end(
    striate, pets: Path, reports: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from striate.train import step

    def stopped(optimizer: object, rate: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(step, "set_rate", stopped)
        told = striate("train", "--data", pets, *SMALL, "--out", "run")
    assert told.code == 130
    assert not Path("run/report.html").exists()
    assert striate("report", "run", "--out", "early.html").code == 0
    assert "The training was stopped before its end." in Path("early.html").read_text(encoding="utf-8")
    told = striate("resume", "run", "--quiet")
    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines()[-1] == "report  run/report.html"
