"""The command line: one file a verb, each imported when it is asked for."""

from striate.cli.main import main

__all__ = ["main"]
