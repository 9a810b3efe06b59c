"""What the benchmark of transfer learning works out itself: its table, its trials, and who takes part."""

from pathlib import Path

import contest
import pytest
from contest import Contender, Outcome, turns

pytest.importorskip("timm", reason="timm isn't installed")

from transfer import NAMES, contenders, photographs, table


def outcome(name: str, *figures: tuple[float, float, float, float]) -> Outcome:
    runs = [
        {
            "process_seconds": process,
            "seconds": seconds,
            "accuracy": best,
            "last_accuracy": last,
            "threads": 2,
        }
        for process, seconds, best, last in figures
    ]
    return Outcome(Contender(name, f"how {name}", f"{name}.py"), runs)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_ratios_are_of_whole_processes_and_the_last_epoch_is_told_beside_the_best() -> None:
    ours = outcome("ours", (10.0, 6.0, 0.9, 0.8), (12.0, 7.0, 0.92, 0.9), (11.0, 8.0, 0.94, 0.94))
    head, _, first, second = table(
        [Outcome(Contender("broken", "", "")), ours, outcome("theirs", (33, 32, 1, 1))]
    )
    assert len(cells(head)) == len(cells(first)) == len(cells(second))
    told = ["92.00 (90.00 to 94.00)", "92.00", "88.00", "11.0 (10.0 to 12.0)", "1.00", "7.0", "2"]
    assert cells(first) == ["ours", "how ours", "3", *told]
    assert cells(second)[-4:] == ["33.0 (33.0 to 33.0)", "3.00", "32.0", "2"]


def test_a_trial_takes_equally_many_photographs_of_each_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in ("train", "val"):
        for one in ("ants", "bees"):
            (tmp_path / "ants-bees" / part / one).mkdir(parents=True)
            for i in range(5):
                (tmp_path / "ants-bees" / part / one / f"{i}.jpg").write_bytes(b"")
    monkeypatch.setenv("STRIATE_DATA", str(tmp_path))
    assert photographs(tmp_path / "trial", None) == tmp_path / "ants-bees"
    shown = photographs(tmp_path / "trial", 4)
    found = sorted(path.relative_to(shown).parts[:2] for path in shown.rglob("*.jpg"))
    assert found == [(part, one) for part in ("train", "val") for one in ("ants", "bees") for _ in range(2)]


def test_without_photographs_one_sentence_says_where_they_belong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIATE_DATA", str(tmp_path))
    with pytest.raises(RuntimeError) as error:
        photographs(tmp_path, None)
    assert str(error.value) == (
        f"there is no folder {tmp_path}/ants-bees; set STRIATE_DATA to the folder that holds ants-bees/"
    )


def test_epochs_reach_all_but_the_head_that_is_fitted() -> None:
    every = {one.name: one for one in contenders(Path("weights"), epochs=2)}
    assert tuple(every) == NAMES
    assert [name for name, one in every.items() if "--epochs" not in one.options] == ["striate-head"]
    assert not any("--epochs" in one.options for one in contenders(Path("weights"), None))


def test_turns_time_the_whole_process_and_ask_no_more_who_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(contest, "PEERS", tmp_path)
    (tmp_path / "naps.py").write_text("import time; time.sleep(0.2); print('{\"seconds\": 0.1}')")
    (tmp_path / "fails.py").write_text("print('words'); raise ValueError('too few')")
    made = [Contender("naps", "", "naps.py"), Contender("fails", "", "fails.py")]
    naps, fails = turns(made, tmp_path, seeds=2, threads=1)
    assert [run["seconds"] for run in naps.runs] == [0.1, 0.1]
    assert all(run["process_seconds"] > 0.2 for run in naps.runs)
    assert (fails.runs, fails.failure) == ([], "ValueError: too few")
    assert capsys.readouterr().err.count("fails fails: ValueError: too few") == 1


def test_a_contest_goes_on_from_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(contest, "PEERS", tmp_path)
    script = "import sys; print('{\"seconds\": ' + str(len(sys.argv) + int(sys.argv[4])) + '}')"
    (tmp_path / "counts.py").write_text(script)
    log = tmp_path / "log.jsonl"
    made = [Contender("counts", "", "counts.py"), Contender("longer", "", "counts.py", ("--more",))]
    first = turns(made, tmp_path, seeds=1, threads=1, log=log)
    assert len(log.read_text().splitlines()) == 2
    (tmp_path / "counts.py").write_text("print('{\"seconds\": -1}')")
    counts, longer = turns(made, tmp_path, seeds=2, threads=1, log=log)
    assert [counts.runs[0], longer.runs[0]] == [first[0].runs[0], first[1].runs[0]]
    assert [run["seconds"] for run in counts.runs] == [7, -1]
    assert [run["seconds"] for run in longer.runs] == [8, -1]
    assert len(capsys.readouterr().err.splitlines()) == 4
    assert [run["seconds"] for run in turns(made, tmp_path, seeds=1, threads=2, log=log)[0].runs] == [-1]
