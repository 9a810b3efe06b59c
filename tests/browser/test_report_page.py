"""A page in a real browser: quiet, accessible, right on any screen, and it answers a pointer and keys.

Playwright drives the Chromium of the system; without one these tests are skipped.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pages import NETWORK, RECIPE, bars
from striate.report import Report, report
from striate.train import train

playwright = pytest.importorskip("playwright.sync_api", reason="playwright isn't installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium in the system; apt-get install chromium"
)

EVIL = ["<script>alert(1)<∕script>", '"><img src=x onerror=alert(2)>', "a'b&c"]
LIGHT, DARK = "rgb(247, 247, 245)", "rgb(16, 18, 22)"


@pytest.fixture(scope="module")
def browser():
    # A browser that root starts refuses its sandbox.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=options)
        yield started
        started.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def made(place: Path) -> Report:
    """A page about classes whose names are code, from files whose names are code."""
    for index, name in enumerate(EVIL):
        for split, count in (("train", 12), ("val", 4), ("test", 8)):
            folder = place / "evil" / split / name
            folder.mkdir(parents=True)
            for row in range(count):
                pixels = bars(12, seed=row)[0][index, :, :, 0]
                Image.fromarray(pixels).save(folder / f"<i onclick=alert(3)>{row}.png")
    run = train(NETWORK, str(place / "evil"), out=place / "<b>run", **RECIPE)
    page = report(run, strict=True)
    page.save()
    return page


@pytest.fixture(scope="module")
def of_many(place: Path) -> Path:
    """A page whose confusion matrix is a picture, and whose network has branches."""
    pictures, labels = bars(300, classes=30)
    np.savez(place / "many.npz", x_train=pictures, y_train=labels)
    network = "add[ conv 4 3 same relu ; conv 4 5 same ] | globalavgpool | dense"
    run = train(network, str(place / "many.npz"), out=place / "many", **RECIPE)
    return report(run, strict=True).save()


class Seen:
    """An opened page, with whatever it said and asked for."""

    def __init__(self, page, path: Path) -> None:
        self.page = page
        self.said: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(path.absolute().as_uri())

    def unfold(self) -> None:
        self.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")


@pytest.fixture
def opened(browser, made: Report) -> Iterator:
    """Opens a page, with options of the browser's; nothing may be said, and nothing but itself asked for."""
    contexts, all_seen = [], []

    def go(path: Path = made.run / "report.html", width: int = 1280, **options) -> Seen:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        seen = Seen(context.new_page(), path)
        all_seen.append(seen)
        return seen

    yield go
    for seen in all_seen:
        assert seen.said == []
        assert [url for url in seen.asked if not url.startswith(("file:", "data:"))] == []
    for context in contexts:
        context.close()


def violations(seen: Seen) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(seen.page).response["violations"]
    return [f"{one['id']}: {node['html']} {node['failureSummary']}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing(opened, of_many: Path, scheme: str, width: int) -> None:
    for path in (None, of_many):
        seen = opened(*([path] if path else []), width=width, color_scheme=scheme)
        seen.unfold()
        assert violations(seen) == []


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_no_page_is_wider_than_its_screen(opened, of_many: Path, width: int) -> None:
    for path in (None, of_many):
        seen = opened(*([path] if path else []), width=width)
        seen.unfold()
        assert seen.page.evaluate("document.documentElement.scrollWidth") == width
        wide = seen.page.evaluate(
            """() => [...document.querySelectorAll('main *')].filter((one) =>
                one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.scroll, pre')
            ).map((one) => one.outerHTML.slice(0, 80))"""
        )
        assert wide == []


def test_names_are_shown_as_they_are_and_do_nothing(opened) -> None:
    seen = opened()
    heads = seen.page.locator("#confusion .matrix tbody th").all_inner_texts()
    assert sorted(heads) == sorted(EVIL)
    assert seen.page.locator("h1").inner_text() == "<b>run"
    assert seen.page.locator("[onclick], [onerror], main script, i, b").count() == 0


def test_pointing_tells_the_numbers(opened) -> None:
    page = opened().page
    cell = page.locator("#confusion td.right").first
    cell.hover()
    assert page.locator("#tip").inner_text() == cell.get_attribute("data-tip")
    page.locator("#network .box.work").first.hover()
    assert page.locator("#tip").inner_text().startswith("conv1 → relu1\nconv 4 3 | relu\noutput 6×6×4\n")
    page.keyboard.press("Escape")
    assert page.locator("#tip").is_hidden()


def test_curves_answer_a_pointer(opened) -> None:
    page = opened().page
    chart = page.locator("#curves .chart svg").first
    box = chart.bounding_box()
    chart.hover(position={"x": box["width"] * 0.2, "y": box["height"] / 2})
    first = page.locator("#tip").inner_text().splitlines()
    chart.hover(position={"x": box["width"] * 0.9, "y": box["height"] / 2})
    last = page.locator("#tip").inner_text().splitlines()
    assert (first[0], last[0]) == ("epoch 1", "epoch 2")
    page.locator("#curves summary").click()
    rows = page.locator("#curves tbody tr").all_inner_texts()
    assert first[1] == f"training {float(rows[0].split()[1]):.4g}"
    assert last[1] == f"training {float(rows[1].split()[1]):.4g}"


def test_curves_answer_keys(opened) -> None:
    page = opened().page
    slider = page.get_by_role("slider", name="loss by epoch")
    slider.focus()
    told = page.locator("#curves output").first
    assert told.inner_text().startswith("epoch 2: training ")
    page.keyboard.press("ArrowLeft")
    assert told.inner_text().startswith("epoch 1: training ")
    assert slider.get_attribute("aria-valuetext") == told.inner_text()
    assert page.locator("#curves .cursor").first.get_attribute("visibility") == "visible"


def test_a_matrix_of_many_classes_answers_a_pointer(opened, of_many: Path) -> None:
    page = opened(of_many).page
    image = page.locator(".heat img")
    box = image.bounding_box()
    image.hover(position={"x": box["width"] * 3.5 / 30, "y": box["height"] * 7.5 / 30})
    assert page.locator("#tip").inner_text().startswith("7 taken for 3: ")
    image.hover(position={"x": box["width"] * 7.5 / 30, "y": box["height"] * 7.5 / 30})
    assert page.locator("#tip").inner_text().startswith("7 told right: ")


def background(page) -> str:
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_the_theme_is_the_systems_until_another_is_chosen(opened) -> None:
    assert background(opened(color_scheme="dark").page) == DARK
    page = opened(color_scheme="light").page
    assert background(page) == LIGHT
    button = page.get_by_role("button", name="Theme: auto")
    button.click()
    button = page.get_by_role("button", name="Theme: light")
    button.click()
    assert background(page) == DARK
    page.reload()
    assert background(page) == DARK
    page.get_by_role("button", name="Theme: dark").click()
    assert background(page) == LIGHT


def test_a_wide_graph_begins_in_its_middle(opened, of_many: Path) -> None:
    page = opened(of_many, width=320).page
    middle, box = page.evaluate(
        """() => {
            const graph = document.querySelector(".graph").getBoundingClientRect();
            const first = document.querySelector(".box.input").getBoundingClientRect();
            return [graph.left + graph.width / 2, first.left + first.width / 2];
        }"""
    )
    assert abs(middle - box) < 60


def test_without_scripts_the_page_still_tells_all(opened) -> None:
    page = opened(java_script_enabled=False).page
    assert page.locator("#curves svg").first.is_visible()
    assert page.locator("#curves tbody td").first.is_hidden()
    page.locator("#curves summary").click()
    assert page.locator("#curves tbody td").first.is_visible()
    assert page.locator("#theme").is_hidden()
    assert page.locator("#tip").is_hidden()


def test_paper_shows_the_whole_network(opened) -> None:
    page = opened(color_scheme="dark").page
    page.emulate_media(media="print")
    assert page.locator("nav").is_hidden()
    heights = page.evaluate(
        "(() => { const g = document.querySelector('.graph'); return [g.scrollHeight, g.clientHeight]; })()"
    )
    assert heights[0] == heights[1]
    assert page.evaluate("getComputedStyle(document.querySelector('h2')).color") == "rgb(28, 30, 34)"


def test_keys_reach_the_content_and_what_scrolls(opened) -> None:
    page = opened().page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.wait_for_url("**#content")
    page.locator(".graph").focus()
    assert page.evaluate("document.activeElement.classList.contains('graph')")


def test_in_a_notebook_it_shows_itself(opened, made: Report, place: Path) -> None:
    notebook = place / "notebook.html"
    notebook.write_text(
        f"<!DOCTYPE html><html lang=en><meta charset=utf-8><title>n</title>{made._repr_html_()}",
        encoding="utf-8",
    )
    seen = opened(notebook)
    frame = seen.page.frame_locator("iframe")
    assert frame.locator("h1").inner_text() == "<b>run"
    frame.get_by_role("button", name="Theme: auto").click()
    assert frame.get_by_role("button", name="Theme: light").is_visible()
