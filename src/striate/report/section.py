"""A part of a page: its title and its HTML, made by a template that escapes whatever it is given."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from striate.core import units

ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True)
class Section:
    """A part of a page; `name` is its anchor."""

    name: str
    title: str
    html: Markup


def section(name: str, title: str, **facts: Any) -> Section:
    """The section whose template has this name."""
    return Section(name, title, rendered(f"sections/{name}.html", **facts))


def rendered(template: str, **facts: Any) -> Markup:
    """What a template makes of facts; every text in them is escaped unless it is Markup."""
    return Markup(_environment().get_template(template).render(facts))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": units.count,
        "size": units.size,
        "duration": units.duration,
        "percent": units.percent,
    }
    return environment
