"""`striate resume`."""

from striate.cli.words import Device, Json, Quiet, RunPath


def resume_command(
    run: RunPath, /, *, device: Device = "auto", json: Json = False, quiet: Quiet = False
) -> int:
    """Go on with a training that was stopped, killed or failed, exactly where its state was last saved."""
    from striate.cli.outcome import tell_run
    from striate.train import resume

    return tell_run(resume(run, device=device, quiet=quiet), json=json)
