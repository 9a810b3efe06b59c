"""What tests of pages share: a page read as HTML, made pictures, and how to train on them for a moment."""

from html.parser import HTMLParser

import numpy as np

RECIPE = {"epochs": 2, "batch": 16, "validation": 0.1, "precision": "fp32", "device": "cpu", "quiet": True}
NETWORK = "conv 4 3 relu | flatten | dense"
VOID = {"meta", "img", "link", "br", "hr", "input"}


class Page(HTMLParser):
    """A page's elements in order, with their attributes; closing tags must match what they close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self._open):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def bars(count: int, classes: int = 3, depth: int = 1, side: int = 8, seed: int = 0):
    """Noise with a bright bar whose place tells the class: pictures (N, H, W, C) and labels (N,)."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    pictures = rng.integers(0, 160, (count, side, side, depth))
    for index, label in enumerate(labels):
        pictures[index, :, 2 * (label % 4) : 2 * (label % 4) + 2] += 60
    return pictures.astype(np.uint8), labels
