"""Pages about runs of every kind: whole, self-contained, escaped, and with what there is."""

import json
import re
import shutil
from collections import Counter
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pages import NETWORK, RECIPE, Page, bars
from striate.core import DataError, RunError, UsageError
from striate.report import report
from striate.runs import Manifest, Origin, Run
from striate.train import train

KINDS = ("classified", "of_many_classes", "regressed", "of_two_outputs", "of_tokens", "untested")


@pytest.fixture
def copied(classified: Run, tmp_path: Path) -> Run:
    """A copy of a run, to be damaged at will."""
    return Run.open(shutil.copytree(classified.path, tmp_path / "copy"))


def named(html: str) -> list[str | None]:
    return [one["id"] for one in Page(html).all("section")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_well_formed_and_needs_nothing_else(kind: str, request: pytest.FixtureRequest) -> None:
    page = report(request.getfixturevalue(kind), strict=True)
    read = Page(page.html)
    assert page.missing == {}
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert Counter(ids).most_common(1)[0][1] == 1
    for _, attributes in read.elements:
        for name in ("src", "href", "srcset", "action", "data", "xlink:href"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/", "#")), value
    style = re.search("<style>(.*?)</style>", page.html, re.DOTALL)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    policy = next(one for one in read.all("meta") if one.get("http-equiv") == "Content-Security-Policy")
    assert (policy["content"] or "").startswith("default-src 'none'; img-src data:;")
    anchors = [(one["href"] or "")[1:] for one in read.all("a")]
    assert set(anchors) <= set(ids)


@pytest.mark.parametrize("kind", KINDS)
def test_headings_follow_each_other_and_pictures_have_words(
    kind: str, request: pytest.FixtureRequest
) -> None:
    read = Page(report(request.getfixturevalue(kind)).html)
    levels = [int(tag[1]) for tag, _ in read.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    assert all("alt" in one for one in read.all("img"))
    assert all(one.get("aria-label") for one in read.all("svg"))
    assert all(one.get("scope") in ("col", "row") for one in read.all("th"))


def test_the_parts_of_a_classifier(classified: Run) -> None:
    page = report(classified)
    assert named(page.html) == [
        *("headline", "network", "cost", "curves", "confusion", "calibration", "mistakes", "why", "filters"),
        *("data", "recipe", "environment"),
    ]
    text = Page(page.html).text
    accuracy = classified.results.test_accuracy
    assert accuracy is not None
    assert f"{100 * accuracy:.2f} %" in text
    assert "conv 4 3" in text
    told = classified.evaluation("test")
    assert told is not None
    cells = [one for one in Page(page.html).all("td") if "data-tip" in one]
    counts = [int((one["data-tip"] or "").rpartition(": ")[2].split(",")[0]) for one in cells]
    assert counts == [n for row in told["confusion"] for n in row]
    points = json.loads(Page(page.html).all("figure")[0]["data-points"] or "")
    assert [one["values"][0][1] for one in points] == [f"{e['train_loss']:.4g}" for e in classified.metrics]


def with_origin(run: Run, **changes: str | None) -> Run:
    """The run as if it had begun with published weights."""
    origin = Origin.model_validate(
        {
            "source": "torchvision:resnet18",
            "file": "resnet18-f37072fd.pth",
            "sha256": "f37072fd" + "0" * 56,
            "licence": "unknown",
            "url": "https://download.pytorch.org/models/resnet18-f37072fd.pth",
            "trained_on": "ImageNet-1k",
        }
        | changes
    )
    path = run.path / "run.json"
    Manifest.read(path).model_copy(update={"origin": origin}).save(path)
    return Run.open(run.path)


def test_where_the_weights_came_from_is_told(copied: Run) -> None:
    page = report(with_origin(copied, cut="layer4_1_relu"), strict=True)
    assert named(page.html)[-4:] == ["origin", "data", "recipe", "environment"]
    text = " ".join(Page(page.html).text.split())
    for told in (
        "torchvision:resnet18",
        "resnet18-f37072fd.pth",
        "f37072fd0000…",
        "ImageNet-1k",
        "up to layer4_1_relu",
        "Nobody states the licence of these weights: find out before you ship what was trained from them.",
    ):
        assert told in text
    assert f'title="f37072fd{"0" * 56}"' in page.html
    (link,) = [one for one in Page(page.html).all("a") if not (one["href"] or "").startswith("#")]
    assert link["href"] == "https://download.pytorch.org/models/resnet18-f37072fd.pth"


def test_an_origin_that_is_known_warns_of_nothing_and_only_the_webs_addresses_are_links(copied: Run) -> None:
    run = with_origin(copied, licence="MIT", url="javascript:alert(1)", file="<b>bold</b>")
    page = report(run, strict=True)
    assert "Nobody states" not in page.html
    assert "all of it" in Page(page.html).text
    assert "&lt;b&gt;bold&lt;/b&gt;" in page.html
    assert all((one["href"] or "").startswith("#") for one in Page(page.html).all("a"))
    page = report(with_origin(copied, trained_on="unknown", url=""), strict=True)
    assert "Nobody states the licence and the data of these weights" in page.html
    assert "published at" not in page.html


def test_mistakes_are_the_pictures_that_were_told_wrong_worst_first(classified: Run) -> None:
    kept = classified.predictions("test")
    scores, labels = kept["scores"], kept["labels"]
    wrong = scores.argmax(axis=1) != labels
    assert wrong.any()
    page = Page(report(classified).html)
    tips = [one["data-tip"] or "" for one in page.all("li") if "was given" in (one.get("data-tip") or "")]
    assert len(tips) == min(24, wrong.sum())
    shares = torch.from_numpy(scores).softmax(dim=1).numpy()[np.arange(len(labels)), labels]
    given = [float(tip.split("given ")[1].split(" %")[0]) for tip in tips]
    np.testing.assert_allclose(given, 100 * np.sort(shares[wrong])[: len(given)], atol=0.006)


def test_many_classes_are_a_picture_with_its_numbers(of_many_classes: Run) -> None:
    page = Page(report(of_many_classes).html)
    heat = next(one for one in page.all("figure") if one.get("class") == "heat")
    facts = json.loads(heat["data-facts"] or "")
    told = of_many_classes.evaluation("test")
    assert told is not None
    matrix = np.zeros((30, 30), int)
    for row, column, count in facts["cells"]:
        matrix[row, column] = count
    np.testing.assert_array_equal(matrix, told["confusion"])
    assert facts["classes"] == list(of_many_classes.manifest.data.classes)


def test_regressions_show_answers_against_the_truth(regressed: Run) -> None:
    page = report(regressed)
    assert "regression" in named(page.html)
    assert not {"confusion", "mistakes"} & set(named(page.html))
    circles = [one for one in Page(page.html).all("circle") if one.get("class") == "point"]
    assert len(circles) == 2 * len(regressed.predictions("test")["labels"])
    told = regressed.evaluation("test")
    assert told is not None
    assert f"{told['rmse'][1]:.4g}" in Page(page.html).text


def test_every_output_of_several_is_told(of_two_outputs: Run) -> None:
    page = report(of_two_outputs)
    assert {"regression", "confusion", "mistakes"} <= set(named(page.html))
    text = Page(page.html).text
    assert "kind: test accuracy" in text
    assert "price: test error" in text
    assert "kind: accuracy, %" in text


def test_what_is_no_picture_has_no_pictures(of_tokens: Run) -> None:
    page = report(of_tokens)
    assert "mistakes" not in named(page.html)
    assert "confusion" in named(page.html)
    assert Page(page.html).all("img") == []


def test_a_run_without_validation_has_a_page(untested: Run) -> None:
    text = Page(report(untested, strict=True).html).text
    assert "test accuracy" in text


def test_the_plan_stands_beside_what_was_measured(classified: Run) -> None:
    text = Page(report(classified, strict=True).html).text
    weights = sum(array.size for array in classified.weights().values())
    # 4 filters of 3×3 and a dense layer of 4×6×6 on 3: planned and kept alike.
    assert weights == 4 * 10 + 3 * 145
    assert f"numbers kept {weights} {weights}" in text
    assert re.search(r"memory of a step [\d.]+ KiB [\d.]+ KiB", text)
    assert re.search(r"arithmetic of training [\d.]+ kFLOP [\d.]+ [MG]FLOP/s", text)


def test_without_its_data_a_run_still_has_a_page(copied: Run, classified: Run, place: Path) -> None:
    (place / "bars.npz").rename(place / "gone.npz")
    try:
        page = report(copied)
        with pytest.raises((UsageError, DataError)):
            report(copied, strict=True)
    finally:
        (place / "gone.npz").rename(place / "bars.npz")
    assert set(page.missing) == {"Mistakes", "Why these answers"}
    assert "bars.npz" in page.missing["Mistakes"]
    text = Page(page.html).text
    assert "The data themselves can’t be shown" in text
    assert "test accuracy" in text


def test_other_data_can_stand_in(classified: Run, tmp_path: Path) -> None:
    pictures, labels = bars(30, seed=5)
    np.savez(tmp_path / "other.npz", x_test=pictures, y_test=labels)
    text = Page(report(classified, data=tmp_path / "other.npz", strict=True).html).text
    assert "of 30 rows" in text


def test_without_weights_what_was_tested_is_told(copied: Run) -> None:
    shutil.rmtree(copied.path / "weights")
    page = report(copied)
    assert page.missing == {}
    assert "no weights have been saved" in Page(page.html).text


def test_a_run_that_was_stopped_before_its_first_epoch_has_a_page(copied: Run) -> None:
    for name in ("weights", "figures", "state"):
        shutil.rmtree(copied.path / name)
    for name in ("metrics.jsonl", "metrics.csv", "test.json", "test.safetensors", "val.json"):
        (copied.path / name).unlink()
    (copied.path / "val.safetensors").unlink()
    document = json.loads((copied.path / "run.json").read_text())
    document.pop("sha256")
    document["files"].pop("metrics.jsonl")
    document |= {"state": "stopped", "reason": "stopped <before> it began", "results": {}}
    (copied.path / "run.json").write_text(json.dumps(document))
    page = report(copied, strict=True)
    assert named(page.html) == ["headline", "network", "cost", "data", "recipe", "environment"]
    text = Page(page.html).text
    assert "The training was stopped before its end. Its reason: stopped <before> it began." in text
    assert "no epoch has ended" in text


def test_a_part_that_fails_is_replaced_by_its_reason(
    classified: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sections = import_module("striate.report.sections")

    def broken(material: object) -> None:
        raise ZeroDivisionError("by <nothing>")

    def refused(material: object) -> None:
        raise RunError("<b>weights</b> are missing; restore them")

    monkeypatch.setitem(sections.SECTIONS, "Curves", broken)
    monkeypatch.setitem(sections.SECTIONS, "Confusion", refused)
    page = report(classified)
    assert page.missing == {
        "Curves": "ZeroDivisionError: by <nothing>; this is a bug, please report it",
        "Confusion": "<b>weights</b> are missing; restore them",
    }
    assert "couldn’t be made: <b>weights</b> are missing; restore them" in Page(page.html).text
    assert "<b>" not in page.html
    assert "environment" in named(page.html)
    with pytest.raises(ZeroDivisionError):
        report(classified, strict=True)


def test_names_are_escaped_wherever_they_stand(tmp_path: Path) -> None:
    evil = ["<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "a'b&c</style>"]
    pictures, labels = bars(60)
    np.savez(tmp_path / "evil.npz", x=pictures, y=labels, classes=evil)
    for index, name in enumerate(evil):
        for split, count in (("train", 8), ("test", 4)):
            folder = tmp_path / "evil" / split / name.replace("/", "∕")
            folder.mkdir(parents=True)
            for row in range(count):
                Image.fromarray(bars(12, seed=row)[0][index, :, :, 0]).save(folder / f"<i>{row}&.png")
    run = train(NETWORK, str(tmp_path / "evil"), out=tmp_path / "<b>run", **RECIPE)
    page = report(run, strict=True)
    read = Page(page.html)
    assert len(read.all("script")) == 1
    assert len(read.all("style")) == 1
    assert not any(name.startswith("on") for _, attributes in read.elements for name in attributes)
    assert not {"i", "b"} & {tag for tag, _ in read.elements}
    assert "<script>alert(1)<∕script>" in read.text


def test_a_page_is_written_where_it_is_asked_for(copied: Run, tmp_path: Path) -> None:
    page = report(copied)
    assert page.save() == copied.path / "report.html"
    assert page.save(tmp_path / "new" / "page.html") == tmp_path / "new" / "page.html"
    assert (copied.path / "report.html").read_bytes() == page.content
    facts = page.to_dict()
    assert facts["bytes"] == len(page.content)
    assert [one["name"] for one in facts["sections"]] == named(page.html)
    assert json.loads(json.dumps(facts)) == facts
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="a file stands where a folder must be; choose another path"):
        page.save(tmp_path / "file" / "page.html")


def test_in_a_notebook_a_page_shows_itself_in_a_frame(classified: Run) -> None:
    html = report(classified)._repr_html_()
    (frame,) = Page(html).all("iframe")
    assert frame["sandbox"] == "allow-scripts"
    assert (frame["srcdoc"] or "").startswith("<!DOCTYPE html>")


def test_there_is_no_page_of_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is no run: it has no run\.json; name a run's folder"):
        report(tmp_path)


def test_random_numbers_and_gradients_are_left_as_they_were(classified: Run) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    report(classified, strict=True)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.is_grad_enabled()


def test_calibration_is_that_of_the_test(classified: Run) -> None:
    told = classified.evaluation("test")
    assert told is not None
    text = Page(report(classified).html).text
    assert f"expected error {100 * told['calibration_error']:.2f} %" in text
    assert f"loss, nats {told['loss']:.4f}" in text
    assert "One temperature, by which all scores are divided, was fitted on the validation split" in text


def test_answers_are_explained_right_ones_and_wrong_ones(classified: Run) -> None:
    kept = classified.predictions("test")
    wrong = int((kept["scores"].argmax(axis=1) != kept["labels"]).sum())
    text = Page(report(classified, strict=True).html).text
    assert text.count("Sure and right: ") == text.count("Barely right: ") == 1
    assert len(re.findall(r"Wrong: \S+ taken for \S+, ", text)) == min(2, wrong)
    for method in ("occlusion", "integrated gradients", "Grad-CAM", "LRP"):
        assert method in text
    assert len(re.findall(r"deletion \d\.\d\d, insertion \d\.\d\d", text)) >= 2 + min(2, wrong)


def test_a_larger_network_is_asked_by_quick_methods_and_a_huge_one_not_at_all(
    classified: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    why = import_module("striate.report.sections.why")

    monkeypatch.setattr(why, "_THOROUGH_MACS", 0)
    text = Page(report(classified, strict=True).html).text
    assert "guided backpropagation" in text
    assert "insertion" not in text
    monkeypatch.setattr(why, "_QUICK_MACS", 0)
    text = Page(report(classified, strict=True).html).text
    assert f"striate look why {classified.path}" in text


def test_every_filter_is_drawn(classified: Run) -> None:
    tips = [one.get("data-tip") or "" for one in Page(report(classified).html).all("li")]
    norms = np.linalg.norm(classified.weights()["conv1.weight"].reshape(4, -1), axis=1)
    found = [tip for tip in tips if tip.startswith("filter ")]
    order = np.argsort(-norms)
    assert [tip.splitlines()[0] for tip in found] == [f"filter {i}, norm {norms[i]:.3g}" for i in order]
