"""From pictures to answers: train, test, predict, resume and runs, on a folder made for it."""

import csv
import io
import json
import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

SMALL = ("--network", "conv 2 3 relu | flatten | dense", "--quiet")


def test_train_tells_one_object(striate, pets: Path) -> None:
    told = striate("train", "--data", pets, *SMALL, "--epochs", "2", "--json", "--out", "out/one")
    document = json.loads(told.out)
    assert (told.code, told.err) == (0, "")
    assert (document["format"], document["version"]) == ("striate.train", 1)
    assert (document["run"], document["state"], document["network"]) == ("out/one", "done", "network")
    assert (document["epochs_done"], document["best_epoch"] in (1, 2)) == (2, True)
    assert document["train_seconds"] > 0
    for name in ("val_accuracy", "test_accuracy"):
        assert 0 <= document[name] <= 1
    assert "out/one/figures/curves.png" in document["figures"]
    for figure in document["figures"]:
        with Image.open(figure) as picture:
            assert picture.format == "PNG"


def test_train_tells_people(striate, pets: Path) -> None:
    told = striate("train", "--data", pets, *SMALL, "--epochs", "1")
    lines = told.out.splitlines()
    assert (told.code, told.err) == (0, "")
    assert [line.split("  ")[0] for line in lines] == [
        *("validation accuracy", "test accuracy", "training time", "run", "figure", "figure"),
        *(["figure"] if Path("runs/pets-network-1/figures/mistakes.png").exists() else []),
    ]
    assert lines[1].endswith(" of 10")
    assert lines[3] == "run  runs/pets-network-1"


def test_progress_goes_to_stderr(striate, pets: Path) -> None:
    told = striate("train", "--data", pets, *SMALL[:2], "--epochs", "1", "--json")
    json.loads(told.out)
    assert "epoch 1" in told.err


def test_the_flag_beats_the_environment(striate, pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_EPOCHS", "2")
    monkeypatch.setenv("STRIATE_RUNS", "elsewhere")
    train = ("train", "--data", pets, *SMALL, "--json")
    told = [json.loads(striate(*train, *more).out) for more in ((), ("--epochs", "1"))]
    assert [document["epochs_done"] for document in told] == [2, 1]
    assert [document["run"] for document in told] == ["elsewhere/pets-network-1", "elsewhere/pets-network-2"]


def test_a_second_training_never_overwrites(striate, pets: Path, run: Path) -> None:
    before = (run / "run.json").read_bytes()
    told = striate("train", "--data", pets, *SMALL, "--epochs", "1", "--out", run)
    assert told == (
        2,
        "",
        f"striate: {run} is already there and nothing is overwritten; choose another --out, "
        f"or go on with it by 'striate resume {run}'\n",
    )
    assert (run / "run.json").read_bytes() == before


def test_a_run_that_is_done_is_not_resumed(striate, run: Path) -> None:
    assert striate("resume", run) == (1, "", f"striate: {run} is done; there is nothing left to resume\n")


def test_test_tells_what_training_did(striate, run: Path) -> None:
    manifest = json.loads((run / "run.json").read_bytes())
    told = striate("test", run, "--json")
    document = json.loads(told.out)
    assert (told.code, told.err, document["format"]) == (0, "", "striate.test")
    assert (document["run"], document["split"], document["count"]) == (str(run), "test", 10)
    assert document["accuracy"] == document["test_accuracy"] == manifest["results"]["test_accuracy"]
    assert document["train_seconds"] == manifest["results"]["train_seconds"]
    assert [entry["name"] for entry in document["classes"]] == ["cat", "dog"]
    assert sum(map(sum, document["confusion"])) == 10
    text = striate("test", run, "--split", "train")
    assert text.code == 0
    assert text.out.splitlines()[0].startswith("train: ")


def test_other_data_are_tested_when_their_classes_agree(striate, run: Path, pets: Path) -> None:
    told = striate("test", run, "--data", pets, "--split", "train", "--json")
    assert (told.code, json.loads(told.out)["count"]) == (0, 40)
    told = striate("test", run, "--split", "tset")
    assert told == (2, "", "striate: unknown split of pets 'tset'; did you mean 'test'?\n")
    (pets / "train" / "dog").rename(pets / "train" / "owl")
    (pets / "test" / "dog").rename(pets / "test" / "owl")
    assert striate("test", run, "--data", pets) == (
        2,
        "",
        f"striate: pets has the classes cat, owl but {run} was trained on cat, dog; "
        "give data with the same classes\n",
    )


def test_predict_tells_people(striate, run: Path, pets: Path) -> None:
    told = striate("predict", run, pets / "test" / "cat" / "0.png", pets / "test" / "dog")
    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    assert [Path(line.split("  ")[0]).name for line in lines] == ["0.png", *(f"{i}.png" for i in range(5))]
    for line in lines:
        shares = [part.rsplit(" ", 2) for part in line.split("  ")[1:]]
        assert sorted(name for name, _, _ in shares) == ["cat", "dog"]
        assert sum(float(share) for _, share, _ in shares) == pytest.approx(100, abs=0.11)


def test_predict_goes_on_past_bad_files(striate, run: Path, pets: Path) -> None:
    good = pets / "test" / "dog" / "1.png"
    Path("bad.png").write_text("no picture")
    words = ("predict", run, "bad.png", good, "gone.png")
    messages = [
        "can't read bad.png as a picture (its format isn't known); replace it or leave it out",
        "gone.png is no file; give the path of a picture",
    ]
    text = striate(*words)
    assert (text.code, len(text.out.splitlines())) == (1, 1)
    assert text.err.splitlines() == [f"striate: {message}" for message in messages]

    told = striate(*words, "--json")
    predictions = json.loads(told.out)["predictions"]
    assert (told.code, told.err) == (1, "")
    assert [one.get("error") for one in predictions] == [messages[0], None, messages[1]]
    assert predictions[1]["path"] == str(good)
    assert sum(predictions[1]["probabilities"].values()) == pytest.approx(1)
    assert predictions[1]["label"] == max(
        predictions[1]["probabilities"], key=predictions[1]["probabilities"].get
    )

    table = striate(*words, "--csv")
    rows = list(csv.DictReader(io.StringIO(table.out)))
    assert (table.code, table.err) == (1, "")
    assert list(rows[0]) == ["path", "class", "cat", "dog", "error"]
    assert [row["error"] for row in rows] == [messages[0], "", messages[1]]
    assert rows[1]["class"] == predictions[1]["label"]
    assert float(rows[1]["cat"]) == pytest.approx(predictions[1]["probabilities"]["cat"])


def test_predict_refuses_what_it_cannot_do(striate, run: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    for words, message in [
        ((run, "nothing"), "nothing holds no pictures; give a folder with some, or files"),
        ((run, "x.png", "--json", "--csv"), "--json and --csv both shape the answer; choose one"),
    ]:
        assert striate("predict", *words) == (2, "", f"striate: {message}\n")


@pytest.mark.parametrize("verb", ["resume", "test", "predict"])
def test_what_is_no_run_is_told_of(striate, verb: str) -> None:
    more = ("x.png",) if verb == "predict" else ()
    message = "striate: nowhere is no run: it has no run.json; name a run's folder\n"
    assert striate(verb, "nowhere", *more) == (2, "", message)


def test_a_run_without_weights_is_told_of(striate, run: Path, pets: Path) -> None:
    copy = shutil.copytree(run, "copy")
    weights = Path(copy) / "weights" / "best.safetensors"
    weights.unlink()
    message = f"{weights} is missing; the run didn't get that far, or the file was removed"
    assert striate("predict", copy, pets / "test") == (1, "", f"striate: {message}\n")
    weights.write_bytes(b"\0" * 20)
    told = striate("predict", copy, pets / "test")
    assert (told.code, told.out) == (1, "")
    assert told.err.startswith(f"striate: {weights} is damaged: ")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_no_text_are_names_all_the_same(striate, pets: Path) -> None:
    data, out = pets.rename("pets \udcff"), "out \udcff"
    told = striate("train", "--data", data, *SMALL, "--epochs", "1", "--out", out)
    assert (told.code, told.err) == (0, "")
    assert "\nrun  out \\udcff\n" in told.out
    assert json.loads(striate("test", out, "--json").out)["run"] == out
    assert striate("predict", out, data / "test").code == 0


def test_runs_are_listed_newest_last(striate, run: Path) -> None:
    assert striate("runs") == (0, "no runs in runs; striate train --data mnist-5k makes one\n", "")
    for name, created in (("b", "2026-01-01T00:00:00+00:00"), ("a", "2026-01-02T00:00:00+00:00")):
        shutil.copytree(run, Path("runs") / name)
        path = Path("runs") / name / "run.json"
        document = json.loads(path.read_bytes()) | {"created": created}
        del document["sha256"]
        path.write_text(json.dumps(document))
    (Path("runs") / "broken").mkdir()
    (Path("runs") / "broken" / "run.json").write_text("{}")
    (Path("runs") / "notes").mkdir()
    told = striate("runs")
    lines = told.out.splitlines()
    assert (told.code, told.err) == (0, "")
    assert lines[0].startswith(
        "runs/broken  damaged: runs/broken/run.json is damaged at command: field required"
    )
    results = json.loads((run / "run.json").read_bytes())["results"]
    for line, name in zip(lines[1:], ("b", "a"), strict=True):
        assert line.startswith(
            f"runs/{name}  done  network  pets  val {100 * results['val_accuracy']:.2f} %  test "
        )
    document = json.loads(striate("runs", "runs", "--json").out)
    assert [entry["run"] for entry in document["runs"]] == ["runs/broken", "runs/b", "runs/a"]
    assert document["runs"][1]["test_accuracy"] == results["test_accuracy"]
    assert document["runs"][0]["state"] == "damaged"


def test_the_values_of_recipes_are_options(striate, pets: Path) -> None:
    words = "--schedule step --milestones 0.3 0.6 --warmup 0.1 --ema 0.9 --patience 5 --smoothing 0.1"
    more = "--mixup 0.2 --cutmix 1 --balance weights --clip 1 --accumulate 2 --epochs 1 --validation 0.2"
    told = striate("train", "--data", pets, *SMALL, *words.split(), *more.split(), "--out", "out")
    assert (told.code, told.err) == (0, "")
    recipe = json.loads(Path("out/run.json").read_bytes())["recipe"]
    assert (recipe["schedule"], recipe["milestones"], recipe["warmup"]) == ("step", [0.3, 0.6], 0.1)
    values = [recipe[name] for name in ("ema", "patience", "smoothing", "mixup", "cutmix", "balance", "clip")]
    assert values == [0.9, 5, 0.1, 0.2, 1.0, "weights", 1.0]


def test_a_training_of_so_long(striate, pets: Path) -> None:
    told = striate("train", "--data", pets, *SMALL, "--time", "0.5s", "--json", "--out", "out")
    assert told.code == 0
    assert json.loads(told.out)["epochs_done"] >= 1
    told = striate("train", "--data", pets, *SMALL, "--time", "soon")
    assert told == (2, "", "striate: 'soon' is no length of time; write it as 60s, 5m or 1h30m\n")


def test_lr_finds_a_rate(striate, pets: Path) -> None:
    told = striate("lr", "--data", pets, *SMALL, "--out", "rates")
    assert (told.code, told.err) == (0, "")
    first, second = told.out.splitlines()
    assert first.startswith("learning rate  0.")
    assert second == "figure  rates/rates.png"
    document = json.loads(striate("lr", "--data", pets, *SMALL, "--out", "more", "--json").out)
    assert (document["format"], document["figures"]) == ("striate.lr", ["more/rates.png"])
    assert len(document["rates"]) == len(document["losses"])


def test_overfit_tells_by_its_exit_code(striate, pets: Path) -> None:
    told = striate("train", "--data", pets, *SMALL, "--overfit", "--lr", "0.02")
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("the network learns a batch of 36 by heart: the loss went from ")
    told = striate("train", "--data", pets, *SMALL, "--overfit", "--lr", "1e-9")
    lines = told.out.splitlines()
    assert (told.code, lines[0].startswith("the network can't learn a batch of 36 by heart")) == (1, True)
    assert lines[1].startswith("- the loss has stopped falling at --lr 1e-09: ")
    document = json.loads(striate("train", "--data", pets, *SMALL, "--overfit", "--lr", "0.02", "--json").out)
    assert (document["format"], document["is_fitted"], document["advice"]) == ("striate.overfit", True, [])
    assert not Path("runs").exists()
