"""A run's page: one HTML file that needs nothing else, neither a network nor another file."""

import time
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

from markupsafe import Markup

from striate import __version__
from striate.core import StriateError, UsageError
from striate.report.material import Material
from striate.report.section import ASSETS, Section, rendered
from striate.report.sections import SECTIONS
from striate.report.sections.circumstances import when
from striate.runs import Manifest, Run, write_bytes
from striate.train import choose_compute


@dataclass(frozen=True)
class Report:
    """A run's page: its `html`, its parts, and which parts are missing, each with the reason.

    In a notebook it shows itself.
    """

    run: Path
    html: str
    sections: tuple[Section, ...]
    missing: dict[str, str]
    seconds: float

    def save(self, path: str | Path | None = None) -> Path:
        """Writes the page, to the run's `report.html` unless another path is given, and returns where.

        Raises RunError when the system doesn't let it.
        """
        path = self.run / "report.html" if path is None else Path(path)
        write_bytes(path, self.content)
        return path

    @property
    def content(self) -> bytes:
        """The page as it stands in a file; names may hold bytes that are no UTF-8, which are escaped."""
        return self.html.encode("utf-8", "backslashreplace")

    def to_dict(self) -> dict[str, Any]:
        return {
            "run": str(self.run),
            "bytes": len(self.content),
            "seconds": round(self.seconds, 3),
            "sections": [{"name": section.name, "title": section.title} for section in self.sections],
            "missing": self.missing,
        }

    def _repr_html_(self) -> str:
        page = escape(self.content.decode())
        return (
            f'<iframe srcdoc="{page}" sandbox="allow-scripts" title="report" '
            f'style="width:100%;height:80vh;border:1px solid #8884;border-radius:8px"></iframe>'
        )


def report(
    run: Run | str | Path,
    *,
    data: str | Path | None = None,
    device: str | None = None,
    strict: bool = False,
) -> Report:
    """The page about a run, whatever there is of it: a run that was stopped has one too.

    `data` stand in for the run's own data in what is tested and shown; `device` is the one it was trained on,
    where that is here, unless another is named. A part that can't be made is replaced
    by a sentence that says why; with `strict` its error is raised.

    Raises UsageError when there is no such run and RunError when its manifest or network is damaged.
    """
    began = time.perf_counter()
    run = run if isinstance(run, Run) else Run.open(run)
    material = Material(run, data, _device(run) if device is None else device)
    manifest = material.manifest
    _ = material.network  # without it there is nothing to tell
    sections: list[Section] = []
    missing: dict[str, str] = {}
    for title, make in SECTIONS.items():
        try:
            made = make(material)
        except StriateError as error:
            if strict:
                raise
            made = _missing(title, missing, str(error))
        except Exception as error:  # one part's bug must not take the others
            if strict:
                raise
            text = " ".join(f"{type(error).__name__}: {error}".split())
            made = _missing(title, missing, f"{text}; this is a bug, please report it")
        if made is not None:
            sections.append(made)
    html = _page(run, manifest, sections)
    return Report(run.path, html, tuple(sections), missing, time.perf_counter() - began)


def _device(run: Run) -> str:
    """The device that a run was trained on, or the CPU where there is none such."""
    try:
        return str(choose_compute(str(run.manifest.hardware.get("device", "cpu")), "fp32").device)
    except UsageError:
        return "cpu"


def _missing(title: str, missing: dict[str, str], reason: str) -> Section:
    missing[title] = reason
    name = title.lower().replace(" ", "-")
    return Section(name, title, rendered("sections/missing.html", reason=reason))


def _page(run: Run, manifest: Manifest, sections: list[Section]) -> str:
    script, style = _asset("page.js"), _asset("page.css")
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return str(
        rendered(
            "page.html",
            title=run.path.resolve().name,
            subtitle=f"{manifest.network} on {manifest.data.name}",
            manifest=manifest,
            begun=when(manifest.created),
            version=__version__,
            sections=sections,
            script=Markup(script),
            style=Markup(style),
            digest=digest,
        )
    )


def _asset(name: str) -> str:
    """A file of the page's own, which is put into it."""
    return (ASSETS / name).read_text(encoding="utf-8")
