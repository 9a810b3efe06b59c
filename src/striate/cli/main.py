"""The `striate` command: its verbs, and how every error becomes one sentence and an exit code."""

import io
import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from striate import __version__
from striate.cli.misuse import misuse_told
from striate.core import StriateError

# 128 + SIGINT, what shells expect of a program that Ctrl-C ended.
INTERRUPTED = 130

_VERBS = {
    "plan": ("plan", "What a network costs before it exists: shapes, parameters, MACs, memory."),
    "data": ("data", "Look at pictures before training on them: inspect, check."),
    "train": ("train", "Train a network on pictures."),
    "resume": ("resume", "Go on with a training exactly where it stopped."),
    "test": ("test", "Test a run: accuracy, precision and recall, calibration, confusion."),
    "predict": ("predict", "What a run says of pictures in files or folders."),
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
    tokens = [token for token in tokens if token != "--debug"]
    if isinstance(sys.stdout, io.TextIOWrapper):
        # File names may hold what no encoding can say; printing them must not fail.
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(_run(tokens, debug))


def _run(tokens: list[str], debug: bool) -> int:
    try:
        code = make_app()(tokens, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except StriateError as error:
        return _fail(str(error), error.exit_code, debug)
    except CycloptsError as error:
        return _fail(misuse_told(error), 2, debug)
    except KeyboardInterrupt as error:
        return _fail(str(error) or "interrupted", INTERRUPTED, debug)
    except BrokenPipeError:
        # Whoever read stdout, such as `head`, has had enough; Python would complain at exit otherwise.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a sentence
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return _fail(f"{text}; this is a bug, please report it with what --debug shows", 1, debug)
    return code if isinstance(code, int) else 0


def _fail(text: str, code: int, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exc()
    print(f"striate: {text}", file=sys.stderr)
    return code
