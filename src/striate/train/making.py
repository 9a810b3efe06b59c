"""What takes the steps of a training and what it takes them on, made from a settled setup."""

from striate.build import NetworkModule, build, load_weights, weights_of
from striate.data import Augmentation, Batches, Deal
from striate.graph import surgery
from striate.train.averaging import Average
from striate.train.balance import shaped
from striate.train.beginning import begin
from striate.train.compiling import compiled
from striate.train.compute import Compute
from striate.train.distillation import Teacher
from striate.train.distributed import Team
from striate.train.growing import small_of
from striate.train.mixing import mixing_of
from striate.train.optimizers import optimizer_of
from striate.train.setup import Setup
from striate.train.step import Stepper
from striate.train.transfer.body import Body


def stepper_of(
    setup: Setup,
    compute: Compute,
    rows: int | None = None,
    teacher: Teacher | None = None,
    team: Team | None = None,
    module: NetworkModule | None = None,
    body: Body | None = None,
) -> Stepper:
    """A stepper over a network with first weights, or a module that has them.

    `rows` of a batch are computed at once, None being all. Of a network with a `body` it takes the features.
    """
    recipe = setup.recipe
    module = module_of(setup, compute) if module is None else module
    small = small_of(module, setup.network, recipe)
    trained = module if body is None else body.tail(module)
    return Stepper(
        module=module,
        optimizer=optimizer_of(module, recipe, setup.network),
        objective=shaped(setup.objective, recipe, setup.targets("train")),
        compute=compute,
        seed=recipe.seed,
        rows=rows,
        fewest=setup.fewest,
        clip=recipe.clip,
        mixing=mixing_of(recipe, setup.objective),
        average=Average(module, recipe.ema) if recipe.ema else None,
        teacher=teacher,
        forward=compiled(trained) if recipe.compile else None if body is None else trained,
        small=small,
        team=team or Team(),
    )


def module_of(setup: Setup, compute: Compute) -> NetworkModule:
    """The module that is trained, with the weights that it begins with but for a probe's."""
    recipe = setup.recipe
    # What is trained computes the same with less work; its weights are the network's, name by name.
    module = build(surgery.lean(setup.network).network, seed=recipe.seed)
    if setup.start is None:
        begin(module, recipe.initial, setup.inputs["train"][0])
    else:
        load_weights(module, weights_of(module) | dict(setup.start.weights))
    compute.place(module)
    return module


def batches_of(
    setup: Setup,
    compute: Compute,
    teacher: Teacher | None = None,
    team: Team | None = None,
    body: Body | None = None,
) -> Batches:
    """The training split in batches; what a teacher's inputs take comes after the network's own.

    Of a network with a frozen `body` come its features, not its pictures.

    A process of a team gets its share of them or, where rows are mixed with each other, all.
    """
    recipe, targets = setup.recipe, setup.targets("train")
    total = None if setup.own is None else len(targets[0])
    if setup.own is not None:
        targets = tuple(target[setup.own.start : setup.own.stop] for target in targets)
    augmentation = Augmentation(shift=recipe.shift, flip=recipe.flip, crop=recipe.crop)
    return Batches(
        (
            *(setup.inputs if body is None else body.features)["train"],
            *(() if teacher is None else teacher.inputs),
        ),
        targets,
        batch=recipe.batch,
        device=compute.device,
        augmentation=None if augmentation == Augmentation() or body is not None else augmentation,
        mirrored=() if body is None else body.mirrored,
        shuffle=True,
        seed=recipe.seed,
        balanced=targets[0] if recipe.balance == "sampling" else None,
        share=recipe.share,
        deal=Deal() if team is None or recipe.mixup or recipe.cutmix else team.deal,
        total=total,
    )
