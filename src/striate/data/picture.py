"""From a person's picture to the network's input: the one way, for training and predicting alike.

Legend: N pictures, H height, W width, C depth (channels).
"""

import struct
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from striate.core import DataError, Shape, UnknownNameError, UsageError
from striate.data.fit import fitted, placement
from striate.data.formats import open_picture
from striate.data.text import printable_errors
from striate.data.threads import quiet_pillow
from striate.graph import FITS

# What opening or decoding a broken picture raises: in Pillow, in its plugins, and here.
PICTURE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
    Image.DecompressionBombError,
    DataError,
)

_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Pixels = NDArray[np.uint8] | NDArray[np.float32]
RawPicture = Image.Image | NDArray[np.uint8] | NDArray[np.float32]


@printable_errors()
def read_picture(path: Path | str) -> Image.Image:
    """The picture in a file, opened but not decoded: `prepare_picture` decodes no more than it needs.

    Raises UsageError when there is no such file, DataError when it's no picture.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"{path} is no file; give the path of a picture")
    try:
        with quiet_pillow():
            # From memory, so that no file stays open when the picture is never decoded.
            picture = open_picture(BytesIO(path.read_bytes()))
    except PICTURE_ERRORS as error:
        raise _unreadable(str(path), error) from error
    picture.filename = str(path)
    return picture


@printable_errors()
def prepare_picture(picture: Image.Image | NDArray[Any], shape: Shape, fit: str) -> Pixels:
    """One picture as a network's input of that shape takes it: (C, H, W), bytes, or floats as they came.

    Pillow pictures are turned upright, laid over white where transparent, made grey or RGB, and fitted:
    `crop` scales the shorter side and cuts the centre, `centre` does so with the middle seven eighths of a
    picture that hasn't the size yet, `pad` adds black borders, `stretch` ignores the aspect. Byte
    arrays (H, W, C) go the same way unless they have that shape; float arrays must have it.

    Raises UsageError when `shape` isn't a picture's or `fit` isn't known, DataError when the picture
    can't be read or can't become that shape.
    """
    require_picture_input(shape, fit)
    try:
        with quiet_pillow():
            return to_pixels(picture, shape, fit)
    except DataError:
        raise
    except PICTURE_ERRORS as error:
        raise _unreadable(getattr(picture, "filename", "") or "this picture", error) from error


def to_pixels(picture: Image.Image | NDArray[Any], shape: Shape, fit: str) -> Pixels:
    """`prepare_picture` for one of many: raises whatever Pillow does, any of PICTURE_ERRORS."""
    if isinstance(picture, Image.Image):
        return _from_image(picture, shape, fit)
    array = picture[..., None] if picture.ndim == 2 else picture
    if array.ndim != 3 or array.dtype.name not in ("uint8", "float32"):
        axes = "×".join(map(str, picture.shape))
        raise DataError(
            f"an array of {axes} {picture.dtype} is no picture; give height×width×channels, uint8 or float32"
        )
    return _from_array(array, shape, fit)


def require_picture_input(shape: Shape, fit: str) -> None:
    """Raises UsageError unless the shape has a height and a width and the fit is known."""
    if len(shape.spatial) != 2:
        raise UsageError(
            f"pictures need an input of height×width×channels, not {shape}; give one such as 28×28×1"
        )
    if fit not in FITS:
        raise UnknownNameError("fit", fit, FITS)


def can_recolour(depth: int, wanted: int) -> bool:
    """Whether bytes of that depth (grey or RGB, with or without alpha) can become grey or RGB."""
    return depth in (1, 2, 3, 4) and wanted in (1, 3)


def upright_size(image: Image.Image) -> tuple[int, int]:
    """(height, width) of an opened picture once it's turned as its EXIF says; decodes nothing."""
    # Asking a PNG for EXIF that its header hasn't would decode it.
    on_its_side = "exif" in image.info and _orientation(image) in (5, 6, 7, 8)
    return (image.width, image.height) if on_its_side else (image.height, image.width)


def reason(error: Exception) -> str:
    """Why a picture couldn't be read, as a part of a sentence."""
    if isinstance(error, UnidentifiedImageError):
        return "its format isn't known"
    if isinstance(error, Image.DecompressionBombError):
        return "it has more pixels than can be read safely"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error) or type(error).__name__).splitlines()[0]


def _unreadable(name: str, error: Exception) -> DataError:
    return DataError(f"can't read {name} as a picture ({reason(error)}); replace it or leave it out")


def _orientation(image: Image.Image) -> int:
    try:
        said = image.getexif().get(_ORIENTATION_TAG)
    except PICTURE_ERRORS:
        return 1  # nonsense in the EXIF spoils no pixel
    return said if said in _UPRIGHT else 1


def _from_image(image: Image.Image, shape: Shape, fit: str) -> NDArray[np.uint8]:
    if shape.depth not in (1, 3):
        raise DataError(
            f"a picture file is grey or RGB but the network's input has {shape.depth} channels; "
            "give an input of 1 or 3 channels, or arrays"
        )
    _draft(image, shape, fit)
    image.load()
    turn = _UPRIGHT.get(_orientation(image))
    if turn is not None:
        image = image.transpose(turn)
    return _planes(fitted(coloured(image, shape.depth), shape, fit))


def _from_array(array: NDArray[Any], shape: Shape, fit: str) -> Pixels:
    depth = array.shape[2]
    if array.shape == (*shape.spatial, shape.depth):
        return np.ascontiguousarray(array.transpose(2, 0, 1))
    if array.dtype == np.float32:
        raise DataError(
            f"a picture of floats is {'×'.join(map(str, array.shape))} but the network's input {shape}; "
            "floats are neither resized nor recoloured, so give them in the input's shape"
        )
    if can_recolour(depth, shape.depth):
        image = Image.fromarray(array[..., 0] if depth == 1 else array)
        return _planes(fitted(coloured(image, shape.depth), shape, fit))
    if depth == shape.depth:
        planes = [fitted(Image.fromarray(array[..., channel]), shape, fit) for channel in range(depth)]
        return np.stack([np.asarray(plane) for plane in planes])
    raise DataError(
        f"a picture has {depth} channels but the network's input {shape.depth}; "
        f"give pictures of {shape.depth} channels or an input of {depth}"
    )


def _planes(image: Image.Image) -> NDArray[np.uint8]:
    array: NDArray[np.uint8] = np.asarray(image)
    return array[None].copy() if array.ndim == 2 else np.ascontiguousarray(array.transpose(2, 0, 1))


def _draft(image: Image.Image, shape: Shape, fit: str) -> None:
    """Lets a JPEG that shrinks to half or less be decoded at a half, a quarter or an eighth."""
    if not isinstance(image, ImageFile.ImageFile) or max(image.size) < 2 * min(shape.spatial):
        return
    height, width = upright_size(image)
    (left, top, right, bottom), (new_width, new_height) = placement(width, height, shape, fit)
    across, down = int(width * new_width / (right - left)), int(height * new_height / (bottom - top))
    if (height, width) != (image.height, image.width):
        across, down = down, across
    image.draft(None, (max(1, across), max(1, down)))


def coloured(image: Image.Image, depth: int) -> Image.Image:
    """The picture as L (depth 1) or RGB (depth 3), of 8 bits."""
    if image.mode == "F" or image.mode.startswith("I"):
        image = _eight_bit(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if image.mode not in ("1", "L", "RGB"):
        # Not straight to L: Pillow weighs a palette's colours otherwise than an RGB picture's.
        image = image.convert("RGB")
    mode = "L" if depth == 1 else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _eight_bit(image: Image.Image) -> Image.Image:
    """Grey of 16 bits (65,535 is white) or floats (1 is white) as grey of 8 bits."""
    grey: NDArray[Any] = np.asarray(image)
    white = 1 if image.mode == "F" else 65535
    # Written so that nan fails too.
    if not (grey.min() >= 0 and grey.max() <= white):
        raise DataError(
            f"its grey runs from {grey.min()} to {grey.max()}, outside 0 to {white}; save it with 8 bits"
        )
    scaled = np.rint(grey * 255.0) if white == 1 else (grey.astype(np.uint32) + 128) // 257
    return Image.fromarray(scaled.astype(np.uint8))
