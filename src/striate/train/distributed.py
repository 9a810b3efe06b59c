"""Several processes that train one network together: who is who, what they agree on, and how all of them end.

torchrun and Slurm say by environment variables who takes part; torch.distributed carries what they exchange.
A process on its own is a `Team` of one, which exchanges nothing.
"""

import itertools
import json
import os
import re
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed

from striate.core import StriateError, TrainingError
from striate.data import Deal, wait_for_writing

# How long a step may wait for another process's step; one that has ended is noticed at once.
_PATIENCE = timedelta(minutes=30)
# How often to look for news, in seconds, and as a part of the wait so far.
_OFTEN, _SELDOM, _PART = 0.005, 0.5, 0.1
_WORD = "word"
_LOST = (
    "another process of this training ended without a word; go on from the newest state with "
    "'striate resume', or start it all under 'torchrun --max-restarts 3', which does so by itself"
)
# Counts the trainings of this process, whose words in the store must not be taken for each other's.
_trainings = itertools.count()
_VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


class _PeerEndedError(TrainingError):
    """Another process ended; its word where it left one, and its exit code."""

    def __init__(self, word: tuple[str, int] | None) -> None:
        text, self.exit_code = word or (_LOST, self.exit_code)
        super().__init__(text)


@dataclass
class Team:
    """The processes of a training as one of them sees it; `rank` 0 is the first, who alone writes and speaks.

    `local_rank` counts among the `local_size` processes of one machine. Every process has to call the methods
    that exchange something (`summed`, `told`, `agreed`) in the same order.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1
    _store: Any = None
    _told: int = field(default=0, init=False)
    _turns: int = field(default=0, init=False)

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    @property
    def deal(self) -> Deal:
        """This process's rows of a batch."""
        return Deal(self.rank, self.size)

    def facts(self) -> dict[str, int]:
        """What the run's manifest says of the team, where there is one."""
        return {"processes": self.size} if self.size > 1 else {}

    def summed(self, numbers: Tensor) -> Tensor:
        """The sum of all processes' numbers, which takes the place of these."""
        if self.size > 1:
            distributed.all_reduce(numbers)
        return numbers

    def agreed(self, asked: Callable[[], bool]) -> Callable[[], bool]:
        """A question that every process answers with yes as soon as one does."""
        if self.size == 1:
            return asked
        return lambda: bool(self.summed(torch.tensor([float(asked())])).item())

    def told(self, value: Callable[[], Any]) -> Any:
        """What the first process alone finds out, on every process: anything that JSON can say.

        Raises TrainingError when that process ends before.
        """
        if self.size == 1:
            return value()
        self._told += 1
        key = f"told/{self._told}"
        if not self.is_first:
            return json.loads(self._heard(key))
        found = value()
        self._store.set(key, json.dumps(found))
        return found

    @contextmanager
    def in_turns(self) -> Generator[None]:
        """Lets the first process of each machine do something before its others, who find it in the cache."""
        self._turns += 1
        key = f"turn/{self._turns}/{self.rank - self.local_rank}"
        if self.local_rank:
            self._heard(key)
        yield
        if not self.local_rank and self.size > 1:
            wait_for_writing()
            self._store.set(key, "done")

    @contextmanager
    def noticing(self) -> Generator[None]:
        """Turns a broken exchange into a TrainingError that says why another process ended."""
        try:
            yield
        except RuntimeError as error:
            if self.size == 1 or not _is_lost(error):
                raise
            raise _PeerEndedError(self._word()) from None

    @contextmanager
    def ending_together(self) -> Generator[None]:
        """What ends one process ends all, and one of them says why."""
        try:
            with self.noticing():
                yield
        except (SystemExit, GeneratorExit):
            raise
        except BaseException as error:
            text = str(error) if isinstance(error, StriateError) else f"{type(error).__name__}: {error}"
            code = getattr(error, "exit_code", 1)
            if self.size > 1 and not self._speaks(text, code):
                raise SystemExit(code) from None
            raise

    def _speaks(self, text: str, code: int) -> bool:
        """Whether this process is the first that has an end to tell of."""
        mine = json.dumps([self.rank, text, code])
        with suppress(RuntimeError):  # whoever keeps the store may have ended
            return self._store.compare_set(_WORD, "", mine).decode() == mine
        return self.is_first

    def _word(self) -> tuple[str, int] | None:
        """Why a process ended and with which exit code, if one has said so."""
        with suppress(RuntimeError):
            if self._store.check([_WORD]):
                _, text, code = json.loads(self._store.get(_WORD))
                return text, code
        return None

    def _heard(self, key: str) -> str:
        """What another process says, however long it takes, unless one ends before."""
        began = time.monotonic()
        try:
            while not self._store.check([key]):
                if word := self._word():
                    raise _PeerEndedError(word)
                time.sleep(min(_SELDOM, _OFTEN + _PART * (time.monotonic() - began)))
            return self._store.get(key).decode()
        except RuntimeError:  # whoever kept the store has ended
            raise _PeerEndedError(None) from None


@contextmanager
def joined() -> Generator[Team]:
    """The team that this process was started in; it ends together.

    Raises TrainingError when the others can't be reached, and what another process raised.
    """
    if processes() == 1:
        yield Team()
        return
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    has_gpus = torch.cuda.is_available() and distributed.is_nccl_available()
    try:
        common, rank, size = next(iter(rendezvous("env://", timeout=_PATIENCE)))
        # torchrun's store outlives a restart; what was said before it must not be heard again.
        again = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        store = PrefixStore(f"striate-{again}-{size}-{next(_trainings)}", common)
        distributed.init_process_group(
            # Numbers on GPUs by NCCL; whether to stop is asked on the CPU, so that no GPU waits for it.
            "cpu:gloo,cuda:nccl" if has_gpus else "gloo",
            store=PrefixStore("group", store),
            rank=rank,
            world_size=size,
            timeout=_PATIENCE,
        )
    except (RuntimeError, ValueError) as error:
        where = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        raise TrainingError(
            f"the {processes()} processes can't reach each other at {where}: {' '.join(str(error).split())}; "
            f"check that address, or start them with torchrun"
        ) from None
    local = {name: int(os.environ.get(name) or "0") for name in ("LOCAL_RANK", "LOCAL_WORLD_SIZE")}
    team = Team(rank, size, local["LOCAL_RANK"], local["LOCAL_WORLD_SIZE"] or 1, store)
    with team.ending_together():
        yield team
        team.told(lambda: None)  # all leave once the first has written everything
    # After an error others may be in the middle of an exchange, for which this would wait.
    distributed.destroy_process_group()


def processes() -> int:
    """How many processes were started to train together."""
    if any(name not in os.environ for name in _VARIABLES):
        return 1
    return int(os.environ["WORLD_SIZE"])


def is_first_process() -> bool:
    """Whether this process is the one that speaks and writes."""
    return processes() == 1 or os.environ["RANK"] == "0"


def _is_lost(error: RuntimeError) -> bool:
    """Whether an exchange failed, rather than a computation."""
    return isinstance(error, distributed.DistError) or bool(re.search("gloo|nccl", str(error), re.IGNORECASE))
