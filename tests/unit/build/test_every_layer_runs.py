"""Every layer in every way it may be run: batches of 0 and 1, memory formats, precisions, no numbers."""

import pytest
import torch
from torch import Tensor

from striate.build import NetworkModule, build, weights_of
from striate.core import Shape
from striate.graph import (
    ACTIVATIONS,
    LAYERS,
    LRN,
    Add,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Crop,
    Dense,
    Dropout,
    Embedding,
    Filter,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    GroupNorm,
    Identity,
    Input,
    InputLayer,
    Layer,
    LayerNorm,
    Local,
    LpPool,
    MaxPool,
    Multiply,
    Network,
    Pad,
    PReLU,
    Scale,
    Shuffle,
    Slice,
    SpatialDropout,
    TransposedConv,
    Upsample,
)

VECTOR, SIGNAL, PICTURE, VOXELS = Shape((), 6), Shape((7,), 6), Shape((4, 5), 6), Shape((4, 3, 3), 6)
SPATIAL = [SIGNAL, PICTURE, VOXELS]
ANY = [VECTOR, *SPATIAL]
FILLS = ("zero", "replicate", "reflect", "circular")
FORMATS = {2: torch.channels_last, 3: torch.channels_last_3d}
Case = tuple[Layer, list[Shape]]


def uneven(shape: Shape) -> tuple[tuple[int, int], ...]:
    return ((0, 1), (1, 0), (0, 1))[: len(shape.spatial)]


def windowed(shape: Shape) -> list[Layer]:
    sides = uneven(shape)
    return [
        *(layer for pad in FILLS for layer in (Conv(4, 2, 2, sides, pad=pad), Pad(sides, pad))),
        Conv(6, 2, groups=3), Conv(6, 2, dilation=2, groups=6, bias=False), Conv(4, 3, padding="full"),
        Local(4, 3, padding="same", pad="reflect"), Filter("sharpen", padding="same", pad="replicate"),
        TransposedConv(6, 2, 3, "same"), TransposedConv(6, 3, 2, 1, groups=2, extra=1),
        TransposedConv(6, 3, 2, sides, dilation=2), Filter(("edge", "blur"), 2, sum=True, mean=True),
        *(layer for padding in ("valid", "same", sides) for layer in (
            MaxPool(2, 3, padding, ceil=True), AvgPool(2, 3, padding, ceil=True),
            AvgPool(2, 3, padding, countpad=True), LpPool(2, 3, padding, ceil=True),
        )),
        LpPool(2, p=3.5), MaxPool(3, 1, "same", dilation=2),
        GlobalAvgPool(), GlobalAvgPool(keep=True), GlobalMaxPool(), GlobalMaxPool(keep=True),
        LRN(4, 0.1), Upsample(2), Upsample(3, linear=True), Crop(1), Crop(sides),
    ]  # fmt: skip


def anywhere() -> list[Layer]:
    return [
        BatchNorm(), LayerNorm(), GroupNorm(3), GroupNorm(6), Scale(bias=True), PReLU(), Dropout(),
        SpatialDropout(), Slice(1, 3), Shuffle(3), Flatten(), Identity(), ACTIVATIONS["softmax"](),
    ]  # fmt: skip


CASES: list[Case] = [
    *((layer, [shape]) for shape in SPATIAL for layer in windowed(shape)),
    *((layer, [shape]) for shape in ANY for layer in anywhere()),
    *((activation(), [PICTURE]) for activation in ACTIVATIONS.values()),
    *((layer, [shape] * 2) for shape in ANY for layer in (Add(), Multiply(), Concat())),
    *((Multiply(), [shape, VECTOR]) for shape in SPATIAL),
    *((Dense(4, bias=bias), [VECTOR]) for bias in (True, False)),
]
BY_WORD: dict[str, list[Case]] = {}
for case in CASES:
    BY_WORD.setdefault(case[0].word, []).append(case)
each_layer = pytest.mark.parametrize("word", BY_WORD)


def alone(layer: Layer, shapes: list[Shape]) -> Network:
    sources = [Input(*shape.spatial, shape.depth) for shape in shapes]
    return Network(sources, layer(*sources))


def numbers(shapes: list[Shape], batch: int = 2, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    torch.manual_seed(0)
    return [torch.randn(batch, *shape.tensor, dtype=dtype, requires_grad=True) for shape in shapes]


def stepped(module: NetworkModule, inputs: list[Tensor]) -> Tensor:
    """The output of a training step, whose gradients are all finite."""
    output = module(*inputs)
    assert isinstance(output, Tensor)
    output.float().sum().backward()
    assert bool(output.isfinite().all())
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    assert all(
        tensor.grad is not None and bool(tensor.grad.isfinite().all()) for tensor in (*inputs, *weights)
    )
    return output.detach()


def test_the_table_has_every_layer() -> None:
    assert {*BY_WORD, "input", "embedding"} == set(LAYERS)


@each_layer
def test_batches_of_one_and_of_none(word: str) -> None:
    for layer, shapes in BY_WORD[word]:
        network = alone(layer, shapes)
        module, wanted = build(network), network.nodes[-1].shape.tensor
        for batch in (0, 1):
            # The mean and deviation of a single number aren't defined, those of none neither.
            module.train(word != "batchnorm")
            assert tuple(stepped(module, numbers(shapes, batch)).shape) == (batch, *wanted), str(layer)


@each_layer
def test_channels_last_changes_no_number(word: str) -> None:
    for layer, shapes in BY_WORD[word]:
        axes = len(shapes[0].spatial)
        if axes not in FORMATS:
            continue
        module = build(alone(layer, shapes)).eval()
        plain = numbers(shapes)
        expected = module(*plain).detach()
        last = [
            x.detach().contiguous(memory_format=FORMATS[axes]).requires_grad_() if x.ndim == axes + 2 else x
            for x in plain
        ]
        torch.testing.assert_close(stepped(module, last), expected, rtol=1e-4, atol=1e-5, msg=str(layer))
        if word != "local":  # Its weights have more axes than a memory format.
            module.to(memory_format=FORMATS[axes])
            torch.testing.assert_close(module(*last), expected, rtol=1e-4, atol=1e-5, msg=str(layer))


@each_layer
def test_brain_floats(word: str) -> None:
    for layer, shapes in BY_WORD[word]:
        network = alone(layer, shapes)
        expected = build(network).eval()(*numbers(shapes)).detach()
        module = build(network)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            given = module.eval()(*numbers(shapes))
            stepped(module.train(), numbers(shapes, dtype=torch.bfloat16))
        torch.testing.assert_close(given.float(), expected, rtol=0.1, atol=0.1, msg=str(layer))


@each_layer
def test_doubles(word: str) -> None:
    for layer, shapes in BY_WORD[word]:
        module = build(alone(layer, shapes)).double()
        assert module(*numbers(shapes, dtype=torch.float64)).dtype == torch.float64, str(layer)
        assert all(value.dtype == torch.float64 for value in weights_of(module).values())


@each_layer
def test_shapes_without_numbers(word: str) -> None:
    for layer, shapes in BY_WORD[word]:
        network = alone(layer, shapes)
        output = build(network, device="meta")(
            *(torch.empty(3, *shape.tensor, device="meta") for shape in shapes)
        )
        assert output.is_meta
        assert tuple(output.shape) == (3, *network.nodes[-1].shape.tensor), str(layer)


def test_embeddings_run_in_every_way() -> None:
    source = Input(5, 1, tokens=True)
    network = Network(source, Embedding(9, 4)(source))
    for batch in (0, 1, 3):
        tokens = torch.randint(0, 9, (batch, 1, 5))
        assert build(network)(tokens).shape == (batch, 4, 5)
        assert build(network).double()(tokens).dtype == torch.float64
        with torch.autocast("cpu", dtype=torch.bfloat16):
            build(network)(tokens).float().sum().backward()
    assert build(network, device="meta")(torch.empty(2, 1, 5, dtype=torch.int64, device="meta")).is_meta


TEXT = "80x1 tokens | embedding 50 8 | conv 16 5 relu | globalmaxpool | dense 2"


def test_a_convolutional_network_reads_text() -> None:
    network = Network.parse(TEXT)
    assert network.notation() == TEXT
    assert isinstance(network["input1"].layer, InputLayer)
    assert [str(node.shape) for node in network] == ["80×1", "80×8", "76×16", "76×16", "16", "2"]
    module = build(network, seed=1)
    tokens = torch.randint(0, 50, (6, 1, 80), generator=torch.Generator().manual_seed(0))
    answers = torch.arange(6) % 2
    optimizer = torch.optim.Adam(module.parameters(), lr=0.05)
    losses: list[float] = []
    for _ in range(12):
        loss = torch.nn.functional.cross_entropy(module(tokens), answers)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0], "six texts are learned by heart"
    assert module(tokens.int()).shape == (6, 2)
