"""A plan as text for a terminal and as HTML for a notebook."""

from html import escape

from striate.core import units
from striate.plan.plan import Plan, Row

_HEAD = ("node", "layer", "output", "parameters", "MACs", "receptive field")
_MARK = "frozen"  # the column that tells frozen nodes, where there are any
_MARKED = 4  # how many columns come before it
_LEFT = 2  # how many columns, from the first, are words; the others are numbers
_WIDEST_LAYER = 44


def as_text(plan: Plan) -> str:
    """The plan as a table of fixed width, its totals and the training memory below."""
    head, rows = _columns(plan)
    return "\n".join([*table(head, rows, words=_LEFT), *_totals(plan)])


def table(head: tuple[str, ...], rows: list[tuple[str, ...]], *, words: int) -> list[str]:
    """The lines of a table between two rules, its first `words` columns aligned on the left."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    return [_line(head, widths, words), rule, *(_line(row, widths, words) for row in rows), rule]


def _columns(plan: Plan) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The head and the rows of a plan's table."""
    rows = [_cells(row) for row in plan.rows]
    if not plan.frozen:
        return _HEAD, rows
    marks = ("yes" if row.frozen else "" for row in plan.rows)
    marked = [(*row[:_MARKED], mark, *row[_MARKED:]) for row, mark in zip(rows, marks, strict=True)]
    return (*_HEAD[:_MARKED], _MARK, *_HEAD[_MARKED:]), marked


def _cells(row: Row) -> tuple[str, ...]:
    layer = row.layer if len(row.layer) <= _WIDEST_LAYER else row.layer[: _WIDEST_LAYER - 1] + "…"
    return (
        row.name,
        layer,
        str(row.shape),
        units.count(row.parameters),
        units.count(row.macs),
        " ".join(map(str, row.fields.values())) or "–",
    )


def _line(cells: tuple[str, ...], widths: list[int], words: int) -> str:
    padded = [
        cell.ljust(width) if i < words else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()


def _totals(plan: Plan) -> list[str]:
    frozen = f" ({units.count(plan.frozen)} frozen)" if plan.frozen else ""
    statistics = f" and {units.count(plan.statistics)} running statistics" if plan.statistics else ""
    frozen_macs, step = "", ""
    if plan.frozen:
        frozen_macs = f"{units.count(plan.frozen_macs)} frozen; "
        step = f", {units.count(plan.training_macs)} in a training step"
    memory = plan.memory
    kinds = [(kind, size) for kind, size in memory.to_dict().items() if size and kind != "total"]
    listed = ", ".join(f"{kind} {units.size(size)}" for kind, size in kinds)
    return [
        f"{units.count(plan.parameters)} parameters{frozen}{statistics}",
        f"{units.count(plan.macs)} MACs a picture ({frozen_macs}FLOPs are twice as many){step}",
        f"training, batch {plan.batch}, {plan.optimizer}, {plan.precision}: "
        f"about {units.size(memory.total)} ({listed})",
    ]


def as_html(plan: Plan) -> str:
    """The same table for a notebook."""
    names, rows = _columns(plan)
    head = "".join(f"<th>{cell}</th>" for cell in names)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    totals = "<br>".join(escape(line) for line in _totals(plan))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{totals}</p>"
