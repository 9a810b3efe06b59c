"""From a notation to a network: parsed once into steps, repeats and joins, then made.

    network := [size "|"] chain ["|" "regression"]
    chain   := part ("|" part)*
    part    := step | "(" chain ")" "*" number | join
    join    := ("add" | "multiply" | "concat") word* "[" [chain] (";" [chain])+ "]"
    step    := word word*

An empty branch of a join passes on what the join is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from striate.core import GraphError, NotationError, quoted
from striate.graph.layer import Layer, Volume
from striate.graph.layers import Dense, InputLayer
from striate.graph.network import Network, Task
from striate.graph.notation.steps import Step, read_input, read_step
from striate.graph.notation.tokens import SIGNS, Token, error_at, tokens_of

DEEPEST = 50
_MOST_STEPS = 20_000


@dataclass
class Repeat:
    chain: "list[Part]"
    times: int


@dataclass
class Join:
    step: Step
    branches: "list[list[Part]]"


Part = Step | Repeat | Join


def parse(text: str, *, axes: Sequence[int] | None = None, classes: int | None = None) -> Network:
    """The network that a notation says.

    `axes` (spatial sizes, then depth) stands in for an input that is left out, `classes` for the width
    of the last dense layer.

    Raises NotationError, which points at the place, when the text breaks a rule of the notation or of
    the graph.
    """
    source, chain, task = _Parser(text).network()
    maker = _Maker(text)
    if source is None:
        if axes is None:
            raise error_at(text, Token("", 0), "the input is missing; begin with its size, such as 28x28x1 |")
        volume = InputLayer(tuple(axes))()
    else:
        volume = maker.made(source)
    _fill_width(chain, classes)
    end = maker.follow(chain, volume)
    try:
        return Network(volume, end, task)
    except GraphError as error:
        raise error_at(text, Token("", 0), str(error)) from None


def _fill_width(chain: list[Part], classes: int | None) -> None:
    dense = [part for part in chain if isinstance(part, Step) and part.layer is Dense]
    if dense and "width" not in dense[-1].values:
        if classes is None:
            raise dense[-1].error("the last dense has no width; give one, or data whose classes tell it")
        dense[-1].values["width"] = classes


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self.place = 0
        self.depth = 0
        self.task: Task = "class"

    @property
    def here(self) -> Token:
        return self.tokens[self.place]

    def error(self, reason: str) -> NotationError:
        return error_at(self.text, self.here, reason)

    def take(self, sign: str, reason: str) -> None:
        if self.here.text != sign:
            raise self.error(reason)
        self.place += 1

    def words(self) -> list[Token]:
        start = self.place
        while self.here.text and self.here.text not in SIGNS:
            self.place += 1
        return self.tokens[start : self.place]

    def network(self) -> tuple[Step | None, list[Part], Task]:
        source = None
        if self.here.text[:1].isdigit():
            source = read_input(self.text, self.words())
            if self.here.text == "|":
                self.place += 1
            self.read_task()
        chain = self.chain() if source is None or self.here.text else []
        if self.here.text:
            raise self.error(self.stray())
        return source, chain, self.task

    def chain(self) -> list[Part]:
        parts = [self.part()]
        while self.here.text == "|":
            self.place += 1
            if not self.read_task():
                parts.append(self.part())
        return parts

    def read_task(self) -> bool:
        """Whether the text's last word comes next and names the task; then it is read."""
        if self.here.text != "regression" or self.tokens[self.place + 1].text:
            return False
        self.place += 1
        self.task = "regression"
        return True

    def stray(self) -> str:
        if self.here.text in SIGNS:
            return f"'{self.here.text}' closes nothing; take it out or open it before"
        return f"{quoted(self.here.text)} can't follow a bracket; put | between steps, and name= before the ["

    def part(self) -> Part:
        if self.here.text == "(":
            return self.repeat()
        words = self.words()
        if not words:
            raise self.error("a step is missing here; name a layer such as conv 32 3")
        step = read_step(self.text, words)
        is_join = step.layer.most_inputs > 1
        if self.here.text == "[":
            if not is_join:
                raise self.error(f"{step.layer.word} takes no branches; only add, multiply and concat do")
            return Join(step, self.branches())
        if is_join:
            word = step.layer.word
            raise step.error(f"{word} joins branches; write them as {word}[ … ; … ]")
        return step

    def repeat(self) -> Repeat:
        self.enter()
        chain = self.chain()
        self.leave(")", "a '(' stays open; close it with ) and say how often, as in (conv 32 3 same)*2")
        self.take("*", "how often? write ( … )*2")
        token = self.here
        number = token.text
        if not (number.isascii() and number.isdigit() and len(number) < 6 and int(number) > 0):
            raise self.error("after * stands how often, a whole number of at least 1")
        self.place += 1
        return Repeat(chain, int(number))

    def branches(self) -> list[list[Part]]:
        self.enter()
        branches = [self.branch()]
        while self.here.text == ";":
            self.place += 1
            branches.append(self.branch())
        if self.here.text == "]" and len(branches) < 2:
            raise self.error("a join needs at least two branches; part them by ;")
        self.leave("]", "a '[' stays open; close it with ]")
        return branches

    def branch(self) -> list[Part]:
        return [] if self.here.text in (";", "]") else self.chain()

    def enter(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(f"brackets lie more than {DEEPEST} deep; write the network in Python")
        self.place += 1

    def leave(self, sign: str, reason: str) -> None:
        self.take(sign, reason)
        self.depth -= 1


class _Maker:
    """Makes volumes of parts, and stops before a notation of a few words makes a network of millions."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.steps = 0

    def follow(self, chain: list[Part], volume: Volume) -> Volume:
        for part in chain:
            if isinstance(part, Repeat):
                for _ in range(part.times):
                    volume = self.follow(part.chain, volume)
            elif isinstance(part, Join):
                volume = self.made(part.step, *(self.follow(branch, volume) for branch in part.branches))
            else:
                volume = self.made(part, volume)
        return volume

    def made(self, step: Step, *inputs: Volume) -> Volume:
        # Each branch of a join counts, empty ones too: they cost as much as a step does.
        self.steps += max(1, len(inputs))
        if self.steps > _MOST_STEPS:
            raise step.error(f"the network has more than {_MOST_STEPS} steps; repeat less")
        layer: Layer = step.made()
        try:
            return layer(*inputs, name=step.name)
        except GraphError as error:
            raise step.error(str(error)) from None
