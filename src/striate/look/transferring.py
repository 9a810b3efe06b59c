"""How far what a network has learned serves a new task: a linear probe behind each of its stages."""

from collections.abc import Callable, Sequence
from math import isnan, prod, sqrt
from pathlib import Path

import numpy as np

from striate.core import DataError
from striate.data import Images, load
from striate.graph import Network, feature_node, stages
from striate.look.describing import Described, describe
from striate.look.transferability import NodeProbe, Transferability
from striate.train import Source, choose_compute, fit_probe, source_of

ROWS = 5000


def transfer(
    source: Source | str | Path,
    data: Images | str | Path,
    *,
    rows: int = ROWS,
    seed: int = 0,
    device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
    downloading: Callable[[str, int, int], None] | None = None,
) -> Transferability:
    """How right a linear probe (Alain & Bengio 2016) is behind each stage of a trained network, on new data.

    `source` is a network with published weights by name, or a run. Probed are the ends of its stages
    (`graph.stages`) and what its head takes (`graph.feature_node`), by the means of each channel over all
    places. Of every split at most `rows` are taken, evenly spread; `seed` decides the parts held out in turn.
    `progress(done, count)` is told of the pictures described.

    Raises UsageError when the network or the data aren't of this kind, and DataError when each class has
    only one picture.
    """
    source = source if isinstance(source, Source) else source_of(str(source), downloading)
    images = data if isinstance(data, Images) else load(data)
    network = source.module.network
    nodes = probed_nodes(network)
    source.module.to(choose_compute(device, "fp32").device)
    described = describe(source, images, nodes, most=rows, progress=progress)
    probes = [_probe(described, network, node, seed) for node in _apart(described, nodes)]
    if isnan(probes[0].accuracy):
        raise DataError(
            f"{images.name} has one picture a class, and none to judge a probe by; give two or more"
        )
    chance = float(np.bincount(described.labels["train"]).max()) / len(described.labels["train"])
    counts = {split: len(labels) for split, labels in described.labels.items()}
    macs = _cost_until(network, network.outputs[0])[0]
    return Transferability(
        described.source, described.data, described.classes, counts, chance, macs, tuple(probes)
    )


def probed_nodes(network: Network) -> list[str]:
    """The ends of the stages and what the head takes, in order; raises GraphError when it takes nothing."""
    return list(dict.fromkeys([*(stage.end for stage in stages(network)), feature_node(network)]))


def _apart(described: Described, nodes: Sequence[str]) -> list[str]:
    """The nodes without the one before the last where this says the same, as a global pooling does."""
    if len(nodes) > 1:
        one, other = (described.features["train"][node] for node in nodes[-2:])
        if one.shape == other.shape and np.allclose(one, other, rtol=1e-4, atol=1e-6):
            return [*nodes[:-2], nodes[-1]]
    return list(nodes)


def _probe(described: Described, network: Network, node: str, seed: int) -> NodeProbe:
    features, labels = described.features["train"][node], described.labels["train"]
    probe = fit_probe(features, labels, len(described.classes), seed=seed)
    held = None
    if described.held is not None:
        scores = probe.scores(described.features[described.held][node])
        held = float((scores.argmax(axis=1) == described.labels[described.held]).mean())
    macs, parameters = _cost_until(network, node)
    found = network[node]
    return NodeProbe(
        node,
        str(found.layer),
        found.shape.spatial,
        found.shape.depth,
        macs,
        parameters,
        probe.accuracy,
        sqrt(probe.accuracy * (1 - probe.accuracy) / len(labels)),
        held,
        probe.decay,
    )


def _cost_until(network: Network, node: str) -> tuple[int, int]:
    """The MACs and the weights of the nodes up to one that everything passes through."""
    macs = parameters = 0
    for one in network:
        shapes = network.input_shapes(one)
        macs += one.layer.macs(*shapes)
        parameters += sum(prod(axes) for axes in one.layer.weights(*shapes).values())
        if one.name == node:
            break
    return macs, parameters
