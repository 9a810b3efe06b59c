"""Progress as a person sees it: a live bar on a terminal, a line an epoch elsewhere."""

import sys
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from striate.core import units
from striate.train.loop import Tick


class Quiet:
    """Shows nothing."""

    def tick(self, tick: Tick) -> None: ...

    def epoch(self, entry: dict[str, Any], epochs: int) -> None: ...

    def downloading(self, file: str, done: int, count: int) -> None: ...

    def reading(self, done: int, count: int) -> None: ...

    def describing(self, done: int, count: int) -> None: ...

    def say(self, text: str) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...


class Shown(Quiet):
    """Shows progress on stderr, so that what a program prints on stdout stays its own."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr, highlight=False, emoji=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[facts]}"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def _task(self, name: str) -> TaskID:
        if name not in self._tasks:
            self._tasks[name] = self._bar.add_task(name, total=None, facts="")
        return self._tasks[name]

    def downloading(self, file: str, done: int, count: int) -> None:
        if f"downloading {file}" not in self._tasks:
            self.say(f"downloading {file}, {units.size(count)}")
        self._bar.update(self._task(f"downloading {file}"), completed=done, total=count, visible=done < count)

    def reading(self, done: int, count: int) -> None:
        self._bar.update(self._task("reading pictures"), completed=done, total=count, visible=done < count)

    def describing(self, done: int, count: int) -> None:
        task = self._task("computing features")
        self._bar.update(task, completed=done, total=count, visible=done < count)

    def tick(self, tick: Tick) -> None:
        accuracy = "" if tick.accuracy is None else f"accuracy {units.percent(tick.accuracy)}  "
        self._bar.update(
            self._task("training"),
            description=f"epoch {tick.epoch}/{tick.epochs}",
            total=tick.epochs * tick.steps,
            completed=(tick.epoch - 1) * tick.steps + tick.step,
            facts=f"loss {tick.loss:.4f}  {accuracy}{tick.pictures_per_second:,.0f} images/s",
        )

    def epoch(self, entry: dict[str, Any], epochs: int) -> None:
        parts = [f"epoch {entry['epoch']:>{len(str(epochs))}}/{epochs}", f"loss {entry['train_loss']:.4f}"]
        for key, word in (("train_accuracy", "accuracy"), ("val_accuracy", "validation")):
            if key in entry:
                parts.append(f"{word} {units.percent(entry[key])}")
        if "val_loss" in entry:
            parts.append(f"validation loss {entry['val_loss']:.4f}")
        # Of several outputs each has measures that bear its name.
        for key, share in entry.items():
            split, _, rest = key.partition("_")
            if split == "val" and rest.endswith("_accuracy"):
                parts.append(f"{rest.removesuffix('_accuracy')} {units.percent(share)}")
        parts.append(f"{entry['pictures_per_second']:,.0f} images/s")
        self.say("  ".join(parts))

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._bar.stop()
