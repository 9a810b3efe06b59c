"""How loss and accuracy went from epoch to epoch."""

from typing import Any

from striate.report.chart import Chart, Series, chart
from striate.report.material import Material
from striate.report.section import Section, section

_SPLITS = (("train", "training"), ("val", "validation"))


def curves(material: Material) -> Section | None:
    """A chart of each measure, of every output its own; None before the first epoch's end."""
    metrics = material.metrics
    if not metrics:
        return None
    charts = [one for key, label, scale in _measures(metrics) if (one := _chart(metrics, key, label, scale))]
    columns = list(dict.fromkeys(key for entry in metrics for key in entry))
    return section(
        "curves",
        "Curves",
        charts=charts,
        best=material.manifest.results.best_epoch,
        columns=[column.replace("_", " ") for column in columns],
        entries=[[_number(entry.get(column)) for column in columns] for entry in metrics],
    )


def _measures(metrics: list[dict[str, Any]]) -> list[tuple[str, str, float]]:
    """The measures of a training: the key behind `train_` or `val_`, its label and its scale."""
    measures = [("loss", "loss", 1.0)]
    for key in (key.removeprefix("train_") for key in metrics[0] if key.startswith("train_")):
        name, _, kind = key.rpartition("_")
        if kind == "accuracy":
            measures.append((key, f"{name}: accuracy, %" if name else "accuracy, %", 100.0))
        elif name:
            measures.append((key, f"{name}: loss", 1.0))
    return measures


def _chart(metrics: list[dict[str, Any]], key: str, label: str, scale: float) -> Chart | None:
    series: list[Series] = []
    for split, name in _SPLITS:
        points = [(e["epoch"], scale * e[f"{split}_{key}"]) for e in metrics if f"{split}_{key}" in e]
        if points:
            series.append(Series(name, tuple(x for x, _ in points), tuple(y for _, y in points)))
    return chart(label, "epoch", series) if series else None


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.5g}"
