"""`striate look transfer`, from a run made for tests to the pictures it was trained on."""

import json
from pathlib import Path

from PIL import Image


def test_it_tells_each_stage_and_draws(striate, run: Path, made_pets: Path) -> None:
    told = striate("look", "transfer", "--from", run, "--data", made_pets)
    lines = told.out.splitlines()
    assert (told.code, told.err) == (0, "")
    assert lines[0].endswith("on pets: linear probes on 40 pictures, judged on 10 of 'test'")
    assert any(line.startswith("cut at '") for line in lines)
    path = lines[-1].removeprefix("bars: ")
    with Image.open(path) as picture:
        assert picture.format == "PNG"
    assert path.endswith("-on-pets-transfer.png")


def test_it_tells_programs_and_draws_where_it_is_told(striate, run: Path, made_pets: Path) -> None:
    told = striate("look", "transfer", "--from", run, "--data", made_pets, "--json", "--out", "deep/it.png")
    document = json.loads(told.out)
    assert [document[name] for name in ("format", "version", "data", "figure")] == [
        "striate.look.transfer",
        1,
        "pets",
        "deep/it.png",
    ]
    assert document["cut"] in [probe["node"] for probe in document["probes"]]
    assert Path("deep/it.png").is_file()


def test_what_is_no_source_is_refused(striate, made_pets: Path) -> None:
    told = striate("look", "transfer", "--from", "nobody", "--data", made_pets)
    assert told.code == 2
    assert "unknown network 'nobody'" in told.err
