"""`striate train --slurm …`: the command sends itself to Slurm, by submitit, and survives preemption there.

The job's own files, which submitit writes and reads as pickles, lie in the runs' root under `slurm/`.
"""

import re
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from striate.cli.main import told
from striate.cli.words import print_json
from striate.core import RunError, UnknownNameError, UsageError, quoted
from striate.runs import runs_root

# What `--slurm` may say, and what submitit calls it.
_NAMES = {
    "partition": "slurm_partition",
    "time": "slurm_time",
    "nodes": "nodes",
    "gpus": "gpus_per_node",
    "processes": "tasks_per_node",
    "cpus": "cpus_per_task",
    "mem": "slurm_mem",
    "account": "slurm_account",
    "qos": "slurm_qos",
    "constraint": "slurm_constraint",
}
_WHOLE = {"nodes", "gpus", "processes", "cpus"}
_TIME = re.compile(
    r"(?:(?:(?P<days>\d{1,3})-)?(?P<hours>\d{1,4}):)?(?P<minutes>\d{1,6})(?::(?P<seconds>\d\d))?"
)
# A job that reaches its time limit is put back into the queue; submitit wants to know how often at most.
_REQUEUES = 1000


@dataclass
class Job:
    """A call of a verb that Slurm runs, in one process or several, and again whenever it was preempted."""

    call: Callable[..., int]
    given: dict[str, Any]
    command: list[str] = field(default_factory=lambda: list(sys.argv))

    def __call__(self) -> int:
        """Runs the verb; when Slurm says that the time is over, ends its step, saves, and is queued again."""
        from submitit import JobEnvironment
        from submitit.helpers import TorchDistributedEnvironment

        sys.argv = self.command
        TorchDistributedEnvironment().export(set_cuda_visible_devices=False, overwrite=True)
        warning = getattr(signal, f"SIG{JobEnvironment.USR_SIG}")
        requeue, idle = signal.getsignal(warning), signal.getsignal(signal.SIGTERM)
        is_over = False

        def end(number: int, frame: FrameType | None) -> None:
            nonlocal is_over
            is_over = True
            # A training takes SIGTERM as the wish to stop; one that has yet to begin is asked again.
            if signal.getsignal(signal.SIGTERM) is idle:
                signal.alarm(1)
            else:
                signal.raise_signal(signal.SIGTERM)

        signal.signal(warning, end)
        signal.signal(signal.SIGALRM, end)
        code = told(lambda: self.call(**self.given))
        signal.alarm(0)
        if is_over and callable(requeue):
            requeue(warning, None)
        return code

    def checkpoint(self) -> Any:
        """What submitit queues again: the same, which finds the run that it began."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def submit(call: Callable[..., int], given: dict[str, Any], wishes: str, *, json: bool) -> int:
    """Sends a verb's call to Slurm, with wishes such as `partition=gpu,time=2:00:00,nodes=2,gpus=4`.

    Raises UsageError when a wish is unknown or has no such value, or there is no Slurm or no submitit, and
    RunError when Slurm refuses.
    """
    parameters = _parameters(wishes)
    missing = next((name for name in ("sbatch", "srun") if shutil.which(name) is None), None)
    if missing:
        raise UsageError(
            f"this machine has no Slurm: {missing} isn't found; leave --slurm out, or log in where it is"
        )
    try:
        from submitit import AutoExecutor
        from submitit.core.utils import FailedJobError, FailedSubmissionError
    except ImportError:
        raise UsageError("--slurm needs submitit; pip install 'striate[slurm]'") from None
    executor = AutoExecutor(folder=runs_root() / "slurm", cluster="slurm", slurm_max_num_timeout=_REQUEUES)
    executor.update_parameters(name="striate", **parameters)
    try:
        job = executor.submit(Job(call, given))
    except (FailedJobError, FailedSubmissionError, OSError) as error:
        raise RunError(
            f"Slurm refused the job: {' '.join(str(error).split())}; change what --slurm says"
        ) from None
    log = str(job.paths.stderr)
    if json:
        print_json("slurm", {"job": job.job_id, "log": log})
    else:
        print(f"job  {job.job_id}\nlog  {log}")
    return 0


def _parameters(wishes: str) -> dict[str, Any]:
    """What submitit takes, from what a person wrote."""
    parameters: dict[str, Any] = {}
    for wish in wishes.split(","):
        name, is_given, value = (part.strip() for part in wish.partition("="))
        if name not in _NAMES:
            raise UnknownNameError("wish of --slurm", name, _NAMES)
        if not is_given or not value:
            raise UsageError(f"'{name}' of --slurm needs a value; write {name}=…")
        if name in _WHOLE and not re.fullmatch("[1-9][0-9]{0,5}", value):
            raise UsageError(f"'{name}' of --slurm takes a whole number from 1, not {quoted(value)}")
        parameters[_NAMES[name]] = int(value) if name in _WHOLE else value
    if "slurm_time" in parameters:
        parameters["slurm_time"] = _minutes(parameters["slurm_time"])
    # A process for each GPU, unless something else is wished.
    return {"tasks_per_node": parameters.get("gpus_per_node", 1)} | parameters


def _minutes(text: str) -> int:
    """Slurm's own ways to write a time: minutes, hours:minutes:seconds, days-hours:minutes:seconds."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise UsageError(f"'time' of --slurm takes minutes or hours:minutes:seconds, not {quoted(text)}")
    days, hours, minutes, seconds = (
        int(found[name] or 0) for name in ("days", "hours", "minutes", "seconds")
    )
    return (days * 24 + hours) * 60 + minutes + (seconds > 0)
