"""How a picture of any size is made to fit the height and width of a network's input."""

from PIL import Image

from striate.core import Shape

# ImageNet's networks are tested on the middle 224 places of pictures whose shorter side has 256.
_CENTRE = 7 / 8


def fitted(image: Image.Image, shape: Shape, fit: str) -> Image.Image:
    """The picture with the height and width of `shape`: bilinear, averaging where it shrinks."""
    height, width = shape.spatial
    box, size = placement(image.width, image.height, shape, fit)
    if image.size == size == (width, height):
        return image
    # Cuts without resampling when the box has the size already.
    image = image.resize(size, Image.Resampling.BILINEAR, box=box)
    if size == (width, height):
        return image
    framed = Image.new(image.mode, (width, height))
    framed.paste(image, ((width - size[0]) // 2, (height - size[1]) // 2))
    return framed


def placement(
    width: int, height: int, shape: Shape, fit: str
) -> tuple[tuple[float, float, float, float], tuple[int, int]]:
    """What part of a picture is shown, (left, top, right, bottom), and the (width, height) it is given."""
    new_height, new_width = shape.spatial
    whole = (0.0, 0.0, float(width), float(height))
    if fit == "stretch":
        return whole, (new_width, new_height)
    if fit == "pad":
        scale = min(new_width / width, new_height / height)
        return whole, (max(1, round(width * scale)), max(1, round(height * scale)))
    if width * new_height >= height * new_width:
        shown_width, shown_height = height * new_width / new_height, float(height)
    else:
        shown_width, shown_height = float(width), width * new_height / new_width
    if fit == "centre" and (width, height) != (new_width, new_height):
        shown_width, shown_height = _CENTRE * shown_width, _CENTRE * shown_height
    left, top = (width - shown_width) / 2, (height - shown_height) / 2
    if (shown_width, shown_height) == (new_width, new_height):
        left, top = float(int(left)), float(int(top))
    return (left, top, left + shown_width, top + shown_height), (new_width, new_height)
