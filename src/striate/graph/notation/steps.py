"""From the words of one step to its layer: positional values, `key=value`, and flags."""

from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

from striate.core import GraphError, NotationError, StriateError, UnknownNameError
from striate.graph.kernels import Kernels
from striate.graph.kinds import Flag
from striate.graph.layer import Layer, flag_word, kind_of
from striate.graph.layers import ACTIVATIONS, LAYERS, PHRASES, InputLayer, layer_of
from striate.graph.notation.tokens import Token, error_at


@dataclass
class Step:
    """A layer as a notation names it: its class, the values given, and where they stand."""

    text: str
    first: Token
    last: Token
    layer: type[Layer]
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    name: str | None = None

    def made(self) -> Layer:
        """The layer; raises NotationError at the step when a value is missing or illegal."""
        for own in fields(self.layer):
            if own.default is MISSING and own.name not in self.values:
                raise self.error(f"{self.layer.word} needs '{own.name}'; give it")
        try:
            return self.layer(**self.values)
        except GraphError as error:
            raise self.error(str(error)) from None

    def error(self, reason: str) -> NotationError:
        """An error whose mark lies below the whole step."""
        width = self.last.start + len(self.last.text) - self.first.start
        return error_at(self.text, self.first, reason, width)


def read_step(text: str, words: list[Token]) -> Step:
    """The step that these words say; raises NotationError at the word that breaks a rule."""
    first = words[0]
    if first.text == "input":
        raise error_at(text, first, "an input stands first and is written as its size, such as 28x28x1")
    try:
        step = Step(text, first, words[-1], layer_of(first.text, LAYERS | PHRASES))
    except UnknownNameError as error:
        raise error_at(text, first, str(error)) from None
    _read_values(step, words[1:])
    return step


def read_input(text: str, words: list[Token]) -> Step:
    """The input that these words say: a size such as 28x28x1, then values by key or flag."""
    step = Step(text, words[0], words[-1], InputLayer)
    _read_values(step, words)
    return step


def _read_values(step: Step, words: list[Token]) -> None:
    own = {field.name: field for field in fields(step.layer)}
    positional = [own[name] for name in step.layer.positional]
    flags = _flags(own)
    for word in words:
        key, equals, value = word.text.partition("=")
        if equals and key == "name":
            if step.name is not None:
                raise error_at(step.text, word, f"name of {step.layer.word} is given twice; give it once")
            step.name = value
        elif equals:
            if key == "activation" and key in own:
                raise error_at(
                    step.text,
                    word,
                    f"an activation is a word of its own; write {value if value in ACTIVATIONS else 'relu'}",
                )
            if key not in own:
                known = [name for name in own if name != "activation"]
                raise _unknown(step, word, key, [*known, "name"])
            _set(step, word, own[key], value)
        elif word.text in flags:
            name, flag = flags[word.text]
            _set(step, word, own[name], flag)
        elif positional and (not word.text[0].isalpha() or isinstance(kind_of(positional[0]), Kernels)):
            _set(step, word, positional.pop(0), word.text)
        elif word.text[0].isalpha():
            raise _unknown(
                step, word, word.text, [*flags, *(f"{name}=" for name in own if name != "activation")]
            )
        else:
            raise error_at(
                step.text, word, f"{step.layer.word} takes no further number; name what it is, as key=value"
            )


def _flags(own: "dict[str, Field[Any]]") -> dict[str, tuple[str, str]]:
    """The bare words a step may carry, with the field and the value each one sets."""
    flags: dict[str, tuple[str, str]] = {}
    for name, field_ in own.items():
        kind = kind_of(field_)
        if isinstance(kind, Flag):
            flags[flag_word(field_)] = (name, str(not field_.default).lower())
        for word in getattr(kind, "words", ()):
            flags[word] = (name, word)
    return flags


def _set(step: Step, word: Token, field_: "Field[Any]", text: str) -> None:
    if field_.name in step.values:
        raise error_at(step.text, word, f"{field_.name} of {step.layer.word} is given twice; give it once")
    kind = kind_of(field_)
    try:
        step.values[field_.name] = kind.checked(kind.read(text))
    except GraphError as error:
        raise error_at(step.text, word, f"{field_.name} of {step.layer.word}: {error}") from None


def _unknown(step: Step, word: Token, name: str, known: list[str]) -> StriateError:
    return error_at(step.text, word, str(UnknownNameError(f"word for {step.layer.word}", name, known)))
