"""`striate resume`."""

from typing import Annotated, Literal

from cyclopts import Parameter

from striate.cli.words import Json, MakesReport, Quiet, RunPath

_DEVICE = Parameter(
    help="auto, cpu, cuda, cuda:N or mps. Default: the one it began on.", env_var="STRIATE_DEVICE"
)


def resume_command(
    run: RunPath,
    /,
    *,
    device: Annotated[str | None, _DEVICE] = None,
    bad: Annotated[
        Literal["stop", "skip"] | None,
        Parameter(
            help="stop at, or skip, a step whose loss or gradients aren't finite. Default: as it began."
        ),
    ] = None,
    report: MakesReport = True,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Go on with a training that was stopped, killed or failed, exactly where its state was last saved."""
    from striate.cli.outcome import tell_run
    from striate.train import resume

    resumed = resume(run, device=device, bad=bad, quiet=quiet)
    return tell_run(resumed, report=report, json=json, quiet=quiet)
