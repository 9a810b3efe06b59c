"""Tiny modules, one for each operation of the table, become networks with equal outputs."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from striate.build import NetworkModule, weights_of
from striate.build.importing import from_torch
from striate.core import Shape
from striate.graph import Conv, Layer

MAPS = Shape((6, 6), 8)
SIGNAL = Shape((12,), 4)
VOXELS = Shape((4, 4, 4), 2)
VECTOR = Shape((), 8)


class Does(nn.Module):
    """A module whose forward is a function, with the parts that it uses."""

    def __init__(self, function: Callable[..., Any], **parts: nn.Module | nn.Parameter | Tensor) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            if isinstance(part, Tensor) and not isinstance(part, nn.Parameter):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(self, *inputs)


def drawn(module: nn.Module) -> nn.Module:
    """The module with numbers in place of the constants that a norm starts from."""
    generator = torch.Generator().manual_seed(1)
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        if tensor.is_floating_point() and tensor.ndim == 1:
            least = 0.5 if name.endswith(("weight", "var")) else -0.5
            tensor.data.uniform_(least, 1.5, generator=generator)
    return module


def imported(module: nn.Module, *shapes: Shape) -> NetworkModule:
    """The module's import, its outputs compared once more with other numbers than the import's own."""
    module = drawn(module)
    network = from_torch(module, *shapes)
    inputs = [torch.randn(3, *shape.tensor, generator=torch.Generator().manual_seed(7)) for shape in shapes]
    with torch.no_grad():
        wanted, got = module.eval()(*(one.clone() for one in inputs)), network(*inputs)
    if isinstance(wanted, Tensor):
        wanted, got = (wanted,), (got,)
    for one, other in zip(wanted, got, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-5)
    return network


def layers(network: NetworkModule) -> list[Layer]:
    return [node.layer for node in network.network][1:]


def words(network: NetworkModule) -> str:
    return " ".join(layer.word for layer in layers(network))


def said(network: NetworkModule) -> list[str]:
    return [str(layer) for layer in layers(network)]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even")
@pytest.mark.parametrize(
    ("module", "shape", "step"),
    [
        (nn.Conv2d(8, 4, 3), MAPS, "conv 4 3"),
        (
            nn.Conv2d(8, 4, (3, 1), (2, 1), (1, 0), bias=False),
            MAPS,
            "conv 4 3x1 stride=2x1 padding=1x0 nobias",
        ),
        (nn.Conv2d(8, 16, 3, padding="same", groups=4), MAPS, "conv 16 3 padding=1 groups=4"),
        (nn.Conv2d(8, 4, 2, padding="same"), MAPS, "conv 4 2 padding=0-1x0-1"),
        (nn.Conv2d(8, 4, 3, padding=2, dilation=2), MAPS, "conv 4 3 padding=2 dilation=2"),
        (nn.Conv2d(8, 4, 3, padding=1, padding_mode="reflect"), MAPS, "conv 4 3 padding=1 reflect"),
        (nn.Conv2d(8, 4, 3, padding=1, padding_mode="circular"), MAPS, "conv 4 3 padding=1 circular"),
        (nn.Conv1d(4, 2, 3), SIGNAL, "conv 2 3"),
        (nn.Conv3d(2, 3, 2), VOXELS, "conv 3 2"),
        (
            nn.ConvTranspose2d(8, 4, 3, 2, padding=1, output_padding=1),
            MAPS,
            "transposed 4 3 stride=2 padding=1 extra=1",
        ),
        (nn.ConvTranspose1d(4, 2, 2, 2), SIGNAL, "transposed 2 2 stride=2"),
        (nn.Linear(8, 3), VECTOR, "dense 3"),
        (nn.Linear(8, 3, bias=False), VECTOR, "dense 3 nobias"),
        (nn.MaxPool2d(2), MAPS, "maxpool 2"),
        (nn.MaxPool2d(3, 2, 1, ceil_mode=True), MAPS, "maxpool 3 stride=2 padding=1 ceil"),
        (nn.MaxPool2d(2, dilation=2, stride=1), MAPS, "maxpool 2 stride=1 dilation=2"),
        (nn.MaxPool1d(2), SIGNAL, "maxpool 2"),
        (nn.AvgPool2d(3, 2, 1), MAPS, "avgpool 3 stride=2 padding=1 countpad"),
        (nn.AvgPool2d(3, 2, 1, count_include_pad=False), MAPS, "avgpool 3 stride=2 padding=1"),
        (nn.AvgPool3d(2), VOXELS, "avgpool 2"),
        (nn.AdaptiveAvgPool2d(1), MAPS, "globalavgpool keep"),
        (nn.AdaptiveMaxPool2d(1), MAPS, "globalmaxpool keep"),
        (nn.AdaptiveAvgPool2d((3, 2)), MAPS, "avgpool 2x3"),
        (nn.AdaptiveAvgPool2d(12), MAPS, "upsample 2"),
        (nn.LPPool2d(2.0, 2), MAPS, "lppool 2"),
        (nn.LocalResponseNorm(3, alpha=0.1), MAPS, "lrn 3 alpha=0.1"),
        (nn.BatchNorm2d(8, eps=1e-3), MAPS, "batchnorm epsilon=0.001"),
        (nn.BatchNorm2d(8, affine=False), MAPS, "batchnorm"),
        (nn.BatchNorm1d(8), VECTOR, "batchnorm"),
        (nn.GroupNorm(2, 8), MAPS, "groupnorm 2"),
        (nn.InstanceNorm2d(8, affine=True), MAPS, "groupnorm 8"),
        (nn.InstanceNorm2d(8), MAPS, "groupnorm 8 frozen"),
        (nn.InstanceNorm2d(8, affine=True, track_running_stats=True), MAPS, "batchnorm"),
        (nn.LayerNorm(8), VECTOR, "layernorm"),
        (nn.LayerNorm(8, elementwise_affine=False), VECTOR, "layernorm frozen"),
        (nn.LayerNorm((8, 6, 6), elementwise_affine=False), MAPS, "groupnorm 1 frozen"),
        (nn.Dropout(0.3), MAPS, "dropout 0.3"),
        (nn.Dropout2d(0.3), MAPS, "spatialdropout 0.3"),
        (nn.ReLU(), MAPS, "relu"),
        (nn.ReLU6(), MAPS, "relu6"),
        (nn.LeakyReLU(0.2), MAPS, "leaky 0.2"),
        (nn.PReLU(8), MAPS, "prelu"),
        (nn.PReLU(), MAPS, "prelu"),
        (nn.ELU(0.5), MAPS, "elu 0.5"),
        (nn.CELU(), MAPS, "elu"),
        (nn.SELU(), MAPS, "selu"),
        (nn.GELU(), MAPS, "gelu"),
        (nn.GELU("tanh"), MAPS, "gelu tanh"),
        (nn.SiLU(), MAPS, "silu"),
        (nn.Mish(), MAPS, "mish"),
        (nn.Sigmoid(), MAPS, "sigmoid"),
        (nn.Hardsigmoid(), MAPS, "hardsigmoid"),
        (nn.Hardswish(), MAPS, "hardswish"),
        (nn.Tanh(), MAPS, "tanh"),
        (nn.Softplus(), MAPS, "softplus"),
        (nn.Softsign(), MAPS, "softsign"),
        (nn.Softmax(dim=1), MAPS, "softmax"),
        (nn.Softmax2d(), MAPS, "softmax"),
        (nn.Upsample(scale_factor=2), MAPS, "upsample 2"),
        (nn.Upsample(scale_factor=(1, 2), mode="bilinear"), MAPS, "upsample 1x2 linear"),
        (nn.Upsample(scale_factor=2, mode="linear"), SIGNAL, "upsample 2 linear"),
        (nn.ZeroPad2d((1, 0, 2, 0)), MAPS, "pad 2-0x1-0"),
        (nn.ZeroPad2d(-1), MAPS, "crop 1"),
        (nn.ConstantPad2d(1, 0.5), MAPS, "pad 1 value=0.5"),
        (nn.ReflectionPad2d(1), MAPS, "pad 1 reflect"),
        (nn.ReplicationPad1d(2), SIGNAL, "pad 2 replicate"),
        (nn.Flatten(), MAPS, "flatten"),
        (nn.ChannelShuffle(2), MAPS, "shuffle 2"),
        (nn.PixelShuffle(2), MAPS, "transposed 2 2 frozen stride=2 nobias groups=2"),
        (nn.PixelUnshuffle(2), MAPS, "conv 32 2 frozen stride=2 nobias groups=8"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_module_of_torch_is_one_layer(module: nn.Module, shape: Shape, step: str) -> None:
    assert said(imported(module, shape)) == [step]


@pytest.mark.parametrize(
    ("function", "steps"),
    [
        (lambda m, x: F.hardtanh(x), "scale relu6 scale"),
        (lambda m, x: x.clamp(0, 6), "relu6"),
        (lambda m, x: x.clamp_min(0), "relu"),
        (lambda m, x: F.relu6(x + 3) / 6, "scale relu6 scale"),
        (lambda m, x: F.softplus(x, beta=2), "scale softplus scale"),
        (lambda m, x: x * 2 + 1, "scale scale"),
        (lambda m, x: 1 - x, "scale"),
        (lambda m, x: -x / 4, "scale scale"),
        (lambda m, x: x - x.relu(), "relu scale add"),
        (lambda m, x: torch.add(x, x.relu(), alpha=0.5), "relu scale add"),
        (lambda m, x: x * x.sigmoid(), "sigmoid multiply"),
        (lambda m, x: x**2 + x.square(), "multiply multiply add"),
        (lambda m, x: torch.cat([x, x.relu()], 1), "relu concat"),
        (lambda m, x: torch.stack([x, x.relu()], 1).sum(1), "relu concat slice slice add"),
        (lambda m, x: torch.stack([x, x.relu()], 1).mean(1), "relu concat slice slice add scale"),
        (lambda m, x: x.mean(1, keepdim=True), "conv"),
        (lambda m, x: x * x.mean(1, keepdim=True).sigmoid(), "conv sigmoid multiply"),
        (lambda m, x: x * x.mean((2, 3), keepdim=True), "globalavgpool multiply"),
        (lambda m, x: x + x.mean((2, 3), keepdim=True), "globalavgpool upsample add"),
        (lambda m, x: x + x.mean((2, 3))[:, :, None, None], "globalavgpool upsample add"),
        (lambda m, x: x * x.mean((2, 3))[:, :, None, None].expand_as(x), "globalavgpool multiply"),
        (lambda m, x: x * x.amax(3, keepdim=True), "maxpool upsample multiply"),
        (lambda m, x: x.mean(2, keepdim=True), "avgpool"),
        (lambda m, x: x.sum((2, 3)), "globalavgpool scale"),
        (lambda m, x: x.flatten(2).mean(2), "globalavgpool"),
        (lambda m, x: x.max(2, keepdim=True)[0], "maxpool"),
        (lambda m, x: x[:, 2:5], "slice"),
        (lambda m, x: x[:, ::2], "conv"),
        (lambda m, x: x[:, [2, 0, 1]], "conv"),
        (lambda m, x: x.flip(1), "conv"),
        (lambda m, x: x[:, 3:4] * x, "slice multiply"),
        (lambda m, x: x[:, :, 1:, :-2], "crop crop"),
        (lambda m, x: x[:, :, ::2, 1::2], "maxpool crop maxpool"),
        (lambda m, x: x.chunk(2, 1)[1], "slice"),
        (lambda m, x: torch.cat(x.split([2, 6], 1)[::-1], 1), "slice slice concat"),
        (lambda m, x: x.view(-1, 2, 4, 6, 6).unbind(1)[1], "slice"),
        (lambda m, x: x.view(-1, 4, 2, 6, 6)[:, :, 1], "conv"),
        (lambda m, x: x.view(-1, 2, 4, 6, 6).sum(2), "conv"),
        (lambda m, x: x.view(-1, 2, 4, 36).transpose(1, 2).reshape(-1, 8, 6, 6), "shuffle"),
        (lambda m, x: x.reshape(-1, 2, 2, 2, 6, 6).permute(0, 3, 2, 1, 4, 5).reshape(-1, 8, 6, 6), "conv"),
        (lambda m, x: x.view(-1, 8, 3, 2, 3, 2).permute(0, 3, 5, 1, 2, 4).reshape(-1, 32, 3, 3), "conv"),
        (
            lambda m, x: x.view(-1, 2, 4, 6, 6).softmax(1).view(-1, 8, 6, 6),
            "slice slice scale add sigmoid scale concat",
        ),
        (lambda m, x: F.pad(x, (0, 0, 0, 0, 2, 2)), "conv"),
        (lambda m, x: F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-torch.inf), 3, 2), "maxpool"),
        (
            lambda m, x: F.interpolate(x.mean((2, 3), keepdim=True), size=3, mode="bilinear"),
            "globalavgpool upsample",
        ),
        (
            lambda m, x: F.dropout(F.dropout2d(x, training=False), 0.2, training=False),
            "spatialdropout dropout",
        ),
        (lambda m, x: x.to(torch.float64).float().type_as(x).relu(), "relu"),
        (lambda m, x: F.alpha_dropout(x.contiguous().clone(), training=False).relu(), "relu"),
    ],
)
def test_functions_become_layers(function: Callable[..., Tensor], steps: str) -> None:
    assert words(imported(Does(function), MAPS)) == steps


@pytest.mark.parametrize(
    ("function", "steps"),
    [
        (lambda x: x.permute(0, 2, 3, 1).contiguous().view(x.shape[0], -1), "dropout flatten dense"),
        (lambda x: x.flatten(2).transpose(1, 2).flatten(1), "dropout flatten dense"),
        (lambda x: x.permute(0, 3, 1, 2).flatten(1), "dropout flatten dense"),
        (lambda x: x.view(-1, 2, 4, 36).transpose(1, 2).flatten(1), "dropout flatten dense"),
    ],
)
def test_weights_are_put_in_the_order_of_what_is_flattened(
    function: Callable[[Tensor], Tensor], steps: str
) -> None:
    module = Does(lambda m, x: m.scores(function(m.drop(x))), drop=nn.Dropout(), scores=nn.Linear(288, 5))
    got = imported(module, MAPS)
    assert words(got) == steps
    assert all(weight.requires_grad for weight in got.parameters())


def test_padding_before_a_convolution_becomes_its_own() -> None:
    module = nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(8, 4, 3, stride=2, padding=1))
    assert said(imported(module, MAPS)) == ["conv 4 3 stride=2 padding=1-2x1-2"]


def test_channels_last_is_seen_through() -> None:
    """ConvNeXt's block: depthwise, permuted, normalised and weighed over the channels, permuted back."""

    def block(m: Any, x: Tensor) -> Tensor:
        y = m.norm(m.mix(x).permute(0, 2, 3, 1))
        return x + (m.narrow(F.gelu(m.widen(y))) * m.gamma).permute(0, 3, 1, 2)

    module = Does(
        block,
        mix=nn.Conv2d(8, 8, 3, padding=1, groups=8),
        norm=nn.LayerNorm(8),
        widen=nn.Linear(8, 16),
        narrow=nn.Linear(16, 8),
        gamma=nn.Parameter(torch.full((8,), 1e-6)),
    )
    network = imported(module, MAPS)
    assert words(network) == "conv layernorm conv gelu conv scale add"
    assert not network.network["scale"].layer.frozen


def test_places_as_tokens_are_seen_through() -> None:
    module = Does(
        lambda m, x: m.fc(m.norm(x.flatten(2).transpose(1, 2))).mean(1),
        norm=nn.LayerNorm(8),
        fc=nn.Linear(8, 5),
    )
    assert words(imported(module, MAPS)) == "layernorm conv globalavgpool"


def test_squeeze_and_excite_of_convolutions_or_of_dense_layers() -> None:
    convolved = Does(
        lambda m, x: x * m.up(m.down(x.mean((2, 3), keepdim=True)).relu()).sigmoid(),
        down=nn.Conv2d(8, 2, 1),
        up=nn.Conv2d(2, 8, 1),
    )
    assert words(imported(convolved, MAPS)) == "globalavgpool conv relu conv sigmoid multiply"
    dense = Does(
        lambda m, x: x * m.up(m.down(x.mean((2, 3))).relu()).sigmoid()[:, :, None, None],
        down=nn.Linear(8, 2),
        up=nn.Linear(2, 8),
    )
    assert words(imported(dense, MAPS)) == "globalavgpool dense relu dense sigmoid multiply"


def test_a_convolution_of_a_vector_is_dense() -> None:
    module = Does(lambda m, x: m.fc(x.mean((2, 3))[:, :, None, None]).flatten(1), fc=nn.Conv2d(8, 3, 1))
    assert words(imported(module, MAPS)) == "globalavgpool dense"


def test_what_does_not_depend_on_the_input_is_computed_once() -> None:
    """A standardised kernel is trained in the original, so its result is; a fixed one's is frozen."""

    def forward(m: Any, x: Tensor) -> Tensor:
        weight = (m.weight - m.weight.mean((1, 2, 3), keepdim=True)) / m.weight.std((1, 2, 3), keepdim=True)
        blur = (m.blur[:, None] * m.blur[None, :])[None, None].repeat(4, 1, 1, 1)
        return F.conv2d(F.conv2d(x, weight), blur, stride=2, groups=4)

    kernel = nn.Parameter(torch.randn(4, 8, 3, 3, generator=torch.Generator().manual_seed(0)))
    network = imported(Does(forward, weight=kernel, blur=torch.tensor([1.0, 2.0, 1.0])), MAPS)
    assert said(network) == ["conv 4 3 nobias", "conv 4 3 frozen stride=2 nobias groups=4"]


def test_constants_of_channels_are_scales_wherever_they_stand() -> None:
    mean = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    module = Does(
        lambda m, x: ((x - m.mean[:, None, None]).permute(0, 2, 3, 1) / m.mean).permute(0, 3, 1, 2), mean=mean
    )
    network = imported(module, MAPS)
    assert said(network) == ["scale frozen bias", "scale frozen"]
    grouped = Does(lambda m, x: (x.view(-1, 2, 4, 36) * m.mean.view(2, 4, 1)).view(-1, 8, 6, 6), mean=mean)
    torch.testing.assert_close(weights_of(imported(grouped, MAPS))["scale.weight"], drawn(grouped).mean)


def test_frozen_weights_stay_frozen() -> None:
    module = nn.Sequential(nn.Conv2d(8, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1))
    module[:2].requires_grad_(False)
    assert ["frozen" in step for step in said(imported(module, MAPS))] == [True, True, False]


def test_operations_in_place_are_seen_by_who_comes_later() -> None:
    def forward(m: Any, x: Tensor) -> Tensor:
        y = m.conv(x)
        z = y.relu_()
        return torch.cat([y, z.mul_(2), y], 1)

    several = Does(forward, conv=nn.Conv2d(8, 4, 1))
    assert words(imported(several, MAPS)) == "conv relu scale concat"
    residual = Does(lambda m, x: x + F.relu_(m.conv(x)).add_(x), conv=nn.Conv2d(8, 8, 1))
    assert words(imported(residual, MAPS)) == "conv relu add add"
    kept = Does(lambda m, x: (y := m.conv(x), F.relu(y, inplace=True), y)[2], conv=nn.Conv2d(8, 4, 1))
    assert words(imported(kept, MAPS)) == "conv relu"


def test_no_grad_in_a_forward_is_seen_through() -> None:
    def forward(m: Any, x: Tensor) -> Tensor:
        with torch.no_grad():
            y = x * 2
        return m.conv(y)

    assert words(imported(Does(forward, conv=nn.Conv2d(8, 2, 1)), MAPS)) == "scale conv"


def test_a_module_that_is_taken_whole_may_be_used_twice() -> None:
    module = Does(lambda m, x: m.norm(m.norm(x).relu()), norm=nn.LocalResponseNorm(3))
    assert words(imported(module, MAPS)) == "lrn relu lrn"


def test_a_map_of_one_place_is_one_for_a_window_and_none_for_dense() -> None:
    window = Does(lambda m, x: m.conv(x.mean((2, 3))[:, :, None, None]), conv=nn.Conv2d(8, 2, 3, padding=1))
    assert said(imported(window, MAPS)) == ["globalavgpool keep", "conv 2 3 padding=1"]
    dense = Does(lambda m, x: m.fc(F.avg_pool2d(x, 6).squeeze(-1).squeeze(-1)), fc=nn.Linear(8, 2))
    assert words(imported(dense, MAPS)) == "avgpool flatten dense"
    pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2))
    assert said(imported(pooled, MAPS)) == ["globalavgpool", "dense 2"]


def test_reparametrised_weights_are_computed() -> None:
    normed = nn.utils.parametrizations.weight_norm(nn.Conv2d(8, 2, 1))
    assert said(imported(normed, MAPS)) == ["conv 2 1"]


def test_a_module_that_is_used_twice_becomes_two_nodes() -> None:
    module = Does(lambda m, x: m.act(m.conv(m.act(m.conv(x)))), conv=nn.Conv2d(8, 8, 1), act=nn.ReLU())
    network = imported(module, MAPS)
    assert [node.name for node in network.network] == ["inputs_0", "conv", "act", "conv_2", "act_2"]
    weights = weights_of(network)
    assert torch.equal(weights["conv.weight"], weights["conv_2.weight"])


def test_names_are_those_of_the_modules_parts() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(8, 8, 1)
            self.bn = nn.BatchNorm2d(8)

        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(x + self.bn(self.conv1(x)))

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer1 = nn.Sequential(Block(), Block())
            self.fc = nn.Linear(8, 2)

        def forward(self, image: Tensor) -> Tensor:
            return self.fc(self.layer1(image).mean((2, 3)))

    names = [node.name for node in imported(Whole(), MAPS).network]
    assert names[:5] == ["image", "layer1_0_conv1", "layer1_0_bn", "layer1_0_add", "layer1_0_relu"]
    assert names[-2:] == ["globalavgpool", "fc"]
    sequential = imported(nn.Sequential(nn.Conv2d(8, 2, 1), nn.ReLU()), MAPS)
    assert [node.name for node in sequential.network] == ["input", "conv_0", "relu_1"]


def test_several_inputs_and_outputs() -> None:
    module = Does(lambda m, a, b: (a + b, {"low": a.mean((2, 3)), "same": a}))
    network = from_torch(module, MAPS, MAPS)
    assert len(network.network.outputs) == 3
    a, b = torch.randn(2, 2, *MAPS.tensor).unbind(0)
    total, low, same = network(a, b)
    torch.testing.assert_close(total, a + b)
    torch.testing.assert_close(low, a.mean((2, 3)))
    torch.testing.assert_close(same, a)


def test_the_module_stays_as_it_was() -> None:
    module = nn.Sequential(nn.Conv2d(8, 4, 1), nn.BatchNorm2d(4), nn.Dropout(0.5))
    module[1].eval()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    network = from_torch(module, MAPS)
    assert torch.equal(torch.rand(1), wanted)
    assert [part.training for part in module] == [True, False, True]
    assert not network.training
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    network["conv_0"].weight.data.zero_()  # the import's weights are its own
    assert torch.equal(module.state_dict()["0.weight"], before["0.weight"])


def test_what_leads_nowhere_is_left_out() -> None:
    module = Does(
        lambda m, x: (m.unused(x), m.conv(x))[1], unused=nn.Conv2d(8, 2, 1), conv=nn.Conv2d(8, 2, 1)
    )
    assert list(weights_of(imported(module, MAPS))) == ["conv.weight", "conv.bias"]


def test_the_weights_of_a_layer_are_the_modules() -> None:
    module = nn.Conv2d(8, 4, 3)
    network = imported(module, MAPS)
    (name,) = [node.name for node in network.network if isinstance(node.layer, Conv)]
    assert torch.equal(network[name].weight, module.weight)
