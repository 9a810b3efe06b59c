"""`striate compare transfer`."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from striate.cli.look.transfer import SOURCE
from striate.cli.words import DATA_HELP, Device, Json, Quiet, Whole, downloading, print_json
from striate.core import UsageError, quoted


def compare_transfer_command(
    *,
    source: Annotated[str, SOURCE],
    data: Annotated[str, Parameter(help=DATA_HELP)],
    shots: Annotated[
        str, Parameter(help="Pictures a class to learn from, such as 1,5,10,all.")
    ] = "1,5,10,all",
    seeds: Annotated[int, Whole, Parameter(help="How often the pictures are drawn.")] = 3,
    scratch: Annotated[
        bool, Parameter(help="Train the default network on the same pictures, from new weights, beside it.")
    ] = True,
    scratch_epochs: Annotated[
        int | None, Whole, Parameter(help="Epochs of those trainings. Default: their recipe's.")
    ] = None,
    device: Device = "auto",
    out: Annotated[
        Path | None, Parameter(help="The comparison's folder. Default: runs/compare-DATA-transfer-NETWORK.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """How right a trained network's features make a linear probe after few pictures a class.

    With a network trained from new weights on the same pictures beside it. The same command goes on with a
    comparison that was stopped.
    """
    from rich.console import Console
    from rich.progress import Progress

    from striate.compare import compare_transfer

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("computing features")

        def tell(done: int, count: int) -> None:
            bar.update(task, completed=done, total=count)
            if done == count:
                bar.stop()  # trainings show bars of their own

        told = compare_transfer(
            source,
            data,
            shots=_shots(shots),
            seeds=seeds,
            scratch=scratch,
            scratch_epochs=scratch_epochs,
            out=out,
            device=device,
            quiet=quiet,
            progress=tell,
            downloading=downloading,
        )
    if json:
        print_json("compare.transfer", told.to_dict())
        return
    print(told)
    if told.folder is not None:
        names = ("comparison.md", "comparison.json", "shots.png")
        print("\n" + "\n".join(f"written  {told.folder / name}" for name in names))


def _shots(text: str) -> list[int | Literal["all"]]:
    found: list[int | Literal["all"]] = []
    for word in (word.strip() for word in text.split(",")):
        if word == "all":
            found.append("all")
        elif word.isascii() and word.isdigit() and len(word) < 10:
            found.append(int(word))
        else:
            raise UsageError(f"--shots takes numbers of pictures a class, and all, not {quoted(word)}")
    return found
