"""Maps of the data in a feature space."""

import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from striate.core import UnknownNameError, UsageError
from striate.look import embedding
from striate.look.feature_space import features_of, principal_components
from subjects import left_behind, random_bytes, sample_of, subject_of

NAMES = ("x", "y", "z")
TEXT = "6x7x1 | conv 4 3 relu | flatten | dense 5 relu | dense 3"


def made(count: int = 12):
    subject = subject_of(TEXT, classes=NAMES)
    return subject, sample_of(subject, random_bytes(subject, count), np.arange(count) % 3)


@given(st.integers(2, 30), st.integers(2, 30), st.integers(0, 99))
def test_principal_components_are_those_of_scikit_learn(rows: int, columns: int, seed: int) -> None:
    features = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)
    points, shares = principal_components(features, 2)
    peer = PCA(2, svd_solver="full")
    wanted = peer.fit_transform(features.astype(np.float64))
    # Two rows span one axis; the second is rounding.
    np.testing.assert_allclose(np.abs(points), np.abs(wanted), atol=1e-5)
    np.testing.assert_allclose(shares, peer.explained_variance_ratio_, atol=1e-9)


def test_features_that_do_not_vary_or_are_too_few() -> None:
    points, shares = principal_components(np.ones((4, 1), np.float32), 2)
    np.testing.assert_array_equal(points, np.zeros((4, 2)))
    np.testing.assert_array_equal(shares, [0, 0])


def test_of_a_volume_with_places_the_mean_counts() -> None:
    subject, sample = made()
    _, kept = subject.module(torch.from_numpy(sample.rows.inputs[0]), keep=["relu1", "relu2"])
    np.testing.assert_allclose(
        features_of(subject, sample, "relu1"), kept["relu1"].detach().mean((2, 3)), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        features_of(subject, sample, "relu2"), kept["relu2"].detach(), rtol=1e-5, atol=1e-6
    )


def test_what_the_last_dense_takes_by_default() -> None:
    subject, sample = made()
    told = embedding(subject, sample)
    assert (told.node, told.features, told.points.shape) == ("relu2", 5, (12, 2))
    assert str(told).splitlines()[0] == (
        "relu2 (relu): 12 points of 5 features by PCA, over all 12 rows of 'test' of made"
    )
    document = told.to_dict()
    assert [point["target"] for point in document["points"]] == list("xyz" * 4)
    assert document["points"][3]["row"] == 3
    assert embedding(subject_of("6x7x1 | conv 2 3 | globalavgpool", classes=NAMES), sample).node == "input1"
    assert left_behind(subject) == []


@pytest.mark.parametrize("count", [3, 12])
def test_tsne_is_decided_by_its_seed(count: int) -> None:
    subject, sample = made(count)
    one, again = (embedding(subject, sample, method="tsne", seed=1) for _ in range(2))
    np.testing.assert_array_equal(one.points, again.points)
    assert np.isfinite(one.points).all()
    assert one.explained is None
    assert "by t-SNE" in str(one)


def test_tsne_keeps_groups_together() -> None:
    subject = subject_of("6x6x1 | flatten | dense 3", classes=NAMES)
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    pixels = (rng.integers(0, 30, (60, 1, 6, 6)) + 100 * labels[:, None, None, None]).astype(np.uint8)
    points = embedding(subject, sample_of(subject, pixels, labels), method="tsne").points
    middles = np.stack([points[labels == label].mean(axis=0) for label in range(3)])
    nearest = np.linalg.norm(points[:, None] - middles, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearest, labels)


def test_libraries_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    subject, sample = made()
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(UsageError, match=r"run pip install 'striate\[quality\]', or take the method pca$"):
        embedding(subject, sample, method="tsne")
    with pytest.raises(UsageError, match=r"UMAP needs umap-learn, .* run pip install umap-learn, or take"):
        embedding(subject, sample, method="umap")
    assert embedding(subject, sample).points.any()


def test_what_cannot_be_drawn_is_told() -> None:
    subject, sample = made(2)
    with pytest.raises(UsageError, match="a map of 2 rows shows nothing; take 3 or more"):
        embedding(subject, sample)
    with pytest.raises(UnknownNameError, match=r"unknown method 'tnse'; did you mean 'tsne'\?"):
        embedding(subject, sample, method="tnse")
    with pytest.raises(UnknownNameError, match="unknown node 'dense3'"):
        embedding(subject, sample, "dense3")


@pytest.mark.parametrize("count", [3, 15, 40])
def test_classes_are_told_by_colour_or_by_name(count: int) -> None:
    names = tuple(f"class {i}" for i in range(count))
    subject = subject_of(f"6x7x1 | flatten | dense {count}", classes=names)
    sample = sample_of(subject, random_bytes(subject, 2 * count), np.arange(2 * count) % count)
    axes = embedding(subject, sample).figure().axes[0]
    legend = axes.get_legend()
    if count <= 20:
        assert [text.get_text() for text in legend.get_texts()] == list(names)
    else:
        assert legend is None
        assert [text.get_text() for text in axes.texts] == list(names)


def test_a_regression_is_coloured_by_its_first_target() -> None:
    subject = subject_of("6x7x1 | flatten | dense 2")
    targets = np.random.default_rng(0).normal(size=(9, 2)).astype(np.float32)
    told = embedding(subject, sample_of(subject, random_bytes(subject, 9), targets))
    np.testing.assert_array_equal(told.figure().axes[0].collections[0].get_array(), targets[:, 0])
    assert told.to_dict()["points"][0]["target"] == targets[0].tolist()
