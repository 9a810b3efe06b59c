"""Recipes: how to train, as a closed set of values that people write in files and flags."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from striate.core import RecipeError, UnknownNameError, UsageError, quoted, read_small_file, units

OptimizerName = Literal["sgd", "momentum", "rmsprop", "adam", "adamw", "muon"]
Schedule = Literal["constant", "step", "cosine", "linear", "onecycle"]
Balance = Literal["none", "weights", "sampling"]
Precision = Literal["auto", "fp32", "bf16"]
_Seconds = Annotated[float, Field(gt=0, le=1e8)]
_Share = Annotated[float, Field(gt=0, lt=1)]
Bad = Literal["stop", "skip"]
Unreadable = Literal["refuse", "leave-out"]
Initial = Literal["glorot", "identity", "whitening", "probe"]

_FEWEST_EPOCHS, _MOST_EPOCHS = 5, 30

# Learning rates at which each optimizer usually works, used when none is given.
_RATES: dict[str, float] = {
    "sgd": 0.05,
    "momentum": 0.05,
    "rmsprop": 0.001,
    "adam": 0.002,
    "adamw": 0.002,
    "muon": 0.01,
}


def _seconds(value: object) -> object:
    return units.parse_duration(value) if isinstance(value, str) else value


class Recipe(BaseModel):
    """How to train; docs/training.md tells every value and where it comes from.

    `epochs` None means as many as see about `seen` pictures in all, 5 to 30; each sees a random `share` of
    them, unless `time` says after how many seconds the training is to end, whatever it has seen by then.
    `lr` None means the optimizer's usual rate; the further a stage is from the head, the oftener its rate is
    multiplied by `stage_rate` (`stage_rates.scales_of`). `schedule` is told in `schedule.rate_at`: `warmup`
    is the fraction of the training that warms up, None being the schedule's own, and `step` multiplies by
    `factor` at `milestones`, fractions too. 0 leaves each of these out: `clip` is the longest norm of a
    step's gradient, `ema` the decay a step of the
    averaged weights that are judged and saved, `patience` the epochs without a better validation score
    after which a training ends, `smoothing` the part of a label that all classes share, `mixup` and
    `cutmix` the alpha of how rows are mixed. `turn` is the part of their length, which is kept, that the
    optimizer muon turns filters by at the highest rate. `accumulate` is the number of parts in which a step's
    batch is computed. `balance` makes rare classes count as much as frequent ones. `teacher` is the folder of
    a run whose answers count `teaching` in the loss, softened by `temperature`. `initial` says what filters
    begin as (`beginning.begin`) or, with `probe`, a head (`transfer.heading.probed`), so that a training may
    have 0 epochs. Pictures are shown with sides `small` times theirs until the fraction `small_until` of the
    training is done. `compile` gives the network's steps to torch.compile. `shift` (pixels), `flip` and
    `crop` (smallest part of a side) augment the training pictures. With `shards` each of several processes
    reads its own part of them alone. `validation` is the fraction of the training pictures held out where the
    data bring no validation split; `split_seed` decides which, apart from `seed`, so that runs of several
    seeds are tested alike. Within an epoch a state is saved every `save_every` seconds or, where that is
    given, every `save_steps` steps.
    `bad` says what becomes of steps whose loss or gradients aren't finite, `unreadable` what becomes of rows
    whose pictures can't be read, and `deterministic` asks for the
    same bits whenever the same machine trains again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    epochs: int | None = Field(default=None, ge=0, le=100_000)
    seen: int = Field(default=600_000, ge=1, le=10**15)
    time: Annotated[_Seconds | None, BeforeValidator(_seconds)] = None
    share: float = Field(default=1.0, gt=0, le=1)
    batch: int = Field(default=64, ge=1, le=1_000_000)
    optimizer: OptimizerName = "adamw"
    lr: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    stage_rate: float = Field(default=1.0, gt=0, le=1)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    turn: float = Field(default=0.0, ge=0, le=1)
    schedule: Schedule = "onecycle"
    warmup: float | None = Field(default=None, ge=0, lt=1)
    # TOML and JSON know lists alone.
    milestones: tuple[_Share, ...] = Field(default=(0.5, 0.75), strict=False)
    factor: float = Field(default=0.1, gt=0, le=1)
    clip: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    accumulate: int = Field(default=1, ge=1, le=1_000_000)
    ema: float = Field(default=0.0, ge=0, lt=1)
    patience: int = Field(default=0, ge=0, le=100_000)
    smoothing: float = Field(default=0.0, ge=0, lt=1)
    balance: Balance = "none"
    teacher: str | None = None
    temperature: float = Field(default=4.0, gt=0, allow_inf_nan=False)
    teaching: float = Field(default=0.5, gt=0, le=1)
    initial: Initial = "glorot"
    compile: bool = False
    shift: int = Field(default=0, ge=0, le=10_000)
    small: float = Field(default=1.0, gt=0, le=1)
    small_until: float = Field(default=0.6, ge=0, le=1)
    flip: bool = False
    crop: float = Field(default=1.0, gt=0, le=1)
    mixup: float = Field(default=0.0, ge=0, le=100)
    cutmix: float = Field(default=0.0, ge=0, le=100)
    shards: bool = False
    validation: float = Field(default=0.1, ge=0, lt=1)
    split_seed: int = Field(default=0, ge=0, lt=2**63)
    seed: int = Field(default=0, ge=0, lt=2**63)
    precision: Precision = "auto"
    deterministic: bool = False
    bad: Bad = "stop"
    unreadable: Unreadable = "refuse"
    save_every: float = Field(default=60.0, gt=0, allow_inf_nan=False)
    save_steps: int | None = Field(default=None, ge=1)

    @property
    def rate(self) -> float:
        """The highest learning rate."""
        return _RATES[self.optimizer] if self.lr is None else self.lr

    def with_epochs_for(self, pictures: int) -> "Recipe":
        """The recipe with its number of epochs settled for so many training pictures."""
        if self.epochs is not None or self.time is not None:
            return self
        shown = max(round(pictures * self.share), 1)
        epochs = min(max(self.seen // shown, _FEWEST_EPOCHS), _MOST_EPOCHS)
        return self.model_copy(update={"epochs": epochs})

    def changed(self, **values: Any) -> "Recipe":
        """The recipe with some values replaced; None leaves a value as it is.

        Another optimizer than the recipe's brings its own usual rate and no weight decay, unless they are
        given as well: the recipe's were chosen for its own. Another rate changes `turn` in proportion.

        Raises RecipeError when a value is illegal, or two say how long to train.
        """
        given = {name: value for name, value in values.items() if value is not None}
        own = self.model_dump()
        if lengths := given.keys() & {"epochs", "time", "seen"}:
            own |= {"epochs": None, "time": None}
        if "seen" in lengths and len(lengths) > 1:
            other = "epochs" if "epochs" in lengths else "time"
            raise RecipeError(f"the recipe: seen and {other} both say how long to train; take one out")
        rate = given.get("lr")
        if given.get("optimizer", self.optimizer) != self.optimizer:
            own |= {"lr": None, "weight_decay": 0.0}
        elif self.turn and isinstance(rate, (int, float)) and rate > 0:
            own["turn"] = min(self.turn * rate / self.rate, 1.0)
        return checked(own | given, "the recipe")


RECIPES: dict[str, Recipe] = {
    # Keras's RMSprop at its defaults, as the lecture network's book trains it.
    "lecture": Recipe(epochs=5, batch=64, optimizer="rmsprop", lr=0.001, schedule="constant", validation=0.0),
    # As few pictures as still teach small grey ones well: docs/lab-notes.md tells what was tried.
    "fast": Recipe(
        epochs=1,
        share=0.42,
        batch=128,
        optimizer="muon",
        lr=0.01,
        schedule="linear",
        smoothing=0.1,
        validation=0.0,
    ),
    # The network airnet on small colour pictures; eight epochs come near airbench94 on CIFAR-10, sooner.
    "fast-color": Recipe(
        seen=270_000,
        batch=512,
        optimizer="muon",
        lr=0.005,
        momentum=0.8,
        turn=0.12,
        schedule="linear",
        warmup=0.0,
        smoothing=0.2,
        shift=2,
        flip=True,
        initial="whitening",
    ),
    "tiny": Recipe(batch=64, lr=0.003, weight_decay=0.1),
    "small-grey": Recipe(batch=64, lr=0.003, weight_decay=0.1, shift=2),
    "small-color": Recipe(batch=128, lr=0.004, weight_decay=0.05, shift=3, flip=True),
    # A trained network's head alone: what it begins as is the best that its features give.
    "head": Recipe(epochs=0, batch=64, initial="probe"),
    # More than the head, from there on.
    "finetune": Recipe(
        epochs=5,
        batch=32,
        lr=0.0003,
        weight_decay=0.05,
        flip=True,
        crop=0.7,
        smoothing=0.1,
        stage_rate=0.3,
        initial="probe",
    ),
    "photo": Recipe(epochs=60, batch=32, lr=0.003, weight_decay=0.05, flip=True, crop=0.6),
}


def checked(values: dict[str, Any], source: str) -> Recipe:
    """The recipe of these values; raises RecipeError naming the value, the rule and where it stands."""
    try:
        recipe = Recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "it"
        if first["type"] == "extra_forbidden":
            raise RecipeError(
                f"{source}: {UnknownNameError('recipe value', name, Recipe.model_fields)}"
            ) from None
        rule = first["msg"].replace("Input should be", "must be")
        raise RecipeError(f"{source}: {name} {rule}, not {quoted(first['input'])}; change it") from None
    if recipe.epochs is not None and recipe.time is not None:
        raise RecipeError(f"{source}: epochs and time both say how long to train; take one out")
    if recipe.epochs == 0 and recipe.initial != "probe":
        raise RecipeError(
            f"{source}: 0 epochs train nothing, unless the head begins as a probe (initial 'probe', of a "
            f"network that has learned already); give 1 or more"
        )
    return recipe


def recipe_of(word: str) -> Recipe:
    """The recipe of that name, or in that `.toml` file.

    Raises UnknownNameError, UsageError when the file can't be read, or RecipeError when it's illegal.
    """
    if word in RECIPES:
        return RECIPES[word]
    path = Path(word)
    if path.suffix != ".toml":
        raise UnknownNameError("recipe", word, RECIPES)
    try:
        values = tomllib.loads(read_small_file(path).decode())
    except OSError as error:
        raise UsageError(f"can't read the recipe {word}: {error.strerror}; check the path") from None
    except ValueError as error:
        raise RecipeError(f"{word} isn't TOML: {error}; write lines such as epochs = 5") from None
    return checked(values, word)


OPTIMIZERS: tuple[str, ...] = get_args(OptimizerName)
