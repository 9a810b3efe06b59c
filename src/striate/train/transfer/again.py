"""What an interrupted training began with, found again."""

from striate.build import weights_of
from striate.core import DownloadProgress, RunError
from striate.runs import Run
from striate.train.checkpoint import kept_weights
from striate.train.transfer.source import source_of
from striate.train.transfer.start import Start


def started_again(run: Run, progress: DownloadProgress | None = None) -> Start | None:
    """What a run goes on with: its own weights where a state keeps them, else what it began with.

    None for a run that began with new weights.

    Raises RunError when what it began with isn't the same any more.
    """
    origin = run.manifest.origin
    if origin is None:
        return None
    if (weights := kept_weights(run.folder)) is not None:
        return Start(weights, origin, is_begun=True)
    source = source_of(origin.source, progress)
    if source.origin.sha256 != origin.sha256:
        raise RunError(
            f"{origin.source} isn't what {run.path} began with: its SHA-256 begins with "
            f"{source.origin.sha256[:12]}, not with {origin.sha256[:12]}; bring the old weights "
            f"back, or train anew"
        )
    network = run.network
    kept = {node.name for node in network} - {network.outputs[0]}
    weights = weights_of(source.module)
    return Start({key: one for key, one in weights.items() if key.rpartition(".")[0] in kept}, origin)
