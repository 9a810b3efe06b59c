"""How long the commands take that a person waits for at a prompt: whole processes, from start to exit."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from common import spread, write

STRIATE = Path(sys.executable).with_name("striate")
COMMANDS = (("--help",), ("plan", "lecture"), ("plan", "photo"), ("train", "--help"))


def seconds(arguments: tuple[str, ...]) -> float:
    began = time.perf_counter()
    subprocess.run([str(STRIATE), *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    times: dict[tuple[str, ...], list[float]] = {command: [] for command in COMMANDS}
    for command in COMMANDS:
        seconds(command)  # the first run fills the disk cache and compiles the bytecode
    for _ in range(runs):  # in turns, so that a slow moment of the machine meets all
        for command in COMMANDS:
            times[command].append(seconds(command))
    head = ["| command | runs | seconds: median (least to most) |", "| --- | --- | --- |"]
    rows = [
        f"| `striate {' '.join(command)}` | {runs} | {spread(times[command], 3)} |" for command in COMMANDS
    ]
    write("startup", [*head, *rows])


if __name__ == "__main__":
    main()
