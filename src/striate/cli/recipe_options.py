"""The values of a recipe as options of the verbs that train."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from cyclopts import CoercionError, Group, Parameter, Token

from striate.cli.words import Whole
from striate.core import UsageError, quoted

_COURSE = Group.create_ordered("How long and how fast")
_PICTURES = Group.create_ordered("Pictures and chance")


def _batch(kind: object, tokens: Sequence[Token]) -> Any:
    whole = cast("Callable[[object, Sequence[Token]], int]", Whole.converter)
    if tokens[0].value == "auto":
        return "auto"
    try:
        return whole(kind, tokens)
    except CoercionError:
        raise UsageError(
            f"{tokens[0].keyword} takes a whole number or auto, not {quoted(tokens[0].value)}; "
            f"see 'striate train --help'"
        ) from None


def _value(help: str, group: Group, env_var: str | None = None, **more: Any) -> Parameter:
    return Parameter(help=help, group=group, env_var=env_var, **more)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class RecipeOptions:
    """What goes over the recipe's own values; None leaves a value as it is."""

    epochs: Annotated[
        int | None, Whole, _value("Times that every picture is seen.", _COURSE, "STRIATE_EPOCHS")
    ] = None
    seen: Annotated[
        int | None, Whole, _value("Pictures to see in all, about; in place of epochs.", _COURSE)
    ] = None
    time: Annotated[
        str | None, _value("Train until so long is over, such as 60s, 5m or 1h30m.", _COURSE, "STRIATE_TIME")
    ] = None
    share: Annotated[
        float | None, _value("Fraction of the training pictures that an epoch sees.", _COURSE)
    ] = None
    batch: Annotated[
        int | Literal["auto"] | None,
        _value(
            "Rows of a step, or auto: the recipe's, computed in parts where it doesn't fit into the memory.",
            _COURSE,
            "STRIATE_BATCH",
            converter=_batch,
        ),
    ] = None
    optimizer: Annotated[
        str | None, _value("sgd, momentum, rmsprop, adam, adamw or muon.", _COURSE, "STRIATE_OPTIMIZER")
    ] = None
    lr: Annotated[float | None, _value("The highest learning rate.", _COURSE, "STRIATE_LR")] = None
    stage_rate: Annotated[
        float | None, _value("Each stage's rate over that of the next one nearer to the head.", _COURSE)
    ] = None
    schedule: Annotated[str | None, _value("constant, step, cosine, linear or onecycle.", _COURSE)] = None
    warmup: Annotated[float | None, _value("Fraction of the training in which the rate rises.", _COURSE)] = (
        None
    )
    milestones: Annotated[
        tuple[float, ...] | None,
        _value(
            "For the schedule step: fractions of the training, such as 0.5 0.75.",
            _COURSE,
            consume_multiple=True,
            negative="",
        ),
    ] = None
    factor: Annotated[float | None, _value("For the schedule step: by it at each milestone.", _COURSE)] = None
    momentum: Annotated[float | None, _value("For the optimizers momentum and muon.", _COURSE)] = None
    weight_decay: Annotated[
        float | None, _value("Of filters and matrices, not biases and norms.", _COURSE)
    ] = None
    turn: Annotated[
        float | None, _value("For muon: turn filters by this part of their length, and keep it.", _COURSE)
    ] = None
    clip: Annotated[float | None, _value("Longest norm of a step's gradient; 0 is any.", _COURSE)] = None
    accumulate: Annotated[
        int | None, Whole, _value("Parts in which a step's batch is computed.", _COURSE)
    ] = None
    ema: Annotated[
        float | None,
        _value("Judge and save the average of the weights with this decay a step, such as 0.999.", _COURSE),
    ] = None
    patience: Annotated[
        int | None, Whole, _value("End after so many epochs without a better validation score.", _COURSE)
    ] = None
    smoothing: Annotated[
        float | None, _value("Part of a label that all classes share, such as 0.1.", _COURSE)
    ] = None
    balance: Annotated[
        str | None, _value("Rare classes: none, weights (in the loss) or sampling.", _PICTURES)
    ] = None
    teacher: Annotated[str | None, _value("Learn from a run's answers too: its folder.", _COURSE)] = None
    temperature: Annotated[float | None, _value("Softens the teacher's answers; 4 unless told.", _COURSE)] = (
        None
    )
    teaching: Annotated[
        float | None, _value("What the teacher counts in the loss; 0.5 unless told.", _COURSE)
    ] = None
    initial: Annotated[
        str | None,
        _value(
            "What filters begin as: glorot, identity or whitening; probe: a head after --from.", _PICTURES
        ),
    ] = None
    compile: Annotated[bool | None, _value("Let torch.compile make the network's steps faster.", _COURSE)] = (
        None
    )
    shift: Annotated[int | None, Whole, _value("Augment: move by up to so many pixels.", _PICTURES)] = None
    small: Annotated[
        float | None, _value("Show pictures with so small a part of their sides at first.", _PICTURES)
    ] = None
    small_until: Annotated[
        float | None, _value("Until this fraction of the training; 0.6 unless told.", _PICTURES)
    ] = None
    flip: Annotated[bool | None, _value("Augment: mirror half of the pictures.", _PICTURES)] = None
    crop: Annotated[float | None, _value("Augment: enlarge a part of at least this side.", _PICTURES)] = None
    mixup: Annotated[float | None, _value("Augment: mix pictures, alpha such as 0.2.", _PICTURES)] = None
    cutmix: Annotated[float | None, _value("Augment: paste boxes of others, alpha such as 1.", _PICTURES)] = (
        None
    )
    shards: Annotated[
        bool | None, _value("Let each of several processes read its own shards alone.", _PICTURES)
    ] = None
    unreadable: Annotated[
        str | None, _value("refuse pictures that can't be read, or leave-out their rows.", _PICTURES)
    ] = None
    validation: Annotated[float | None, _value("Fraction of train to judge epochs by.", _PICTURES)] = None
    seed: Annotated[
        int | None, Whole, _value("Of weights, order and augmentation.", _PICTURES, "STRIATE_SEED")
    ] = None
    split_seed: Annotated[int | None, Whole, _value("Of the pictures held out.", _PICTURES)] = None
    precision: Annotated[str | None, _value("auto, fp32 or bf16.", _COURSE, "STRIATE_PRECISION")] = None
    deterministic: Annotated[
        bool | None, _value("The same bits whenever this machine trains again.", _COURSE)
    ] = None
    bad: Annotated[
        str | None, _value("stop at, or skip, a step whose loss or gradients aren't finite.", _COURSE)
    ] = None
    save_every: Annotated[
        float | None, _value("Save a state within epochs after so many seconds.", _COURSE)
    ] = None
    save_steps: Annotated[
        int | None, Whole, _value("Save a state within epochs after so many steps instead.", _COURSE)
    ] = None
