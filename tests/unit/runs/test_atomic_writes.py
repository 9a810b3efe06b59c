"""Files are whole or not there: crashes, full disks and folders that may not be written."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from striate.core import RunError
from striate.runs import write_bytes, write_json, write_text


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def failing(number: int):
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_the_whole_content_takes_the_place_of_the_old(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file.bin"
    for content in (b"first", b"", b"x" * 100_000):
        write_bytes(path, content)
        assert path.read_bytes() == content
    assert names_in(path.parent) == ["file.bin"]


def test_texts_are_utf_8(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "×\r\nü")
    assert (tmp_path / "a.txt").read_bytes() == "×\r\nü".encode()
    write_json(tmp_path / "a.json", {"class": "Bär", "file": "bytes \udcff"})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == (
        '{\n  "class": "Bär",\n  "file": "bytes \\udcff"\n}\n'
    )


REASONS = [
    (errno.ENOSPC, "the disk is full; free some space"),
    (errno.EDQUOT, "the disk quota is used up; free some space"),
    (errno.EROFS, "the file system is read-only; choose another folder with --out"),
    (errno.EACCES, "you may not write there; change its rights or choose another folder with --out"),
    (errno.EPERM, "you may not write there; change its rights or choose another folder with --out"),
    (errno.ENOENT, "the folder is gone; nothing may remove it during a run"),
    (errno.EIO, "Input/output error; check the disk"),
]


@pytest.mark.parametrize(
    ("number", "reason"), REASONS, ids=[errno.errorcode[number] for number, _ in REASONS]
)
@pytest.mark.parametrize("place", ["os.fsync", "pathlib.Path.open", "pathlib.Path.replace"])
def test_a_refusal_keeps_the_old_file_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, number: int, reason: str
) -> None:
    path = tmp_path / "run.json"
    write_bytes(path, b"old")
    monkeypatch.setattr(place, failing(number))
    with pytest.raises(RunError) as caught:
        write_bytes(path, b"new")
    monkeypatch.undo()
    assert str(caught.value) == f"can't write {path}: {reason}"
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["run.json"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, MemoryError])
def test_a_stop_before_the_renaming_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    def stopping(descriptor: int) -> None:
        raise stop

    path = tmp_path / "run.json"
    write_bytes(path, b"old")
    monkeypatch.setattr(os, "fsync", stopping)
    with pytest.raises(stop):
        write_bytes(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["run.json"]


def test_a_killed_process_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_bytes(path, b"old")
    # Ends in the middle of writing as a kill would: nothing is cleaned up.
    program = (
        "import os, pathlib, sys; from striate.runs import write_bytes; os.fsync = lambda file: os._exit(9);"
        "write_bytes(pathlib.Path(sys.argv[1]), b'new')"
    )
    assert subprocess.run([sys.executable, "-c", program, path], check=False).returncode == 9
    assert path.read_bytes() == b"old"
    write_bytes(path, b"newer")
    assert path.read_bytes() == b"newer"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("folder", "a folder stands there; choose another name"),
        ("file/run.json", "a file stands where a folder must be; choose another path"),
        ("file/deep/run.json", "a file stands where a folder must be; choose another path"),
        ("n" * 300, "the name is too long; choose a shorter one"),
    ],
)
def test_paths_that_cannot_be(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError) as caught:
        write_bytes(tmp_path / name, b"")
    assert str(caught.value) == f"can't write {tmp_path / name}: {reason}"
    assert names_in(tmp_path) == ["file", "folder"]
