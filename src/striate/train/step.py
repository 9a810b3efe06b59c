"""One step of the optimizer: gradients of a batch, in parts where the memory asks for it, and the update."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grad_norm_, get_total_norm
from torch.optim import Optimizer

from striate.build import NetworkModule
from striate.train.averaging import Average
from striate.train.compute import Compute, is_out_of_memory
from striate.train.distillation import Teacher
from striate.train.distributed import Team
from striate.train.growing import Small
from striate.train.guard import Guard
from striate.train.memory import parts_of
from striate.train.mixing import Mixing
from striate.train.objective import Objective
from striate.train.optimizers import set_rate
from striate.train.whole_batch import Dealt, over_whole_batches


@dataclass
class Stepper:
    """What takes a step.

    `rows` is how many rows of a batch are computed at once, None being all, and `fewest` how many at least;
    `divided` is told of the new number when the memory was full and they had to become fewer. `clip` is the
    longest norm that a step's gradient may have (Pascanu et al. 2013), 0 being any. `forward` stands in for
    the module's own forward computation, such as a compiled one, and `small` for both in the first steps. In
    a `team` each process computes its share of these rows, and DistributedDataParallel sums the gradients;
    `whole` says how many rows the whole batch of a step has, None being those that are given.
    """

    module: NetworkModule
    optimizer: Optimizer
    objective: Objective
    compute: Compute
    seed: int
    rows: int | None = None
    fewest: int = 1
    clip: float = 0.0
    mixing: Mixing | None = None
    average: Average | None = None
    guard: Guard | None = None
    teacher: Teacher | None = None
    small: Small | None = None
    forward: Callable[..., tuple[Any, dict[str, Tensor]]] | None = None
    divided: Callable[[int], None] = lambda rows: None
    team: Team = field(default_factory=Team)
    whole: Callable[[int], int] | None = None

    def __post_init__(self) -> None:
        self._dealt = Dealt()
        self._forward: Callable[..., Any] = self.forward or self.module
        if self.team.size > 1:
            over_whole_batches(self.module, self.team, self._dealt)
            device = self.compute.device
            self.forward = DistributedDataParallel(
                self.module,
                device_ids=None if device.type == "cpu" else [device],
                forward_sync_buffers=False,
                gradient_as_bucket_view=True,
            )

    def step(
        self, inputs: list[Tensor], wanted: list[Tensor], number: int, rate: float, place: float = 1.0
    ) -> Tensor:
        """Takes step `number` of a training, of which a fraction `place` is done, at a rate.

        Returns what `Progress.sums` sums of this batch.

        The rows are the process's share of the batch; where rows are mixed with each other, all of them.

        Raises TrainingError when its loss or gradients aren't finite and the training is to stop there.
        """
        count = len(wanted[0]) if self.whole is None else self.whole(number)
        set_rate(self.optimizer, rate)
        self._forward = self.forward or self.module
        if self.small is not None and place < self.small.until:
            self._forward = self.small
        if self.guard is not None:
            self.guard.begin()
        if self.mixing is not None:
            inputs, wanted = self.mixing(inputs, wanted, number)
            mine = self.team.deal.dealt(count)
            inputs, wanted = [tensor[mine] for tensor in inputs], [tensor[mine] for tensor in wanted]
        measured = None
        while measured is None:
            # Dropout's chances depend on the seed and the step alone, so that a resumed run repeats them.
            self._seed((self.seed * 1_000_003 + number) % 2**63)
            measured = self._gradients(inputs, wanted, count)
        # Over the whole team, so that all of it admits the step or none.
        measured, norm = self.team.summed(measured), self._clipped()
        is_admitted = self.guard is None or self.guard.admits(number, measured, norm)
        if is_admitted:
            self.optimizer.step()
        self.optimizer.zero_grad()
        if is_admitted and self.average is not None:
            self.average.update(number)
        return measured if is_admitted else torch.zeros_like(measured)

    def _clipped(self) -> Tensor:
        """The norm of the step's gradient before it is clipped."""
        if self.clip:
            return clip_grad_norm_(self.module.parameters(), self.clip)
        return get_total_norm(weight.grad for weight in self.module.parameters() if weight.grad is not None)

    def _seed(self, seed: int) -> None:
        if self.compute.device.type == "cpu":
            # Torch would also note the seed, with a trace of its caller, for a GPU that nobody has asked for.
            torch.default_generator.manual_seed(seed)
        else:
            torch.manual_seed(seed)

    def _gradients(self, inputs: list[Tensor], wanted: list[Tensor], count: int) -> Tensor | None:
        """Adds up the gradients of the batch's parts; None when one was too large, and shrinks them."""
        # Joined, it is one copy for all norms.
        before = torch.cat([buffer.flatten() for buffer in self._statistics]) if self._statistics else None
        try:
            parts = [
                self._dealt_part(inputs, wanted, start, end, count)
                for start, end in parts_of(count, self.rows, self.fewest)
            ]
            return torch.stack(parts).sum(dim=0)
        except (RuntimeError, MemoryError) as error:
            largest = max(end - start for start, end in parts_of(count, self.rows, self.fewest))
            # In a team the others are in the middle of the step and can't begin it again.
            if not is_out_of_memory(error) or largest // 2 < self.fewest or self.team.size > 1:
                raise
        # Only here are the tensors free that the error's frames held.
        self.optimizer.zero_grad()
        if before is not None:  # the rows that were computed come again
            pieces = before.split([buffer.numel() for buffer in self._statistics])
            for buffer, piece in zip(self._statistics, pieces, strict=True):
                buffer.copy_(piece.view_as(buffer))
        if self.compute.device.type == "cuda":
            torch.cuda.empty_cache()
        self.rows = largest // 2
        self.divided(self.rows)
        return None

    @cached_property
    def _statistics(self) -> list[Tensor]:
        """What norms measure, and fixed numbers."""
        return [buffer for buffer in self.module.buffers() if buffer.is_floating_point()]

    def _dealt_part(
        self, inputs: list[Tensor], wanted: list[Tensor], start: int, end: int, count: int
    ) -> Tensor:
        """`_part` of this process's rows between two of the batch's `count`."""
        here = self.team.deal.within(start, end)
        rows = here.stop - here.start
        self._dealt.start, self._dealt.count, self._dealt.mine = start, end - start, rows
        chosen = here if rows else slice(1)  # a row that stands in, so that every process exchanges
        with self._summing(is_last=end == count):
            return self._part([tensor[chosen] for tensor in inputs], [t[chosen] for t in wanted], count)

    def _part(self, inputs: list[Tensor], wanted: list[Tensor], count: int) -> Tensor:
        """The gradients of some of the batch's `count` rows, and what is measured of them."""
        with self.compute.autocast():
            laid_out = [self.compute.laid_out(tensor) for tensor in inputs]
            own = len(self.module.network.inputs)
            _, kept = self._forward(*laid_out[:own], keep=self.objective.nodes)
            taught = None if self.teacher is None else self.teacher.scores(laid_out[own:])
        losses = self.objective.losses(kept, wanted)
        if self.teacher is not None and taught is not None:
            losses = [self.teacher.blended(losses[0], kept[self.objective.nodes[0]], taught)]
        loss = losses[0] if len(losses) == 1 else torch.stack(losses).sum()
        rows = self._dealt.mine
        # DistributedDataParallel divides what it sums by the number of processes.
        weight = rows * self.team.size / count
        (loss if weight == 1 else loss * weight).backward()
        hits = [hit * (rows > 0) for hit in self.objective.hits(kept, wanted)]
        pairs = [one for loss, hit in zip(losses, hits, strict=True) for one in (loss.detach() * rows, hit)]
        return torch.stack([*pairs, torch.ones_like(pairs[0]) * rows])

    def _summing(self, *, is_last: bool) -> AbstractContextManager[None]:
        """Gradients are summed over the team once a step, with its last part's."""
        if self.team.size == 1 or is_last:
            return nullcontext()
        return cast("DistributedDataParallel", self.forward).no_sync()
