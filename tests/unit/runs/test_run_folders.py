"""Every run gets a folder of its own: numbers, names, and who takes them first."""

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.core import RunError, UsageError
from striate.runs import RunFolder, held, new_folder, runs_root


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STRIATE_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def test_runs_are_numbered_from_one(root: Path) -> None:
    names = [new_folder("mnist-lecture").path.name for _ in range(3)]
    assert names == ["mnist-lecture-1", "mnist-lecture-2", "mnist-lecture-3"]
    assert new_folder("mnist").path == root / "mnist-1"


def test_the_next_number_follows_the_largest(root: Path) -> None:
    for name in ("a-1", "a-9", "a-07", "a-10x", "b-a-50", "a-4-60", "a-"):
        (root / name).mkdir(parents=True)
    assert new_folder("a").path.name == "a-10"
    (root / "a-11").write_text("a file takes a name as well")
    assert new_folder("a").path.name == "a-12"


def test_without_the_environment_runs_lie_in_the_working_folder(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for value in (None, ""):
        monkeypatch.delenv("STRIATE_RUNS", raising=False)
        if value is not None:
            monkeypatch.setenv("STRIATE_RUNS", value)
        assert runs_root() == Path("runs")
    assert new_folder("a").path == Path("runs/a-1")
    assert (tmp_path / "runs/a-1").is_dir()


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("", "run-1"),
        ("..", "run-1"),
        ("../../etc", "etc-1"),
        ("a b/c\nd", "a-b-c-d-1"),
        ("Bücher", "B-cher-1"),
        ("数字", "run-1"),
        (".hidden", "hidden-1"),
        ("x" * 400, "x" * 100 + "-1"),
    ],
)
def test_odd_names_become_plain_ones(root: Path, name: str, folder: str) -> None:
    assert new_folder(name).path == root / folder


@given(st.text(max_size=150))
def test_any_name_gives_a_new_folder_in_the_root(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    root = tmp_path_factory.mktemp("root")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRIATE_RUNS", str(root))
        first, second = new_folder(name), new_folder(name)
    assert first.path != second.path
    assert {first.path.parent, second.path.parent} == {root}
    assert names_in(first.path) == []


def test_threads_never_share_a_folder(root: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        paths = [folder.path for folder in pool.map(lambda _: new_folder("race"), range(64))]
    assert sorted(names_in(root), key=lambda name: int(name[5:])) == [f"race-{i}" for i in range(1, 65)]
    assert len(set(paths)) == 64


def test_processes_never_share_a_folder(root: Path) -> None:
    program = "from striate.runs import new_folder; [print(new_folder('race').path) for _ in range(50)]"
    command = [sys.executable, "-c", program]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    claimed = [line for child in children for line in child.communicate()[0].splitlines()]
    assert [child.returncode for child in children] == [0, 0, 0]
    assert len(set(claimed)) == len(claimed) == len(names_in(root)) == 150


def test_a_named_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    folder = new_folder("ignored", tmp_path / "a" / "b")
    assert folder == RunFolder(tmp_path / "a" / "b")
    assert folder.path.is_dir()


@pytest.mark.parametrize("kind", ["folder", "run", "file", "link to nowhere"])
def test_a_named_folder_that_is_there_is_never_overwritten(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    match kind:
        case "folder" | "run":
            out.mkdir()
            (out / ("run.json" if kind == "run" else "notes.txt")).write_text("{}")
        case "file":
            out.write_text("keep me")
        case _:
            out.symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError) as caught:
        new_folder("ignored", out)
    or_resume = f", or go on with it by 'striate resume {out}'" if kind == "run" else ""
    assert str(caught.value) == (
        f"{out} is already there and nothing is overwritten; choose another --out{or_resume}"
    )


def test_an_empty_folder_may_be_there_and_only_one_process_holds_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    folder = new_folder("ignored", out)
    with held(folder):
        # Whoever comes between sees a folder that is empty but for its lock, and is stopped there.
        assert new_folder("ignored", out) == folder
        script = "from striate.runs import *; from pathlib import Path\n"
        script += f"with held(RunFolder(Path({str(out)!r}))): pass"
        other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert other.stderr.splitlines()[-1] == (
            f"striate.core.errors.RunError: {out} is being trained by another process; wait for it or stop it"
        )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize("out", [None, "out"])
def test_a_system_that_refuses_is_told_of(root: Path, monkeypatch, out: str | None) -> None:
    def refusing(self: Path, *args: object, **kwargs: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    path = None if out is None else root / out
    monkeypatch.setattr(Path, "mkdir", refusing)
    with pytest.raises(RunError) as caught:
        new_folder("a", path)
    assert str(caught.value) == (
        f"can't write {path or root / 'a'}: the file system is read-only; choose another folder with --out"
    )


def test_a_file_in_the_way_is_told_of(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STRIATE_RUNS", str(tmp_path / "file"))
    for out in (None, tmp_path / "file" / "out", tmp_path / "file" / "deep" / "out"):
        with pytest.raises(RunError) as caught:
            new_folder("a", out)
        place = out or tmp_path / "file" / "a"
        assert str(caught.value) == (
            f"can't write {place}: a file stands where a folder must be; choose another path"
        )
