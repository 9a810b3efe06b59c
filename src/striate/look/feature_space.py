"""A map of the data in a node's feature space: many numbers a row, drawn in two dimensions.

Legend: N rows, C features.
"""

from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from striate.core import UnknownNameError, UsageError, units
from striate.look.embedding_figure import embedding_figure
from striate.look.mosaic import Shows
from striate.look.nodes import before_head
from striate.look.sampling import Sample
from striate.look.subject import Subject

EmbeddingMethod = Literal["pca", "tsne", "umap"]
METHODS: tuple[EmbeddingMethod, ...] = ("pca", "tsne", "umap")

# t-SNE and UMAP look at neighbours; beyond these components distances are mostly noise, and slow.
_COMPONENTS = 50
_FEWEST = 3


@dataclass(frozen=True, eq=False)
class EmbeddingMap(Shows):
    """Rows of data as points: `points` (N, 2) and, of several classes, `labels` (N,), else `targets`.

    `explained` holds the shares of the variance that the two axes of a PCA show; None for other methods.
    """

    node: str
    layer: str
    method: EmbeddingMethod
    features: int
    points: NDArray[np.float64]
    rows: NDArray[np.int64]
    classes: tuple[str, ...]
    targets: NDArray[Any]
    explained: tuple[float, float] | None
    sample: str

    def __str__(self) -> str:
        lines = [
            f"{self.node} ({self.layer}): {units.count(len(self.points))} points of "
            f"{units.count(self.features)} features by {_NAMES[self.method]}, over {self.sample}"
        ]
        if self.explained is not None:
            first, second = (units.percent(share, 1) for share in self.explained)
            lines.append(f"the axes show {first} and {second} of the variance")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        told = [self.classes[int(t)] for t in self.targets] if self.classes else self.targets.tolist()
        return {
            "node": self.node,
            "layer": self.layer,
            "method": self.method,
            "features": self.features,
            "sample": self.sample,
            "explained": None if self.explained is None else list(self.explained),
            "points": [
                {"row": int(row), "x": float(x), "y": float(y), "target": target}
                for row, (x, y), target in zip(self.rows, self.points, told, strict=True)
            ],
        }

    def figure(self) -> Figure:
        """The points, coloured by class or by the first target."""
        return embedding_figure(self)


_NAMES: dict[str, str] = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}


def embedding(
    subject: Subject,
    sample: Sample,
    node: str | None = None,
    *,
    method: EmbeddingMethod = "pca",
    seed: int = 0,
) -> EmbeddingMap:
    """A map of rows in a node's feature space, by default in what the last dense layer takes.

    A volume with places counts by the mean of each channel over them. `pca` (Pearson 1901) keeps straight
    lines straight, `tsne` (van der Maaten & Hinton 2008) and `umap` (McInnes et al. 2018) keep neighbours
    together; distances between far groups mean little there. The seed decides all chance.

    Raises UnknownNameError for a name that is no node's or no method's, and UsageError when there are fewer
    than three rows or the library of a method isn't installed.
    """
    method = embedding_method(method)
    network = subject.network
    found = network[before_head(network) if node is None else node]
    if len(sample) < _FEWEST:
        raise UsageError(f"a map of {len(sample)} rows shows nothing; take {_FEWEST} or more")
    features = features_of(subject, sample, found.name)
    explained = None
    if method == "pca":
        points, shares = principal_components(features, 2)
        explained = (float(shares[0]), float(shares[1]))
    elif method == "tsne":
        points = _tsne(features, seed)
    else:
        points = _umap(features, seed)
    goal = sample.rows.objective.goals[0]
    return EmbeddingMap(
        found.name,
        str(found.layer),
        method,
        features.shape[1],
        points,
        sample.indices,
        goal.classes,
        np.asarray(sample.rows.targets[0])[sample.indices],
        explained,
        str(sample),
    )


def embedding_method(name: str) -> EmbeddingMethod:
    """The method of that name; raises UnknownNameError when there is none."""
    for method in METHODS:
        if method == name:
            return method
    raise UnknownNameError("method", name, METHODS)


def features_of(subject: Subject, sample: Sample, node: str) -> NDArray[np.float32]:
    """A node's numbers for each row (N, C), of a volume with places the mean over them."""
    parts: list[NDArray[np.float32]] = []
    with torch.inference_mode():
        for _, inputs in sample.batches(subject):
            _, kept = subject.module(*inputs, keep=[node])
            volume = kept[node].float()
            mean = volume.flatten(2).mean(dim=2) if volume.ndim > 2 else volume
            parts.append(mean.cpu().numpy())
    return np.concatenate(parts)


def principal_components(
    features: NDArray[Any], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The first coordinates (N, count) along the principal axes, and their shares of the variance.

    Each axis points where its greatest loading is positive. Axes that don't exist hold 0.
    """
    centred = features.astype(np.float64) - features.mean(axis=0, dtype=np.float64)
    rows, columns = centred.shape
    # The smaller of the two products has the same eigenvalues, and its size alone decides the cost.
    product = centred.T @ centred if columns <= rows else centred @ centred.T
    values, vectors = np.linalg.eigh(product)
    values, vectors = values[::-1][:count].clip(min=0), vectors[:, ::-1][:, :count]
    loadings = vectors if columns <= rows else centred.T @ vectors
    signs = np.sign(loadings[np.abs(loadings).argmax(axis=0), range(loadings.shape[1])])
    points = centred @ vectors if columns <= rows else vectors * np.sqrt(values)
    total = float((centred**2).sum()) or 1.0
    missing = count - points.shape[1]
    return np.pad(points * signs, ((0, 0), (0, missing))), np.pad(values / total, (0, missing))


def _reduced(features: NDArray[np.float32]) -> NDArray[np.float64]:
    if features.shape[1] <= _COMPONENTS:
        return features.astype(np.float64)
    return principal_components(features, min(_COMPONENTS, len(features)))[0]


def _tsne(features: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
    try:
        from sklearn.manifold import TSNE
    except ImportError:
        raise UsageError(
            "t-SNE needs scikit-learn, which isn't installed; run pip install 'striate[quality]', or take "
            "the method pca"
        ) from None
    start = principal_components(features, 2)[0]
    # Small, as the method wants it, and told apart even where features are alike.
    start = 1e-4 * start / (start.std(axis=0)[0] or 1)
    perplexity = min(30.0, (len(features) - 1) / 3)
    # Its annotation forgets that `init` may be an array.
    model = TSNE(perplexity=perplexity, init=cast("Any", start), random_state=seed, n_jobs=None)
    return np.asarray(model.fit_transform(_reduced(features)), np.float64)


def _umap(features: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
    try:
        from umap import UMAP  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise UsageError(
            "UMAP needs umap-learn, which isn't installed; run pip install umap-learn, or take the method "
            "tsne or pca"
        ) from None
    neighbours = min(15, len(features) - 1)
    model: Any = UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1)
    return np.asarray(model.fit_transform(_reduced(features)), np.float64)
