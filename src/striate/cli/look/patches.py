"""`striate look patches`."""

from typing import Annotated

from cyclopts import Parameter

from striate.cli.look.opening import Data, Out, RowCount, SplitName, sampled, save
from striate.cli.words import Device, Json, RunPath, Whole, Wholes, print_json


def patches_command(
    run: RunPath,
    /,
    *,
    node: Annotated[
        str | None, Parameter(help="A node with height and width. Default: the last convolution, rectified.")
    ] = None,
    channel: Annotated[
        list[int] | None,
        Wholes,
        Parameter(help="A map to show; may be given several times. Default: the first ones.", negative=""),
    ] = None,
    most: Annotated[int, Whole, Parameter(help="Maps shown where no --channel is given.")] = 36,
    count: Annotated[int, Whole, Parameter(help="Patches of each map.")] = 9,
    data: Data = None,
    split: SplitName = None,
    rows: RowCount = 2000,
    device: Device = "auto",
    out: Out = None,
    json: Json = False,
) -> None:
    """For each feature map the patches of data to which it responds most, and what it went by in them.

    Patches are cut out by exact receptive field, one of a picture at most; beside them are their deconvnet
    reconstructions.
    """
    from striate.core import UsageError
    from striate.look import Subject, last_detector, node_with_maps, strongest_patches

    if most < 1:
        raise UsageError(f"--most {most} shows nothing; give at least 1")
    subject = Subject.open(run, device=device)
    network = subject.network
    node = last_detector(network) if node is None else node_with_maps(network, node)
    chosen = channel or range(min(most, network[node].shape.depth))
    sample = sampled(subject, data, split, rows)
    told = strongest_patches(subject, sample, node, channels=chosen, count=count)
    path = save(subject, told.figure(), f"patches-{node}", out)
    if json:
        print_json("look.patches", {"run": run, **told.to_dict(), "figure": path})
    else:
        print(f"{told}\npicture: {path}")
