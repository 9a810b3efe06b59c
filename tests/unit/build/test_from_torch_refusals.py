"""What from_torch can't translate is refused in one plain sentence, and a wrong translation withheld."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from striate.build.importing import from_torch
from striate.build.importing.assembly import Assembly, verified
from striate.core import Shape, UsageError
from striate.graph import Conv, Dense, GlobalAvgPool

MAPS = Shape((6, 6), 8)


class Body(nn.Module):
    def __init__(self, function: Callable[..., Any], **parts: nn.Module | Tensor) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            if isinstance(part, Tensor):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


class Model(nn.Module):
    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Any:
        return self.body(x)


def refusal_of(function: Callable[..., Any], **parts: nn.Module | Tensor) -> str:
    with pytest.raises(UsageError) as caught:
        from_torch(Model(Body(function, **parts)), MAPS)
    return str(caught.value)


def attention(m: Any, x: Tensor) -> Tensor:
    tokens = x.flatten(2).transpose(1, 2)
    return F.scaled_dot_product_attention(tokens, tokens, tokens)


NO_LAYER = "which Striate has no layer for"
REPLACE = "replace it in the module and import that"


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (attention, f"aten.scaled_dot_product_attention, {NO_LAYER}; {REPLACE}"),
        (lambda m, x: x.exp(), f"aten.exp, {NO_LAYER}; {REPLACE}"),
        (lambda m, x: x**3, f"aten.pow, {NO_LAYER}; {REPLACE}"),
        (lambda m, x: x.clamp(max=1), f"aten.clamp, {NO_LAYER}; {REPLACE}"),
        (lambda m, x: torch.maximum(x, x.relu()), f"aten.maximum, {NO_LAYER}; {REPLACE}"),
        (lambda m, x: torch.max(x, x.relu()), f"aten.max, {NO_LAYER}; {REPLACE}"),
        (
            lambda m, x: x / (x.sigmoid() + 1),
            f"aten.div, which divides by what is computed from the input; {REPLACE}",
        ),
        (
            lambda m, x: x * m.mask,
            f"aten.mul, with a constant that differs from place to place, {NO_LAYER}; {REPLACE}",
        ),
        (
            lambda m, x: F.conv2d(x, x[:, :, :3, :3]),
            "aten.conv2d, whose weights are computed from the input; a layer's weights must be fixed",
        ),
        (
            lambda m, x: F.conv2d(m.mask[:, :8], x[:, :, :3, :3]),
            f"aten.conv2d, on what isn't a volume of the network; {REPLACE}",
        ),
        (
            lambda m, x: F.linear(x, torch.ones(2, 6)),
            f"aten.linear, over other numbers than the channels, {NO_LAYER}; {REPLACE}",
        ),
        (
            lambda m, x: x.softmax(3),
            f"aten.softmax, over other numbers than all channels, {NO_LAYER}; {REPLACE}",
        ),
        (lambda m, x: x.transpose(2, 3), None),
        (
            lambda m, x: torch.cat([x, x], 2),
            f"aten.cat, over other axes than the channels, {NO_LAYER}; {REPLACE}",
        ),
        (
            lambda m, x: torch.cat([x, m.mask.repeat(2, 1, 1, 1)], 1),
            f"aten.cat, with a constant among its volumes, {NO_LAYER}; {REPLACE}",
        ),
        (lambda m, x: x.flip(2), f"aten.flip, over places, {NO_LAYER}; {REPLACE}"),
        (lambda m, x: x[:1], f"aten.slice, over the batch, {NO_LAYER}; {REPLACE}"),
        (lambda m, x: x.mean(), f"aten.mean, {NO_LAYER}; {REPLACE}"),
        (lambda m, x: x.mean((0, 2, 3)), f"aten.mean, over the batch, {NO_LAYER}; {REPLACE}"),
        (lambda m, x: x.amax(1), f"aten.amax, over these axes, {NO_LAYER}; {REPLACE}"),
        (
            lambda m, x: F.max_pool2d(x, 2, return_indices=True)[1].float(),
            f"aten._assert_tensor_metadata, on what isn't a volume of the network; {REPLACE}",
        ),
        (
            lambda m, x: F.avg_pool2d(F.pad(x, (1, 0), value=-torch.inf), 2),
            f"aten.avg_pool2d, on what isn't a volume of the network; {REPLACE}",
        ),
        (
            lambda m, x: F.batch_norm(x, None, None, training=True),
            "aten.batch_norm, which measures each batch also after training; give it running statistics",
        ),
        (
            lambda m, x: F.interpolate(x, size=9),
            "aten.upsample_nearest2d, from 6×6 to 9×9 places, while upsample takes whole factors; "
            "choose another input size",
        ),
        (
            lambda m, x: F.interpolate(x, size=12, mode="bilinear", align_corners=True),
            f"aten.upsample_bilinear2d, with align_corners, {NO_LAYER}; leave it out",
        ),
        (
            lambda m, x: F.adaptive_avg_pool2d(x, 4),
            "aten.adaptive_avg_pool2d, from 6×6 to 4×4 places with windows of unequal size, which Striate "
            "has no layer for; choose an input size that divides evenly",
        ),
        (
            lambda m, x: F.avg_pool2d(x, 2, divisor_override=3),
            f"aten.avg_pool2d, with a divisor of its own, {NO_LAYER}; {REPLACE}",
        ),
        (
            lambda m, x: F.dropout(x, 0.5),
            "aten.dropout, which drops numbers also after training; give it training=self.training",
        ),
        (lambda m, x: x / 0, f"aten.div, by 0; {REPLACE}"),
        (lambda m, x: F.celu(x, 2), f"aten.celu, with an alpha other than 1, {NO_LAYER}; use ELU instead"),
    ],
)
def test_an_operation_is_refused_by_name_and_place(
    function: Callable[..., Any], sentence: str | None
) -> None:
    told = refusal_of(function, mask=torch.rand(1, 8, 6, 6))
    if sentence is not None:
        assert told == f"body uses {sentence}"


def test_an_order_that_no_layer_gives_is_refused() -> None:
    turned = f"on a volume of 6×6×8 seen as 8×6×6, which no layer rearranges; {REPLACE}"
    assert (
        refusal_of(lambda m, x: F.avg_pool2d(x.transpose(2, 3), 2)) == f"body uses aten.avg_pool2d, {turned}"
    )
    assert refusal_of(lambda m, x: x.transpose(2, 3)) == f"the module's output uses a view, {turned}"


def test_what_a_layer_does_not_take_is_refused_with_its_reason() -> None:
    assert refusal_of(lambda m, x: F.pad(x, (1, 0), value=torch.inf)) == (
        "body can't be imported: value of pad: a number that is finite is needed, not inf"
    )
    assert refusal_of(lambda m, x: m.norm(x), norm=nn.GroupNorm(2, 8, eps=0)) == (
        "body.norm can't be imported: epsilon of groupnorm: a number above 0 is needed, not 0.0"
    )


def test_what_depends_on_the_numbers_of_the_input_is_refused(
    capfd: pytest.CaptureFixture[str],
) -> None:
    told = refusal_of(lambda m, x: x if x.sum() > 0 else -x)
    assert told.startswith("torch.export can't follow Model because of '")
    assert told.endswith("'; take what depends on the input's numbers out of its forward")
    assert capfd.readouterr() == ("", "")


def test_a_module_that_fails_is_told_from_one_that_cant_be_followed() -> None:
    with pytest.raises(UsageError) as caught:
        from_torch(nn.Conv2d(3, 4, 1), MAPS)
    assert str(caught.value).startswith("Conv2d fails on inputs of (2, 8, 6, 6) with '")
    assert str(caught.value).endswith("'; give the shapes that it takes")


def test_outputs_that_are_none() -> None:
    constant = "the module gives a tensor that doesn't depend on its input; leave it out of its outputs"
    assert refusal_of(lambda m, x: (x.relu(), torch.ones(2))) == constant
    assert refusal_of(lambda m, x: F.pad(x, (1, 0), value=-torch.inf)) == (
        f"the module's output uses a view, on what isn't a volume of the network; {REPLACE}"
    )
    assert refusal_of(lambda m, x: None) == "the module gives no tensor; return what it computes"


def test_an_input_that_is_not_used_is_refused() -> None:
    class Half(nn.Module):
        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            return a.relu()

    with pytest.raises(
        UsageError, match=r"^input 'b' of shape 6×6×8 leads to no output; use it or leave it out$"
    ):
        from_torch(Half(), MAPS, MAPS)


@pytest.mark.parametrize("shapes", [(), ((8, 6, 6),), (8, 6, 6)])
def test_the_shape_is_a_shape(shapes: Any) -> None:
    with pytest.raises(UsageError) as caught:
        from_torch(nn.ReLU(), *shapes)
    assert str(caught.value) == (
        f"an input's shape is a Shape such as Shape((224, 224), 3), spatial sizes first, "
        f"not {shapes[0]!r}; give one for each input"
        if shapes
        else "the shape of the input is missing; give it, such as Shape((224, 224), 3)"
    )


def test_other_numbers_and_other_devices_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        from_torch(nn.Conv2d(8, 4, 1).half(), MAPS)
    assert (
        str(caught.value) == "the module's 'weight' is of torch.float16; make it 32-bit with .float() first"
    )
    with pytest.raises(UsageError) as caught:
        from_torch(nn.Conv2d(8, 4, 1, device="meta"), MAPS)
    assert str(caught.value) == "the module's 'weight' lies on meta; bring it home with .cpu() first"


def assembled() -> tuple[Assembly, nn.Sequential]:
    original = nn.Sequential(nn.Conv2d(8, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    return Assembly(), original


def test_an_operation_in_place_that_is_not_followed_is_caught_by_the_numbers() -> None:
    """The activation works in place on another view of the same numbers, which nothing in the graph tells."""
    told = refusal_of(lambda m, x: (y := m.conv(x), y.view(-1, 8, 36).relu_(), y)[2], conv=nn.Conv2d(8, 8, 1))
    assert told.startswith("Model and its import differ by ")


def test_what_depends_on_the_size_of_the_batch_is_withheld() -> None:
    assert refusal_of(lambda m, x: x * x.shape[0]).startswith("Model and its import differ by ")
    told = refusal_of(lambda m, x: x.reshape(2, 8, 6, 6))
    assert told.startswith("Model fails on a batch of 3 with 'shape '[2, 8, 6, 6]' is invalid")
    assert told.endswith("'; let its forward take batches of any size")


def test_a_module_that_changes_its_input_is_checked_on_a_copy() -> None:
    network = from_torch(Model(Body(lambda m, x: m.conv(x.mul_(3)), conv=nn.Conv2d(8, 2, 1))), MAPS).network
    assert [node.layer.word for node in network] == ["input", "scale", "conv"]


@pytest.mark.parametrize("given", [None, torch.relu, nn.ReLU])
def test_what_is_no_module(given: Any) -> None:
    with pytest.raises(
        UsageError, match=r"^what is imported must be a torch.nn.Module, not .*; give one with"
    ):
        from_torch(given, MAPS)


def test_inputs_beyond_the_memory() -> None:
    with pytest.raises(UsageError) as caught:
        from_torch(nn.ReLU(), Shape((10**8, 10**8), 3))
    assert str(caught.value) == (
        "inputs of 100000000×100000000×3 don't fit into the memory; give smaller shapes"
    )


def test_numbers_that_are_not_finite_prove_nothing() -> None:
    assert refusal_of(lambda m, x: x * float("nan")) == (
        "Model gives numbers that aren't finite on random input, so its import can't be checked; "
        "give it weights that do"
    )


def test_an_import_that_differs_is_withheld() -> None:
    assembly, original = assembled()
    x = assembly.input(6, 6, 8, name="x")
    y = assembly.add(Conv(4, 1), x, name="0", weight=original[0].weight, bias=original[0].bias)
    y = assembly.add(GlobalAvgPool(), y, name="1")
    right = assembly.add(Dense(2), y, name="3", weight=original[3].weight, bias=original[3].bias)
    wrong = assembly.add(Dense(2), y, name="3", weight=original[3].weight, bias=original[3].bias + 1e-3)
    verified(assembly.finish(right), lambda x: [original(x)])
    with pytest.raises(UsageError) as caught:
        verified(assembly.finish(wrong), lambda x: [original(x)], what="a.onnx")
    assert str(caught.value).startswith(
        "a.onnx and its import differ by 0.001 at output 'dense_3', whose numbers go up to "
    )
    assert str(caught.value).endswith(", so the import is withheld; please report the model")
    with pytest.raises(UsageError) as caught:
        verified(assembly.finish(y), lambda x: [original(x)])
    assert str(caught.value) == (
        "the module gives an output of shape (3, 2) where its import 'globalavgpool_1' gives (3, 4), "
        "so the import is withheld; please report the model"
    )
    with pytest.raises(UsageError, match=r"^the module gives numbers that aren't finite on random input"):
        verified(assembly.finish(right), lambda x: [original(x) / 0])


def test_weights_that_do_not_fit_are_refused_where_they_are_added() -> None:
    assembly, original = assembled()
    x = assembly.input(6, 6, 8, name="x")
    with pytest.raises(UsageError) as caught:
        assembly.add(Conv(4, 1, bias=False), x, name="features.0", weight=original[3].weight)
    assert str(caught.value) == (
        "features.0 can't be imported: 'conv 4 1 nobias' on 6×6×8 takes a weight of 4×8×1×1, "
        "not a weight of 2×4; give the model weights that fit its layers"
    )
    with pytest.raises(
        UsageError, match=r"^fc can't be imported: dense 2: its input 6×6×8 still has spatial axes"
    ):
        assembly.add(Dense(2), x, name="fc")
