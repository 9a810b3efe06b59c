"""What filters begin as, against what they then do to pictures."""

import numpy as np
import pytest
import torch

from striate.build import build
from striate.core import RecipeError, UsageError
from striate.graph import Network
from striate.train.beginning import begin, whitening_filters

AIR = (
    "12x12x3 | conv 24 2 nobias frozen | relu | conv 30 3 same | maxpool 2 | conv 16 3 same"
    " | flatten | dense 2"
)


def coloured(count: int = 40) -> np.ndarray:
    """Noise whose channels and neighbours hang together, so that there is something to whiten."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 200, (count, 1, 6, 6)).repeat(2, axis=2).repeat(2, axis=3)
    fine = rng.integers(0, 56, (count, 3, 12, 12))
    return (coarse + fine).astype(np.uint8)


def prepared_network() -> Network:
    pictures = coloured() / 255
    return Network.parse(AIR).with_preparation(
        tuple(pictures.mean(axis=(0, 2, 3)).tolist()), tuple(pictures.std(axis=(0, 2, 3)).tolist())
    )


def test_whitened_patches_are_uncorrelated_and_vary_alike():
    numbers = torch.Generator().manual_seed(0)
    mixing = torch.randn((6, 6), generator=numbers)
    patches = torch.randn((5000, 6), generator=numbers) @ mixing
    projected = patches @ whitening_filters(patches).T
    covariance = projected.T @ projected / len(projected)
    # The least variance that is added makes the smallest direction vary a little less than 1.
    torch.testing.assert_close(covariance, torch.eye(6), atol=0.05, rtol=0)


def test_the_first_convolution_whitens_the_training_pictures():
    module, pictures = build(prepared_network(), seed=0), coloured()
    begin(module, "whitening", pictures)
    _, kept = module(torch.from_numpy(pictures), keep=["conv1"])
    maps = kept["conv1"].transpose(0, 1).flatten(1)
    torch.testing.assert_close(maps[12:], -maps[:12])
    covariance = maps[:12] @ maps[:12].T / maps.shape[1]
    off_diagonal = covariance - torch.diag(covariance.diagonal())
    assert off_diagonal.abs().max() < 0.02
    assert ((covariance.diagonal() > 0.5) & (covariance.diagonal() < 1.01)).all()
    assert not module["conv1"].weight.requires_grad


def test_first_answers_are_about_even_behind_whitening_alone():
    def first_weights(initial: str) -> torch.Tensor:
        module = build(prepared_network(), seed=0)
        begin(module, initial, coloured())
        return module["dense1"].weight.detach()

    drawn, small = first_weights("identity"), first_weights("whitening")
    width = drawn.shape[1]
    torch.testing.assert_close(small / drawn, torch.full_like(drawn, (small / drawn)[0, 0].item()))
    assert small.square().mean().sqrt().item() == pytest.approx(1 / width)


def test_scores_before_a_softmax_are_even_too():
    text = "12x12x3 | conv 24 2 nobias frozen | flatten | dense 2 | softmax"
    module = build(Network.parse(text), seed=0)
    begin(module, "whitening", coloured())
    weight = module["dense1"].weight
    assert weight.square().mean().sqrt().item() == pytest.approx(1 / weight.shape[1])


@pytest.mark.parametrize("initial", ["identity", "whitening"])
def test_later_convolutions_hand_their_input_on(initial):
    module = build(prepared_network(), seed=0)
    drawn = {name: weight.clone() for name, weight in module.state_dict().items()}
    begin(module, initial, coloured())
    numbers = torch.Generator().manual_seed(1)
    volume = torch.randn((2, 24, 7, 7), generator=numbers)
    torch.testing.assert_close(module["conv2"](volume)[:, :24], volume)
    # What there are no inputs left for stays as drawn, and a layer narrower than its input hands on a part.
    assert torch.equal(module["conv2"].weight[24:], drawn["nodes.conv2.weight"][24:])
    wide = torch.randn((2, 30, 7, 7), generator=numbers)
    torch.testing.assert_close(module["conv3"](wide), wide[:, :16])
    changed = {name for name, weight in module.state_dict().items() if not torch.equal(weight, drawn[name])}
    assert changed == {"nodes.conv2.weight", "nodes.conv3.weight"} | (
        {"nodes.conv1.weight", "nodes.dense1.weight"} if initial == "whitening" else set()
    )


def test_glorot_leaves_all_as_drawn():
    module, other = build(prepared_network(), seed=3), build(prepared_network(), seed=3)
    begin(module, "glorot", coloured())
    for weight, same in zip(module.parameters(), other.parameters(), strict=True):
        assert torch.equal(weight, same)


@pytest.mark.parametrize(
    "text", ["8x8x1 | flatten | dense 3", "8x8x4 | conv 4 3 groups=2 | flatten | dense 3"]
)
def test_what_begins_otherwise_is_told(text):
    with pytest.raises(UsageError, match="is of a convolution over pictures, and the network begins with"):
        begin(build(Network.parse(text)), "whitening", np.zeros((2, 1, 8, 8), np.uint8))


def test_a_training_begins_so_and_goes_on_the_same(trained, stopping_after, data):
    from striate.train import resume

    whole = trained("conv 6 2 nobias frozen | relu | conv 8 3 relu | flatten | dense", initial="whitening")
    with stopping_after(4):
        run = trained("conv 6 2 nobias frozen | relu | conv 8 3 relu | flatten | dense", initial="whitening")
    assert run.manifest.state == "stopped"
    resumed = resume(run, quiet=True)
    for name, weight in whole.weights("last").items():
        np.testing.assert_array_equal(weight, resumed.weights("last")[name])
    with pytest.raises(
        RecipeError, match="initial must be 'glorot', 'identity', 'whitening' or 'probe', not 'he'"
    ):
        trained(initial="he")
    with pytest.raises(UsageError, match="the network begins with flatten"):
        trained("flatten | dense", initial="whitening")
