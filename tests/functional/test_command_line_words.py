"""The command line itself: help, versions, wrong words, tracebacks, and what isn't imported."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import striate as package
from striate.core import RunError

COMMAND = Path(sys.executable).parent / "striate"


def test_the_installed_command_runs() -> None:
    done = subprocess.run([COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"{package.__version__}\n", "")
    wrong = subprocess.run([COMMAND, "plan", "lectrue"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == "striate: unknown network 'lectrue'; did you mean 'lecture'?\n"


@pytest.mark.parametrize(
    "words", [["--help"], ["plan", "lecture"], ["runs"], ["plan", "--help"], ["nonsense"]]
)
def test_torch_is_not_imported_without_need(words: list[str]) -> None:
    program = (
        "import sys\nfrom striate.cli import main\n"
        "try:\n    main(sys.argv[1:])\nfinally:\n"
        "    heavy = {'torch', 'matplotlib', 'PIL', 'pyarrow'} & set(sys.modules)\n"
        "    print('imported', sorted(heavy), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False
    )
    assert re.findall("imported .*", done.stderr) == ["imported []"]


def test_a_reader_who_has_had_enough_is_no_error(tmp_path: Path) -> None:
    lines = "\n".join(["1x1x1"] + ["relu"] * 3000)
    (tmp_path / "long.txt").write_text(lines)
    command = f"'{COMMAND}' plan long.txt | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert (done.stdout.split()[0], done.stderr) == ("node", "")


def test_output_that_no_encoding_can_say_is_escaped(tmp_path: Path) -> None:
    done = subprocess.run(
        [COMMAND, "plan", "4x4x1 | conv 1 3"],
        capture_output=True,
        check=True,
        env={"PYTHONIOENCODING": "ascii", "PATH": ""},
    )
    assert b"\\xd7" in done.stdout


def test_help_lists_every_verb(striate) -> None:
    told = striate("--help")
    assert told.code == 0
    for verb in ("plan", "data", "train", "resume", "test", "predict", "runs", "lr"):
        assert f" {verb} " in told.out
    assert striate() == told
    assert "--debug" in told.out


@pytest.mark.parametrize(
    "verb", ["plan", "data", "data inspect", "data check", "train", "lr", "resume", "test", "predict"]
)
def test_every_verb_has_help(striate, verb: str) -> None:
    told = striate(*verb.split(), "--help")
    assert told.code == 0
    assert told.out.startswith(f"Usage: striate {verb}")


OPTIONS = "--batch, --budget, --classes, --freeze, --input, --json, --optimizer, --precision, --versus"
WRONG = [
    ("pln", "unknown verb 'pln'; did you mean 'plan'?"),
    ("juggle", "unknown verb 'juggle'; choose one of resume, lr, lint, look, plan, runs, test, sweep, "
     "report, compare, predict, data, … (13 in all); see 'striate --help'"),
    ("data insp x", "unknown verb 'insp'; did you mean 'inspect'?"),
    ("plan", "'striate plan' needs NETWORK; see 'striate plan --help'"),
    ("predict x", "'striate predict' needs FILES; see 'striate predict --help'"),
    ("train", "'striate train' needs --data; see 'striate train --help'"),
    ("train --data", "--data needs a value; see 'striate train --help'"),
    ("plan tiny --budget -3GiB", "--budget takes a positive value, not '-3GiB'; see 'striate plan --help'"),
    ("plan tiny --budget --json", "--budget needs a value; see 'striate plan --help'"),
    ("plan tiny --budget=-3GiB", "'-3GiB' is no size; "
     "write a positive number and its unit, such as 8GiB or 800MB"),
    ("plan lecture --bacth 3", "unknown option '--bacth'; did you mean '--batch'?"),
    ("plan lecture --xyz", f"unknown option '--xyz'; choose one of {OPTIONS}; see 'striate plan --help'"),
    ("plan 8x8x1 relu", "'striate plan' has no use for 'relu'; put quotes around a text with spaces; "
     "see 'striate plan --help'"),
    ("plan lecture --batch many", "--batch takes a whole number, not 'many'; see 'striate plan --help'"),
    ("plan lecture --batch 1.5", "--batch takes a whole number, not '1.5'; see 'striate plan --help'"),
    ("train --data x --lr high", "--lr takes a number, not 'high'; see 'striate train --help'"),
    ("train --data x --flip=often", "--flip takes true or false, not 'often'; see 'striate train --help'"),
    ("plan lecture --batch 0", "the batch must be at least 1, not 0"),
    ("plan lecture --optimizer lion",
     "the optimizer is one of sgd, momentum, rmsprop, adam, adamw, muon, not 'lion'"),
    ("plan lecture --precision fp8", "the precision is one of fp32, bf16, not 'fp8'"),
    ("plan lecture --input big", "'big' is no input size; write height x width x depth, such as 28x28x1"),
    ("plan lecture --input 28x28x1|relu",
     "'28x28x1|relu' is no input size; write height x width x depth, such as 28x28x1"),
    ("train --data x --device gpu", "the device is one of auto, cpu, cuda, mps, not 'gpu'"),
    ("runs nowhere", "nowhere is no folder; name one that holds runs"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "message"), WRONG, ids=[line for line, _ in WRONG])
def test_wrong_words_exit_2_with_one_sentence(striate, line: str, message: str) -> None:
    assert striate(*line.split()) == (2, "", f"striate: {message}\n")


def test_wrong_values_of_the_environment_are_named(striate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_BATCH", "many")
    message = "STRIATE_BATCH takes a whole number, not 'many'; see 'striate plan --help'"
    assert striate("plan", "lecture") == (2, "", f"striate: {message}\n")


def test_debug_shows_the_traceback_before_the_sentence(striate) -> None:
    told = striate("plan", "lectrue", "--debug")
    assert told.code == 2
    assert told.err.startswith("Traceback (most recent call last):")
    assert told.err.endswith("striate: unknown network 'lectrue'; did you mean 'lecture'?\n")


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (RunError("the run is lost; find it"), 1, "the run is lost; find it"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (
            ZeroDivisionError("division\n by zero"),
            1,
            "ZeroDivisionError: division by zero; this is a bug, please report it with what --debug shows",
        ),
    ],
)
def test_every_error_becomes_a_sentence(
    striate, monkeypatch, error: BaseException, code: int, message: str
) -> None:
    def failing() -> None:
        raise error

    class FailingApp:
        def __call__(self, *args: object, **kwargs: object) -> None:
            failing()

    monkeypatch.setattr(sys.modules["striate.cli.main"], "make_app", FailingApp)
    assert striate("plan") == (code, "", f"striate: {message}\n")
    told = striate("--debug", "plan")
    assert (told.code, "Traceback" in told.err) == (code, True)


def test_json_is_one_object_with_a_format_and_a_version(striate) -> None:
    for words, kind in ((["plan", "lecture"], "plan"), (["runs"], "runs")):
        told = striate(*words, "--json")
        document = json.loads(told.out)
        assert (told.code, told.err) == (0, "")
        assert (document["format"], document["version"]) == (f"striate.{kind}", 1)


def test_an_answer_that_can_not_be_written_is_told_of() -> None:
    command = [sys.executable, "-c", "from striate.cli import main; main()", "plan", "lecture"]
    with open("/dev/full", "w") as full:  # noqa: PTH123 - the device is the point
        told = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert told.returncode == 1
    assert told.stderr == (
        "striate: the answer can't be read or written: No space left on device; check it\n"
    )


def test_pipes_and_devices_are_not_read(striate, tmp_path) -> None:
    os.mkfifo(tmp_path / "net.json")
    message = "striate: can't read the network file net.json: it is no regular file; check the path\n"
    assert striate("plan", "net.json") == (2, "", message)


def test_empty_variables_count_as_none(striate, monkeypatch) -> None:
    monkeypatch.setenv("STRIATE_BATCH", "")
    assert striate("plan", "lecture").code == 0
