"""`--slurm` against stand-ins for sbatch, srun and scontrol: what is written, run, and queued again."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from striate.runs import Run

pytest.importorskip("submitit")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="Slurm's stand-ins are shell scripts")
SBATCH = """#!/bin/sh
cp "$1" "$SLURM_STAND_IN/batch.sh"
echo "Submitted batch job 7"
"""
# Of srun's options only those that submitit gives.
SRUN = """#!/bin/sh
while [ "${1#--}" != "$1" ]; do
    case "$1" in --output|--error) shift 2 ;; *) shift ;; esac
done
exec "$@"
"""
SCONTROL = """#!/bin/sh
echo "$@" >> "$SLURM_STAND_IN/asked"
"""
WORDS = ("--network", "flatten | dense", "--device", "cpu", "--precision", "fp32")


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A folder of stand-ins on the path; what they were told is kept there."""
    place = tmp_path / "slurm-stand-in"
    place.mkdir()
    for name, script in (("sbatch", SBATCH), ("srun", SRUN), ("scontrol", SCONTROL)):
        (place / name).write_text(script)
        (place / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_STAND_IN", str(place))
    return place


@pytest.fixture
def runs_job(slurm):
    """Runs the batch file as Slurm would, with what Slurm tells a job of one process."""
    started = []

    def run(**more: str) -> subprocess.Popen:
        told = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "1", "SLURM_JOB_NUM_NODES": "1", "SLURM_PROCID": "0"}
        told |= {"SLURM_LOCALID": "0", "SLURM_NODEID": "0", "SLURM_JOB_NODELIST": "localhost", **more}
        process = subprocess.Popen(
            ["bash", str(slurm / "batch.sh")],
            env=os.environ | told | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def test_batch_file_says_what_was_wished(striate, slurm, pets, tmp_path):
    told = striate("train", "--data", pets, "--slurm", "partition=gpu,time=1-2:30:00,nodes=2,gpus=4,mem=8GB")
    assert told.code == 0, told.err
    assert re.fullmatch(rf"job  7\nlog  {tmp_path}/runs/slurm/7_0_log\.err\n", told.out)
    directives = set(re.findall("^#SBATCH --(.*)$", (slurm / "batch.sh").read_text(), re.MULTILINE))
    wanted = {"partition=gpu", "time=1590", "nodes=2", "gpus-per-node=4", "ntasks-per-node=4", "mem=8GB"}
    assert wanted | {"job-name=striate", "signal=USR2@90", "open-mode=append"} <= directives
    assert not (tmp_path / "runs" / "pets-network-1").exists()  # nothing is trained here


@pytest.mark.slow
def test_preempted_job_saves_is_queued_again_and_goes_on(striate, slurm, runs_job, pets, tmp_path):
    words = ("--data", pets, *WORDS, "--epochs", "300", "--quiet", "--json")
    assert json.loads(striate("train", *words, "--slurm", "time=60").out)["job"] == "7"
    job, state = runs_job(), tmp_path / "runs" / "pets-network-1" / "state" / "state.safetensors"
    for _ in range(1200):
        if state.exists():
            break
        assert job.poll() is None, job.communicate()
        time.sleep(0.02)
    os.kill(_python_of(job), signal.SIGUSR2)
    job.communicate(timeout=60)
    assert (slurm / "asked").read_text() == "requeue 7\n"
    run = Run.open(state.parent.parent)
    assert run.manifest.state == "stopped"
    done = run.manifest.results.epochs_done
    assert 1 <= done < 300

    job = runs_job(SLURM_RESTART_COUNT="1")
    text, _ = job.communicate(timeout=120)
    assert run.manifest.state == "done"
    assert [entry["epoch"] for entry in run.metrics] == list(range(1, 301))
    assert f'"run": "{run.path}"' in text
    assert not (tmp_path / "runs" / "pets-network-2").exists()


def _python_of(job: subprocess.Popen) -> int:
    """The process in which the stand-in for srun runs the job."""
    children = Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
    return int(children[0]) if children else job.pid


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ("partitoin=gpu", "unknown wish of --slurm 'partitoin'; did you mean 'partition'?"),
        ("gpus=two", "'gpus' of --slurm takes a whole number from 1, not 'two'"),
        ("time=soon", "'time' of --slurm takes minutes or hours:minutes:seconds, not 'soon'"),
        ("partition", "'partition' of --slurm needs a value; write partition=…"),
    ],
)
def test_wrong_wishes_are_told(striate, slurm, pets, wishes, message):
    told = striate("train", "--data", pets, "--slurm", wishes)
    assert (told.code, told.err) == (2, f"striate: {message}\n")


def test_machine_without_slurm_is_told(striate, pets, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    told = striate("train", "--data", pets, "--slurm", "time=5")
    assert (told.code, told.err) == (
        2,
        "striate: this machine has no Slurm: sbatch isn't found; leave --slurm out, or log in where it is\n",
    )


def test_refusal_of_slurm_is_told(striate, slurm, pets):
    (slurm / "sbatch").write_text(
        "#!/bin/sh\necho 'sbatch: error: invalid partition specified: gpu' >&2\nexit 1\n"
    )
    told = striate("train", "--data", pets, "--slurm", "partition=gpu")
    assert told.code == 1
    assert told.err.splitlines()[-1] == (
        "striate: Slurm refused the job: sbatch: error: invalid partition specified: gpu; "
        "change what --slurm says"
    )
