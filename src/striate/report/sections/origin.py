"""Where the weights came from that a run began with, and what must be known before they are shipped."""

from striate.report.material import Material
from striate.report.section import Section, section

_SHOWN_DIGITS = 12


def origin(material: Material) -> Section | None:
    """The file, its digest, data and licence; None when a run began with weights of its own."""
    known = material.manifest.origin
    if known is None:
        return None
    return section(
        "origin",
        "Where the weights came from",
        origin=known,
        short=f"{known.sha256[:_SHOWN_DIGITS]}…",
        # Nothing else is made a link, for a manifest may be written by anybody.
        is_link=known.url.startswith("https://"),
        unknown=[
            name
            for name, value in (("licence", known.licence), ("data", known.trained_on))
            if value == "unknown"
        ],
    )
