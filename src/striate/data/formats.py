"""The formats of picture files that are read, by suffix and by content."""

from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageFile

# Pillow reads more, but among those are documents and formats that it hands to other programs.
# Its JPEG opens MPO as well; TGA comes last, since it has no mark of its own.
_SUFFIXES_OF_FORMATS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png", ".apng"),
    "GIF": (".gif",),
    "BMP": (".bmp",),
    "DIB": (".dib",),
    "WEBP": (".webp",),
    "AVIF": (".avif",),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "JPEG2000": (".jp2",),
    "PCX": (".pcx",),
    "ICO": (".ico",),
    "TGA": (".tga",),
}

SUFFIXES = frozenset(suffix for suffixes in _SUFFIXES_OF_FORMATS.values() for suffix in suffixes)
"""The suffixes of picture files, in small letters."""


def open_picture(file: Path | BytesIO) -> ImageFile.ImageFile:
    """The picture in a file, opened but not decoded, whatever its suffix; raises what Pillow does."""
    return Image.open(file, formats=_formats())


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    # Asked for a format that it was built without, Pillow would raise KeyError.
    return tuple(name for name in _SUFFIXES_OF_FORMATS if name in Image.OPEN)
