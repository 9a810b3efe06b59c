"""`striate look embedding`."""

from typing import Annotated

from cyclopts import Parameter

from striate.cli.look.opening import Data, Out, RowCount, SplitName, sampled, save
from striate.cli.words import Device, Json, RunPath, Whole, print_json


def embedding_command(
    run: RunPath,
    /,
    *,
    node: Annotated[str | None, Parameter(help="Any node. Default: what the last dense layer takes.")] = None,
    method: Annotated[str, Parameter(help="pca, tsne (by scikit-learn) or umap (by umap-learn).")] = "pca",
    seed: Annotated[int, Whole, Parameter(help="Decides the chance in tsne and umap.")] = 0,
    data: Data = None,
    split: SplitName = None,
    rows: RowCount = 2000,
    device: Device = "auto",
    out: Out = None,
    json: Json = False,
) -> None:
    """The data as points in a node's feature space, drawn in two dimensions and coloured by class."""
    from striate.look import Subject, embedding, embedding_method

    subject = Subject.open(run, device=device)
    chosen = embedding_method(method)
    if node is not None:
        _ = subject.network[node]
    told = embedding(subject, sampled(subject, data, split, rows), node, method=chosen, seed=seed)
    path = save(subject, told.figure(), f"embedding-{told.node}-{method}", out)
    if json:
        print_json("look.embedding", {"run": run, **told.to_dict(), "figure": path})
    else:
        print(f"{told}\npicture: {path}")
