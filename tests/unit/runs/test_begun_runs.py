"""A folder that a training is to have: its run, what a killed one left, and what nobody may touch."""

from pathlib import Path

import pytest

from striate.core import RunError, UsageError
from striate.runs import Run, RunFolder, begun, held


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "lecture-seed0")


@pytest.mark.parametrize("which", ["manifest", "state", "previous_state"])
def test_a_run_is_gone_on_with(folder: RunFolder, which: str) -> None:
    path: Path = getattr(folder, which)
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    run = begun(folder)
    assert isinstance(run, Run)
    assert run.folder == folder


def test_no_folder_is_free(folder: RunFolder) -> None:
    assert begun(folder) is None
    assert not folder.path.exists()


def test_what_ended_before_its_manifest_makes_room(folder: RunFolder) -> None:
    folder.path.mkdir()
    for path in (folder.network, folder.notation, folder.plan, folder.outputs):
        path.write_text("half a training")
    (folder.path / ".run.json.77.tmp").write_text("{")
    with held(folder):
        pass
    assert begun(folder) is None
    assert {path.name for path in folder.path.iterdir()} <= {".lock"}


@pytest.mark.parametrize("name", ["thesis.tex", "weights/best.safetensors", "photos.tmp"])
def test_other_files_are_left_alone(folder: RunFolder, name: str) -> None:
    (folder.path / name).parent.mkdir(parents=True)
    for path in (folder.network, folder.path / name):
        path.write_text("years of work")
    in_the_way = folder.path / name.split("/")[0]
    with pytest.raises(UsageError) as error:
        begun(folder)
    assert str(error.value) == (
        f"{in_the_way} is in the way of a training and of no run; move it, or choose another --out"
    )
    assert folder.network.exists()
    assert (folder.path / name).read_text() == "years of work"


def test_a_file_of_its_name_is_left_alone(folder: RunFolder) -> None:
    folder.path.write_text("notes")
    with pytest.raises(UsageError, match=r"lecture-seed0 is in the way of a training and of no run"):
        begun(folder)


def test_a_training_that_has_just_begun_is_left_alone(folder: RunFolder) -> None:
    folder.path.mkdir()
    folder.network.write_text("{}")
    with held(folder), pytest.raises(RunError, match="is being trained by another process"):
        begun(folder)
    assert folder.network.exists()
