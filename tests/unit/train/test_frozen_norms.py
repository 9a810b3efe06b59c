"""Frozen batch norms in a training, held against a loop of plain torch whose norms are in evaluation."""

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from striate.build import NetworkModule, build, weights_of
from striate.data import Binding
from striate.graph import Network, surgery
from striate.train import Recipe
from striate.train.averaging import Average
from striate.train.compute import Compute
from striate.train.distributed import Team
from striate.train.growing import small_of
from striate.train.objective import Goal, Objective
from striate.train.optimizers import optimizer_of
from striate.train.step import Stepper
from striate.train.whole_batch import Dealt, over_whole_batches

# A norm below all that is trained and one amid it; the pooling drops a place, and relu comes before it.
TEXT = (
    "7x7x2 | conv 4 2 frozen nobias | batchnorm frozen | relu | conv 5 2 nobias | batchnorm frozen | relu | "
    "maxpool 2 | globalavgpool | dense 3"
)
NETWORK = Network.parse(TEXT)
STATISTICS = [f"batchnorm{n}.{name}" for n in (1, 2) for name in ("running_mean", "running_var")]
FROZEN = [
    *STATISTICS,
    "conv1.weight",
    *(f"batchnorm{n}.{name}" for n in (1, 2) for name in ("weight", "bias")),
]
CPU = Compute(torch.device("cpu"), "fp32", channels_last=False)
OBJECTIVE = Objective(Binding({}, {}), (Goal("dense1", "dense1", "label", ("a", "b", "c")),))


def measured(network: Network = NETWORK) -> NetworkModule:
    """What a training computes of the network, with statistics that batches of `batch` don't have."""
    module = build(surgery.lean(network).network, seed=3)
    random = torch.Generator().manual_seed(4)
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if "batchnorm" in name and tensor.is_floating_point():
            tensor.data.uniform_(0.5, 2, generator=random)
    return module


def plain(module: NetworkModule) -> nn.Sequential:
    """The same network in torch alone, its norms as torch leaves them in evaluation."""
    names = ("conv1", "batchnorm1", "relu1", "conv2", "batchnorm2", "relu2")
    body = [deepcopy(module[name]) for name in names]
    made = nn.Sequential(
        *body, nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), deepcopy(module["dense1"])
    )
    for index in (1, 4):
        norm = nn.BatchNorm2d(made[index].num_features)
        norm.load_state_dict(made[index].state_dict(), strict=False)
        made[index] = norm.requires_grad_(False).eval()
    return made


def batch(number: int) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(number)
    return torch.randn(12, 2, 7, 7, generator=random) * 3 + 1, torch.randint(3, (12,), generator=random)


def stepped(module: NetworkModule, count: int = 4, **options: object) -> Stepper:
    recipe = Recipe(optimizer="momentum", lr=0.1)
    stepper = Stepper(module, optimizer_of(module, recipe), OBJECTIVE, CPU, seed=0, **options)  # type: ignore[arg-type]
    for number in range(count):
        x, labels = batch(number)
        stepper.step([x], [labels], number, 0.1, number / count)
    return stepper


def assert_unmoved(module: NetworkModule) -> None:
    first, last = weights_of(measured()), weights_of(module)
    assert [name for name in FROZEN if not torch.equal(first[name], last[name])] == []
    assert not torch.equal(first["conv2.weight"], last["conv2.weight"])


@pytest.mark.parametrize("rows", [None, 5])
def test_steps_whole_or_in_parts_are_those_of_plain_torch(rows) -> None:
    module = measured()
    reference = plain(module)
    stepped(module, rows=rows)
    trained = [weight for weight in reference.parameters() if weight.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.1, momentum=0.9, nesterov=True)
    for number in range(4):
        x, labels = batch(number)
        F.cross_entropy(reference(x), labels).backward()
        optimizer.step()
        optimizer.zero_grad()
    # A norm frozen amid what is trained tells no row of another, so that parts are exact too.
    torch.testing.assert_close(module["conv2"].weight, reference[3].weight, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(module["dense1"].weight, reference[9].weight, rtol=1e-5, atol=1e-6)
    assert_unmoved(module)


def test_a_part_that_was_too_large_leaves_the_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    module, forward = measured(), NetworkModule.forward

    def full(self: NetworkModule, *inputs: Tensor, **more: object) -> object:
        result = forward(self, *inputs, **more)  # type: ignore[call-overload]
        if len(inputs[0]) > 6:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return result

    with monkeypatch.context() as patch:
        patch.setattr(NetworkModule, "forward", full)
        assert stepped(module).rows == 6
    assert_unmoved(module)


def test_the_average_has_the_same_statistics() -> None:
    module = measured()
    average = Average(module, 0.9)
    stepped(module, average=average)
    assert_unmoved(average.module)
    average.module.train()
    assert not average.module["batchnorm2"].training


def test_the_network_for_small_pictures_shares_them() -> None:
    module = measured()
    small = small_of(module, NETWORK, Recipe(small=0.6, small_until=1.0))
    assert small is not None
    stepped(module, small=small)
    assert_unmoved(module)
    assert_unmoved(small.module)
    for mode in (True, False, True):
        small.module.train(mode)
        assert not any(small.module[name].training for name in ("batchnorm1", "batchnorm2"))
    assert small.module["batchnorm2"] is module["batchnorm2"]


def test_processes_exchange_nothing_for_them() -> None:
    module = measured(
        Network.parse(TEXT.replace("batchnorm frozen | relu | maxpool", "batchnorm | relu | maxpool"))
    )
    over_whole_batches(module, Team(), Dealt(count=12, mine=12))
    assert isinstance(module["batchnorm1"], nn.BatchNorm2d)
    assert not isinstance(module["batchnorm2"], nn.BatchNorm2d)
    module.eval().train()
    assert (module["batchnorm1"].training, module["batchnorm2"].training) == (False, True)
    before = weights_of(module)
    module(batch(0)[0])
    after = weights_of(module)
    assert {name for name in STATISTICS if not torch.equal(before[name], after[name])} == set(STATISTICS[2:])


def test_surgery_leaves_them_frozen() -> None:
    module = measured()
    for network in (surgery.lean(NETWORK).network, surgery.for_pictures(NETWORK, (9, 9, 1)).network):
        assert network["batchnorm1"].layer.frozen
        assert network["batchnorm2"].layer.frozen
    assert not module["batchnorm1"].training
