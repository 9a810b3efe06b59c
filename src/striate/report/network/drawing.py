"""A network drawn as a graph of boxes, for a page whose styles colour it."""

from dataclasses import dataclass

from striate.graph import Network
from striate.plan import Plan
from striate.report.network.boxes import Box, boxes_of
from striate.report.network.folding import Fold, folded
from striate.report.network.layered import layered

_LINE, _PADDING, _MARGIN = 17.0, 9.0, 14.0
# A guess of the mean width of a letter in a wide font at the drawing's size.
_LETTER, _BOLD, _NARROWEST = 7.1, 7.8, 118.0
_FRAME = 12.0


@dataclass(frozen=True)
class PlacedBox:
    """A box, its top left corner and its size; `rows` are its lines of text with their baselines."""

    box: Box
    x: float
    y: float
    width: float
    height: float
    rows: tuple[tuple[float, str, str], ...]

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(frozen=True)
class Frame:
    """A frame around boxes that stand for several such groups."""

    x: float
    y: float
    width: float
    height: float
    times: int


@dataclass(frozen=True)
class Drawing:
    """What is drawn: boxes, the lines between them as SVG paths, and frames around what repeats."""

    width: float
    height: float
    boxes: tuple[PlacedBox, ...]
    paths: tuple[str, ...]
    frames: tuple[Frame, ...]
    told: str


def drawn(network: Network, plan: Plan) -> Drawing:
    """The drawing of a network, from top to bottom, branches side by side, repeated groups once."""
    boxes, folds = folded(boxes_of(network, plan))
    rows = [_rows(box) for box in boxes]
    sizes = [(_width(texts), _LINE * len(texts) + 2 * _PADDING) for texts in rows]
    edges = [(source, index) for index, box in enumerate(boxes) for source in box.inputs]
    layout = layered(sizes, edges)
    placed: list[PlacedBox] = []
    for box, texts, (width, height), (x, y) in zip(boxes, rows, sizes, layout.centres, strict=True):
        top = y - height / 2 + _MARGIN
        lines = tuple(
            (top + _PADDING + _LINE * (i + 0.75), kind, text) for i, (kind, text) in enumerate(texts)
        )
        placed.append(PlacedBox(box, x - width / 2 + _MARGIN, top, width, height, lines))
    paths = tuple(_path([(x + _MARGIN, y + _MARGIN) for x, y in line]) for line in layout.lines)
    frames = tuple(_frame(fold, placed) for fold in folds)
    # A frame's number stands beside it.
    right = max((frame.x + frame.width + 44 for frame in frames), default=0.0)
    return Drawing(
        max(layout.width + 2 * _MARGIN, right),
        layout.height + 2 * _MARGIN,
        tuple(placed),
        paths,
        frames,
        _told(network, boxes, folds),
    )


def _rows(box: Box) -> list[tuple[str, str]]:
    """A box's lines with their kinds: what it does, and what comes out of it with how many weights."""
    last = f"{box.shape} · {box.weights}" if box.weights else box.shape
    return [*(("layer" if i == 0 else "more", line) for i, line in enumerate(box.lines)), ("shape", last)]


def _width(rows: list[tuple[str, str]]) -> float:
    letters = {"layer": _BOLD}
    return max(
        _NARROWEST, *(letters.get(kind, _LETTER) * len(text) + 2 * _PADDING + 4 for kind, text in rows)
    )


def _path(points: list[tuple[float, float]]) -> str:
    """A smooth line through points: curves from rank to rank, straight through a rank."""
    (x, y), *rest = points
    parts = [f"M{x:.1f} {y:.1f}"]
    for i, (to_x, to_y) in enumerate(rest):
        middle = (y + to_y) / 2
        is_straight = i % 2 == 1 or x == to_x
        curve = f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}"
        parts.append(f"L{to_x:.1f} {to_y:.1f}" if is_straight else curve)
        x, y = to_x, to_y
    return "".join(parts)


def _frame(fold: Fold, placed: list[PlacedBox]) -> Frame:
    inside = placed[fold.start : fold.end]
    left, top = min(one.x for one in inside), min(one.y for one in inside)
    right = max(one.x + one.width for one in inside)
    bottom = max(one.y + one.height for one in inside)
    return Frame(
        left - _FRAME, top - _FRAME, right - left + 2 * _FRAME, bottom - top + 2 * _FRAME, fold.times
    )


def _told(network: Network, boxes: list[Box], folds: list[Fold]) -> str:
    """The drawing in a sentence, for who can't see it."""
    ends = [
        f"{' and '.join(f'{network[name].shape}' for name in names)}"
        for names in (network.inputs, network.outputs)
    ]
    parts = sum(len(box.inputs) > 1 for box in boxes)
    branches = f", {parts} places where branches meet" if parts else ""
    repeats = f", {len(folds)} repeated groups drawn once" if folds else ""
    return (
        f"A graph of {len(network)} layers from an input of {ends[0]} to an output of {ends[1]}"
        f"{branches}{repeats}. The table of layers below says the same in words."
    )
