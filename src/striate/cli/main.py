"""The `striate` command: its verbs, and how every error becomes one sentence and an exit code."""

import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

from cyclopts import App, CycloptsError

from striate import __version__
from striate.cli.misuse import misuse_told
from striate.cli.words import DEBUG
from striate.core import StriateError

# 128 + SIGINT, what shells expect of a program that Ctrl-C ended.
INTERRUPTED = 130

_VERBS = {
    "plan": ("plan", "What a network costs before it exists: shapes, parameters, MACs, memory."),
    "lint": ("lint", "What is weak in a network, why, and the edit that mends it."),
    "data": ("data", "Look at pictures before training on them: inspect, check."),
    "train": ("train", "Train a network on pictures."),
    "resume": ("resume", "Go on with a training exactly where it stopped."),
    "lr": ("lr", "Find a learning rate by a short training whose rate rises."),
    "test": ("test", "Test a run: accuracy, precision and recall, calibration, confusion."),
    "predict": ("predict", "What a run says of pictures in files or folders."),
    "look": ("look", "Look inside: filters, feature maps, attributions, invariance, failures."),
    "report": ("report", "One self-contained HTML page about a run."),
    "compare": ("compare", "Compare designs fairly: several seeds, intervals and a verdict."),
    "sweep": ("sweep", "Search recipe and width; goes on where it stopped."),
    "runs": ("runs", "The runs in a folder, newest last."),
}


def make_app() -> App:
    """The command line with all its verbs, none of them imported yet."""
    app = App(
        name="striate",
        help="A glass-box workbench for convolutional neural networks.",
        help_epilogue="Every verb also takes --debug, which shows a traceback when something fails.",
        version=__version__,
        help_format="plaintext",
        suppress_keyboard_interrupt=False,
    )
    for verb, (module, help_text) in _VERBS.items():
        app.command(f"striate.cli.{module}:{verb}_command", name=verb, help=help_text)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits: 0 well, 1 failed, 2 wrongly asked, 130 interrupted."""
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in tokens
    DEBUG.set(debug)
    tokens = [token for token in tokens if token != "--debug"]
    if isinstance(sys.stdout, io.TextIOWrapper):
        # File names may hold what no encoding can say; printing them must not fail.
        sys.stdout.reconfigure(errors="backslashreplace")
    for name in [name for name, value in os.environ.items() if name.startswith("STRIATE_") and not value]:
        del os.environ[name]  # an empty variable counts as none
    # torch tells of every process that ends before another, in C++ and at length; we have a sentence for it.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    app = make_app()
    try:
        code = told(
            lambda: app(tokens, exit_on_error=False, print_error=False, result_action="return_value"),
            debug=debug,
        )
    except SystemExit as end:
        code = end.code
    if code not in (None, 0, INTERRUPTED) and os.environ.get("WORLD_SIZE", "1") != "1":
        _leave(code if isinstance(code, int) else 1)
    sys.exit(code)


def _leave(code: int) -> NoReturn:
    """Ends a failed process of a team at once: torch's threads that wait for another may abort it later."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def told(verb: Callable[[], object], *, debug: bool = False) -> int:
    """Runs a verb; turns every error into one sentence on stderr, and returns the exit code."""
    try:
        code = verb()
        if sys.stdout:  # none where a program was started without one
            sys.stdout.flush()
    except StriateError as error:
        return _fail(str(error), error.exit_code, debug)
    except CycloptsError as error:
        # torchrun gives every process the same words.
        return _fail(misuse_told(error), 2, debug) if os.environ.get("RANK", "0") == "0" else 2
    except KeyboardInterrupt as error:
        return _fail(str(error) or "interrupted", INTERRUPTED, debug)
    except BrokenPipeError:
        _drop_stdout()  # whoever read it, such as `head`, has had enough
        return 1
    except OSError as error:
        _drop_stdout()
        what = error.filename or "the answer"
        return _fail(f"{what} can't be read or written: {error.strerror or error}; check it", 1, debug)
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a sentence
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return _fail(f"{text}; this is a bug, please report it with what --debug shows", 1, debug)
    return code if isinstance(code, int) else 0


def _drop_stdout() -> None:
    """Sends what is still to be printed nowhere; Python would complain of it at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(text: str, code: int, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exc()
    print(f"striate: {text}", file=sys.stderr)
    return code
